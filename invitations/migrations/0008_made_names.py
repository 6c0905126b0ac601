from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invitations', '0007_one_form_of_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='batch',
            name='made_names',
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='batch',
            name='names',
            field=models.CharField(blank=True, choices=[('', 'Not said'), ('filled', 'Names made from the addresses'), ('left_out', 'Left out')], default='', editable=False, max_length=10),
        ),
        migrations.AddField(
            model_name='invitation',
            name='name_made',
            field=models.BooleanField(default=False, editable=False),
        ),
    ]
