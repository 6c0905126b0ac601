"""What pages and sockets ask about courses and their learners."""

from collections.abc import Collection
from typing import Any

from coursehub.live.frames import moment
from coursehub.models import Course, CourseAccess
from coursehub.mongo import outside_transaction
from coursehub.roles import AnyUser
from progress import serializers
from progress.course_table import FlaggedMember
from progress.models import ACCESS_REVOKED, IN_COURSE, Member
from progress.risk import queries
from progress.serializers import CourseStatus, MemberState

_NOBODY: dict[str, Any] = {"learners": 0, "average_percent": None, "completed": 0}


def status(course_id: str) -> CourseStatus | None:
    """The course with all its learners as `status.json` gives it; None when there is no such course.

    Whose access was revoked is not among them.

    Read in the order course, rows: the rows may be newer than the revision says, never older.
    """
    course = outside_transaction(Course).find_one({"course_id": course_id})
    if course is None:
        return None
    rows = outside_transaction(Member).find({"course_id": course_id, **IN_COURSE}, serializers.FIELDS)
    return {**serializers.course_state(course), "members": [serializers.member(row) for row in rows.sort("name", 1)]}


def revoked(course_id: str) -> list[MemberState]:
    """Learners whom TrainerCentral lists without access, as `status.json` would give them; they are in no figure."""
    rows = outside_transaction(Member).find({"course_id": course_id, **ACCESS_REVOKED}, serializers.FIELDS)
    return [serializers.member(row) for row in rows.sort("name", 1)]


def summaries(user: AnyUser) -> list[dict[str, Any]]:
    """The courses that `user` may watch, each with its figures, in the order of their names."""
    courses = list(Course.objects.visible_to(user))
    figures = _figures([course.course_id for course in courses])
    return [{"course": course, **figures[course.course_id], "as_of": course.polled_at} for course in courses]


def outlines(course_ids: Collection[str]) -> list[dict[str, Any]]:
    """These courses as the live list shows them: each with its figures, in the order of their names."""
    ids = list(course_ids)
    figures = _figures(ids)
    return [
        {
            "id": course.course_id,
            "name": course.name,
            **figures[course.course_id],
            "as_of": moment(course.polled_at),
        }
        for course in Course.objects.filter(course_id__in=ids)
    ]


def members_with_flags(status: CourseStatus) -> list[FlaggedMember]:
    """The learners of a `status`, each with its "flags"."""
    flagged = queries.flags(status["course"])
    return [{**member, "flags": flagged.get(member["id"], [])} for member in status["members"]]


def existing(course_ids: Collection[str]) -> set[str]:
    """Those of the course ids that exist."""
    return set(Course.objects.filter(course_id__in=course_ids).values_list("course_id", flat=True))


def granted(user_ids: Collection[Any]) -> set[tuple[Any, str]]:
    """Who of the users was given which course, as pairs of user id and course id."""
    given = CourseAccess.objects.filter(user_id__in=user_ids)
    return set(given.values_list("user_id", "course__course_id"))


def _figures(course_ids: list[str]) -> dict[str, dict[str, Any]]:
    completed = {"$cond": [{"$gte": ["$percent", 100]}, 1, 0]}
    stages: list[dict[str, Any]] = [
        {"$match": {"course_id": {"$in": course_ids}, **IN_COURSE}},
        {
            "$group": {
                "_id": "$course_id",
                "learners": {"$sum": 1},
                "average_percent": {"$avg": "$percent"},
                "completed": {"$sum": completed},
            }
        },
    ]
    found = {group.pop("_id"): group for group in outside_transaction(Member).aggregate(stages)}
    flagged = queries.flags_of(course_ids)
    return {
        course_id: {**found.get(course_id, _NOBODY), "at_risk": len(flagged[course_id])} for course_id in course_ids
    }
