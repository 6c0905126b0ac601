"""For coursehub.privacy.erasure: a learner's rows in every course, their history and their reports."""

from collections.abc import Iterator

from coursehub.emails import spellings
from coursehub.mongo import outside_transaction
from progress.models import LearnerReport, Member, ProgressEntry


def erase(email: str) -> dict[str, int]:
    """Members first found, then history, then the members: what a crash leaves is found again."""
    wanted = {"email_folded": {"$in": sorted(spellings(email))}}
    members = list(outside_transaction(Member).find(wanted, ["course_id", "member_id"]))
    entries = 0
    for member in members:
        of_member = {"course_id": member["course_id"], "member_id": member["member_id"]}
        entries += outside_transaction(ProgressEntry).delete_many(of_member).deleted_count
        outside_transaction(LearnerReport).delete_many(of_member)
    erased = outside_transaction(Member).delete_many({"_id": {"$in": [member["_id"] for member in members]}})
    return {"members": erased.deleted_count, "history": entries}


def addresses() -> Iterator[str]:
    """Every address that is held, as it is compared and as TrainerCentral spells it."""
    for member in outside_transaction(Member).find({"email_folded": {"$ne": ""}}, {"email_folded": 1, "email": 1}):
        yield member["email_folded"]
        yield member["email"]
