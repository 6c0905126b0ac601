"""Answers for `coursehub.course_members`: who is in a course, and how far."""

from collections.abc import Sequence
from typing import Any

from coursehub.course_members import Standing
from coursehub.mongo import outside_transaction
from progress.models import Member

_ENROLLED = "50"  # TrainerCentral's code of a member who has accepted
_REVOKED = "51"  # TrainerCentral's code of a member whose access was taken away: may be invited again


def in_course(course_id: str, folded: Sequence[str]) -> dict[str, str]:
    """Folded address -> course member id, for those of `folded` who are in the course and have access."""
    named = {"course_id": course_id, "email_folded": {"$in": list(folded)}}
    wanted = {**named, "gone_at": None, "status": {"$ne": _REVOKED}}
    found = outside_transaction(Member).find(wanted, {"_id": False, "email_folded": True, "member_id": True})
    found = found.hint("member_by_email")  # left to itself MongoDB may go through the whole course instead
    return {member["email_folded"]: member["member_id"] for member in found}


def standings(course_id: str, member_ids: Sequence[str]) -> dict[str, Standing]:
    """Course member id -> how far, for those of `member_ids` who are in the course."""
    keys = [f"{course_id}-{member_id}" for member_id in member_ids]
    found = outside_transaction(Member).find({"_id": {"$in": keys}, "gone_at": None})
    return {member["member_id"]: _standing(member) for member in found}


def _standing(member: dict[str, Any]) -> Standing:
    if member["status"] == _REVOKED:
        return Standing(revoked=True)
    started = member["percent"] > 0
    accepted = started or member["status"] == _ENROLLED or member["last_seen_at"] is not None
    return Standing(accepted, started, completed=member["percent"] >= 100)
