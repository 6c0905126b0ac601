from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invitations', '0005_awaiting_tokens'),
    ]

    operations = [
        migrations.AddField(
            model_name='sweep',
            name='flaw',
            field=models.CharField(blank=True, default='', max_length=200),
        ),
        migrations.AddField(
            model_name='sweep',
            name='learners',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='sweep',
            name='passes',
            field=models.IntegerField(default=1),
        ),
        migrations.AddField(
            model_name='sweep',
            name='place',
            field=models.JSONField(default=dict, editable=False),
        ),
    ]
