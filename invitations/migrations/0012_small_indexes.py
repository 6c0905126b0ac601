from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invitations', '0011_texts_of_a_file'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(condition=models.Q(('name_made', True)), fields=['batch', 'state', 'name_made'], name='invitation_made_name'),
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(condition=models.Q(('reason', 'The learner was erased.')), fields=['batch', 'reason'], name='invitation_erased'),
        ),
    ]
