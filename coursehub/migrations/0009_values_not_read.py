from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coursehub', '0008_one_form_of_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='course',
            name='unreadable',
            field=models.CharField(
                blank=True, default='', editable=False, max_length=300, verbose_name='could not be read'
            ),
        ),
        migrations.AlterField(
            model_name='course',
            name='poll_error',
            field=models.CharField(blank=True, default='', editable=False, max_length=300, verbose_name='trouble'),
        ),
    ]
