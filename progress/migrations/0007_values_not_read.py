from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('progress', '0006_place_of_a_walk'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='unreadable',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
