"""Who is in a course, as the last poll stored it: what `invitations` may know of what `progress` keeps.

The two apps share TrainerCentral's ids and no code (docs/architecture.md), so the collection is read by its name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction

_MEMBERS = "progress_member"
_ENROLLED = "50"  # TrainerCentral's code of a member who has accepted
_REVOKED = "51"  # TrainerCentral's code of a member whose access was taken away: may be invited again


def in_course(course_id: str, folded: Sequence[str]) -> dict[str, str]:
    """Folded address -> course member id, for those of `folded` who were in the course at `known_as_of`."""
    wanted = {
        "course_id": course_id,
        "email_folded": {"$in": list(folded)},
        "gone_at": None,
        "status": {"$ne": _REVOKED},
    }
    found = outside_transaction(_MEMBERS).find(wanted, {"_id": False, "email_folded": True, "member_id": True})
    return {member["email_folded"]: member["member_id"] for member in found}


def known_as_of(course_ids: Iterable[str]) -> dict[str, datetime | None]:
    """Course id -> the moment that its stored members are at least as new as; None: never read."""
    found = outside_transaction(Course).find({"course_id": {"$in": list(course_ids)}}, ["course_id", "polled_at"])
    return {course["course_id"]: _aware(course["polled_at"]) for course in found}


def ask_for_sweep(course_ids: Iterable[str], *, since: datetime) -> list[str]:
    """Have the members of these courses read; the ids of those that were not read since `since`, or are being read.

    Ask again until none is named: a poll that began before `since` may put the next one off. A pause that the
    remote side caused is kept, and a course that is gone from the academy is not waited for.
    """
    courses = outside_transaction(Course)
    older = {"$or": [{"polled_at": None}, {"polled_at": {"$lt": since}}]}
    waited_for = {"course_id": {"$in": list(course_ids)}, "gone_at": None, **older}
    named = [course["course_id"] for course in courses.find(waited_for, ["course_id"])]
    if named:
        idle = {"$lte": [{"$ifNull": ["$poll_lease_until", 0]}, clock.server_now()]}
        late = {"$gt": [{"$ifNull": ["$poll_due_at", clock.after(1)]}, clock.server_now()]}
        due_at = {"$max": [clock.server_now(), "$poll_not_before"]}
        courses.update_many(
            {"course_id": {"$in": named}, "$expr": {"$and": [idle, late]}}, [{"$set": {"poll_due_at": due_at}}]
        )
    return named


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


@dataclass(frozen=True)
class Standing:
    """How far a learner is in a course; each step includes the ones before."""

    accepted: bool = False
    started: bool = False
    completed: bool = False


def standings(course_id: str, member_ids: Sequence[str]) -> dict[str, Standing]:
    """Course member id -> how far, for those of `member_ids` who were in the course at `known_as_of`."""
    keys = [f"{course_id}-{member_id}" for member_id in member_ids]
    found = outside_transaction(_MEMBERS).find({"_id": {"$in": keys}, "gone_at": None})
    return {member["member_id"]: _standing(member) for member in found}


def _standing(member: dict[str, Any]) -> Standing:
    started = member["percent"] > 0
    accepted = started or member["status"] == _ENROLLED or member["last_seen_at"] is not None
    return Standing(accepted, started, member["percent"] >= 100)
