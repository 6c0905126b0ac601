"""Rows and claims by the one form of an address.

A claim's key is made of the address. Two claims that fall together were won for one learner under two spellings: one of
them stays, and while one of the two was not undone, the learner counts as invited.
"""

from collections import defaultdict
from itertools import chain, groupby
from operator import itemgetter

from django.db import migrations
from pymongo.errors import DuplicateKeyError

from coursehub.migrations import _addresses
from coursehub.mongo import outside_transaction


def normalize(apps, schema_editor):
    """Claims first: a row of the new form finds its claim. May run twice, and die anywhere."""
    claims = outside_transaction("invitations_claim")
    # All claims of one spelling come together: whether the last of them was undone decides.
    found = groupby(_addresses.differing(claims, order="course_id"), itemgetter("course_id", "email_folded"))
    for chunk in _addresses.chunks(list(group) for _, group in found):
        of_learner = defaultdict(list)
        for claim in chain.from_iterable(chunk):
            of_learner[_learner(claim)].append(claim)
        held = _held(claims, of_learner)
        alone = {learner for learner, found in of_learner.items() if learner not in held and _one_spelling(found)}
        plain = [claim for learner in alone for claim in of_learner[learner]]
        if plain:
            claims.bulk_write([_addresses.renamed(claim, key=_key(claim)) for claim in plain], ordered=False)
        for learner in of_learner.keys() - alone:
            _bring_together(claims, of_learner[learner], held.get(learner, []))
    _addresses.rewrite("invitations_invitation")


def _held(claims, learners):
    """The claims of these learners that are of the normal form already."""
    held, of_course = defaultdict(list), defaultdict(list)
    for course_id, address in learners:
        of_course[course_id].append(address)
    for course_id, addresses in of_course.items():
        for claim in claims.find({"course_id": course_id, "email_folded": {"$in": addresses}}):
            held[course_id, claim["email_folded"]].append(claim)
    return held


def _learner(claim):
    return claim["course_id"], _addresses.normal(claim["email_folded"])


def _one_spelling(found):
    return len({claim["email_folded"] for claim in found}) == 1


def _bring_together(claims, others, held):
    """That somebody is invited is written first, so that whoever goes on after a death finds it."""
    latest = {}
    for claim in sorted([*held, *others], key=lambda one: one["generation"]):
        latest[claim["email_folded"]] = claim
    if any(claim.get("undone_at") is None for claim in latest.values()):
        last = max(latest.values(), key=lambda one: one["generation"])
        claims.update_one({"_id": last["_id"]}, {"$set": {"undone_at": None}})
        last["undone_at"] = None
    for claim in others:
        changed = {"email_folded": _addresses.normal(claim["email_folded"]), "key": _key(claim)}
        try:
            claims.update_one({"_id": claim["_id"]}, {"$set": changed})
        except DuplicateKeyError:
            if claim.get("undone_at") is None:
                claims.update_one({"key": changed["key"]}, {"$set": {"undone_at": None}})
            claims.delete_one({"_id": claim["_id"]})


def _key(claim):
    return f"{claim['course_id']} {claim['generation']} {_addresses.normal(claim['email_folded'])}"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("invitations", "0006_orderly_sweeps"),
        ("coursehub", "0008_one_form_of_addresses"),
    ]

    operations = [
        migrations.RunPython(normalize, migrations.RunPython.noop, elidable=False),
    ]
