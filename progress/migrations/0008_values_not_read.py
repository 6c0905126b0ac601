from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('progress', '0007_one_form_of_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='member',
            name='unreadable',
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
