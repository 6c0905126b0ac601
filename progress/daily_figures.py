"""A course's figures of each day in TIME_ZONE, kept when its history is not."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from pymongo.errors import DuplicateKeyError

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress.models import ACCESS_REVOKED, IN_COURSE, DailyFigures, Member, ProgressEntry


def record(course_id: str) -> bool:
    """Bring today's figures of a course up to what is stored; False when they were already, and nothing was written.

    May be repeated, and by several at once: figures of an older revision never replace those of a newer one.
    """
    course = outside_transaction(Course).find_one({"course_id": course_id}, ["revision"])
    today = timezone.localtime(clock.now(), timezone.get_default_timezone()).date()
    known = _figures_of(course_id, today)
    if course is None or (known and known["revision"] >= course["revision"]):
        return False
    if known is None:  # the first read of a day still shows visits of the day before
        yesterday = today - timedelta(days=1)
        seen = {"$set": {"active": _active(course_id, yesterday)}}
        outside_transaction(DailyFigures).update_one({"_id": _key(course_id, yesterday)}, seen)
    _replace(course_id, today, course["revision"])
    return True


def _replace(course_id: str, day: date, revision: int) -> None:
    """The revision was read first: the rows may be newer than it says, never older."""
    key = _key(course_id, day)
    names = {"_id": key, "id": key, "course_id": course_id, "day": day.isoformat(), "revision": revision}
    row = names | _standing(course_id) | {"active": _active(course_id, day)}
    try:
        outside_transaction(DailyFigures).replace_one({"_id": key, "revision": {"$lte": revision}}, row, upsert=True)
    except DuplicateKeyError:
        return  # somebody has stored newer ones


def _standing(course_id: str) -> dict[str, Any]:
    def count(condition: dict[str, Any]) -> dict[str, Any]:
        return {"$sum": {"$cond": [condition, 1, 0]}}

    stages: list[dict[str, Any]] = [
        {"$match": {"course_id": course_id, **IN_COURSE}},
        {
            "$group": {
                "_id": None,
                "learners": {"$sum": 1},
                "average_percent": {"$avg": "$percent"},
                "started": count({"$gt": ["$percent", 0]}),
                "completed": count({"$gte": ["$percent", 100]}),
            }
        },
        {"$unset": "_id"},
    ]
    nobody = {"learners": 0, "average_percent": None, "started": 0, "completed": 0}
    return next(outside_transaction(Member).aggregate(stages), nobody)


def _active(course_id: str, day: date) -> int:
    """How many learners had a visit on that day that any read has shown; whose access was revoked is no learner."""
    begin, end = midnight(day), midnight(day + timedelta(days=1))
    revoked = outside_transaction(Member).distinct("member_id", {"course_id": course_id, **ACCESS_REVOKED})
    seen = {"course_id": course_id, "last_seen_at": {"$gte": begin, "$lt": end}, "member_id": {"$nin": revoked}}
    stages: list[dict[str, Any]] = [
        {"$match": seen},
        {"$group": {"_id": "$member_id"}},
        {"$count": "learners"},
    ]
    return next(outside_transaction(ProgressEntry).aggregate(stages), {"learners": 0})["learners"]


def midnight(day: date) -> datetime:
    """When that day begins in TIME_ZONE; in UTC, in which days of 23 hours are counted rightly."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone()).astimezone(UTC)


def _figures_of(course_id: str, day: date) -> dict[str, Any] | None:
    return outside_transaction(DailyFigures).find_one({"_id": _key(course_id, day)}, ["revision"])


def _key(course_id: str, day: date) -> str:
    return f"{course_id}-{day.isoformat()}"
