from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invitations', '0009_leftovers_and_choices'),
    ]

    operations = [
        migrations.AddField(
            model_name='batch',
            name='corrections',
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='batch',
            name='suggestions',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='batch',
            name='correcting',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='batch',
            name='correcting_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='invitation',
            name='uncalled',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='invitation',
            name='correction',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='invitation',
            name='email_before',
            field=models.CharField(blank=True, default='', editable=False, max_length=320),
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(condition=models.Q(('email_before__gt', '')), fields=['email_before'], name='invitation_before'),
        ),
    ]
