from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coursehub', '0005_academy'),
    ]

    operations = [
        migrations.AddField(
            model_name='course',
            name='wanted_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='course',
            name='wanted_since',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
