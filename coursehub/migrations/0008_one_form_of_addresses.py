"""Ends of access and the keys of learners' names, by the one form of an address."""

from django.db import migrations
from pymongo import UpdateOne

from coursehub.privacy import pseudonyms
from coursehub.migrations import _addresses
from coursehub.mongo import outside_transaction


def normalize(apps, schema_editor):
    """The new document is there before the old one goes, so that a death in between loses nothing."""
    ends = outside_transaction("coursehub_accessend")
    for chunk in _addresses.chunks(_addresses.differing(ends)):
        ends.bulk_write([_noted(end) for end in chunk])
        ends.delete_many({"_id": {"$in": [end["_id"] for end in chunk]}})
    for kept in _addresses.differing(outside_transaction("coursehub_addresskey"), column="_id"):
        pseudonyms.merge(_addresses.normal(kept["_id"]), kept)


def _noted(end):
    """Of two ends that were noted for one learner the later one, since nobody knows which was noted last."""
    address = _addresses.normal(end["email_folded"])
    key = f"{end['course_id']} {address}"
    new = {"id": key, "course_id": end["course_id"], "email_folded": address}
    return UpdateOne({"_id": key}, {"$setOnInsert": new, "$max": {"ends_at": end["ends_at"]}}, upsert=True)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("coursehub", "0007_bundles"),
    ]

    operations = [
        migrations.RunPython(normalize, migrations.RunPython.noop, elidable=False),
    ]
