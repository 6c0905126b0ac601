from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('progress', '0005_webhook_seen'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='sweeppart',
            name='has_gap',
        ),
        migrations.RemoveField(
            model_name='sweeppart',
            name='page_rows',
        ),
        migrations.AddField(
            model_name='sweeppart',
            name='place',
            field=models.JSONField(default=dict),
        ),
    ]
