from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invitations', '0010_corrections'),
    ]

    operations = [
        migrations.AddField(
            model_name='batch',
            name='was_read_anew',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='piece',
            name='text',
            field=models.CharField(blank=True, default='', max_length=30),
        ),
        migrations.AlterField(
            model_name='piece',
            name='id',
            field=models.CharField(max_length=80, primary_key=True, serialize=False),
        ),
    ]
