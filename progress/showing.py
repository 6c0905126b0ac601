"""How stored rows look from outside: in status.json, in the frames of sockets, in the export."""

from collections.abc import Mapping
from typing import Any

from coursehub.live.frames import moment

# What a reader of rows needs; the rest stays in the database.
FIELDS = ["member_id", "email", "name", "percent", "last_seen_at", "changed_at", "gone_at", "revision"]


def member(row: Mapping[str, Any]) -> dict[str, Any]:
    """One learner: times as ISO text in UTC, `at` is when CourseHub learned of this state."""
    return {
        "id": row["member_id"],
        "email": row["email"],
        "name": row["name"],
        "percent": row["percent"],
        "last_seen": moment(row["last_seen_at"]),
        "at": moment(row["changed_at"]),
    }


def change(row: Mapping[str, Any]) -> dict[str, Any]:
    """One learner in a change frame: the new state, or just that the learner is gone."""
    return {"id": row["member_id"], "gone": True} if row["gone_at"] else member(row)


def course_state(course: Mapping[str, Any]) -> dict[str, Any]:
    """The head of every answer about a course; `trouble` says why the data grows old, if it does."""
    return {
        "course": course["course_id"],
        "revision": course["revision"],
        "as_of": moment(course["polled_at"]),
        "trouble": course["poll_error"],
    }
