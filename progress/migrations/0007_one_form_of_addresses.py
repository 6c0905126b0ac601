"""Learners by the one form of an address."""

from django.db import migrations

from coursehub.migrations import _addresses


def normalize(apps, schema_editor):
    """May run twice."""
    _addresses.rewrite("progress_member")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("progress", "0006_place_of_a_walk"),
    ]

    operations = [
        migrations.RunPython(normalize, migrations.RunPython.noop, elidable=False),
    ]
