"""How stored rows look from outside: in status.json, in the frames of sockets, in the export."""

from collections.abc import Mapping
from typing import Any, TypedDict

from coursehub.live.frames import moment
from coursehub.trainercentral.records import REVOKED

# What a reader of rows needs; the rest stays in the database.
FIELDS = ["member_id", "email", "name", "percent", "status", "last_seen_at", "changed_at", "gone_at", "revision"]


class MemberState(TypedDict):
    """One learner of a course."""

    id: str
    email: str
    name: str
    percent: float
    last_seen: str | None
    at: str | None


class CourseState(TypedDict):
    """The head of every answer about a course."""

    course: str
    revision: int
    as_of: str | None
    trouble: str
    unreadable: str


class CourseStatus(CourseState):
    """A course with all its learners."""

    members: list[MemberState]


def member(row: Mapping[str, Any]) -> MemberState:
    """One learner: times as ISO text in UTC, `at` is when CourseHub learned of this state."""
    return {
        "id": row["member_id"],
        "email": row["email"],
        "name": row["name"],
        "percent": row["percent"],
        "last_seen": moment(row["last_seen_at"]),
        "at": moment(row["changed_at"]),
    }


def change(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """One learner in a change frame: the new state, or just that the learner is gone, or without access."""
    is_here = row["gone_at"] is None and row["status"] != REVOKED
    return member(row) if is_here else {"id": row["member_id"], "gone": True}


def course_state(course: Mapping[str, Any]) -> CourseState:
    """The head of every answer about a course: why its data grows old, and what of it could not be read, if so."""
    return {
        "course": course["course_id"],
        "revision": course["revision"],
        "as_of": moment(course["polled_at"]),
        "trouble": course["poll_error"],
        "unreadable": course.get("unreadable", ""),
    }
