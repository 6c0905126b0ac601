"""When a course is read: viewers, hints and intervals make it due, and the ticker tells the workers.

A course is due when its `poll_due_at` has come.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress.polling import intervals

# How long a viewer's interest counts without being renewed.
WATCHED_FOR_SECONDS = 30
# A course that a worker was told about and that is still due after this long is told again.
RING_AGAIN_SECONDS = 15
# One that nobody waits for may itself wait in the queue for others.
RING_UNWATCHED_AGAIN_SECONDS = 120
# A hint from outside is worth a call, but not one every second.
HINT_SECONDS = 10
_RINGS_AT_ONCE = 50
# In the queue: what a batch waits for is before all other reads, and what only the clock asks for a minute later.
_BATCH_HEAD_START_SECONDS, _CLOCK_HEAD_START_SECONDS = 3600.0, -60.0
# Reads that are under way first, then those that have been due for longest.
_IN_ORDER_OF_TIME = (("poll_top_ms", -1), ("poll_due_at", 1))
_IN_ORDER_OF_WISHES = (("wanted_at", 1),)


def due(told_before_seconds: float = RING_AGAIN_SECONDS) -> dict[str, Any]:
    """The filter for courses whose members should be read now, and of which no worker was told lately."""
    return {
        "poll_due_at": {"$type": "date"},
        "gone_at": None,
        "is_bundle": {"$ne": True},
        "$expr": {
            "$and": [
                clock.passed("poll_due_at"),
                clock.passed("poll_lease_until"),
                {"$lte": [{"$ifNull": ["$poll_rung_at", 0]}, clock.after(-told_before_seconds)]},
            ]
        },
    }


def ring_due() -> dict[str, float]:
    """The courses that a worker should be told about now, with the head start of each in the queue, in seconds.

    First those that batches wait for, then those that are watched or hinted at: all of them. Of the others no
    more than leave a task process free, so that what people wait for need not wait for the clock. Each is named
    once per RING_AGAIN_SECONDS.
    """
    by_batch = {"wanted_since": {"$type": "date"}}
    by_people = {"$or": [clock.is_ahead("watched_until"), {"$gt": ["$hinted_at", "$polled_at"]}]}
    by_clock = {"$and": [{"$not": by_people}, {"$eq": [{"$ifNull": ["$wanted_since", None]}, None]}]}
    rung = dict.fromkeys(_ring({**due(), **by_batch}, _RINGS_AT_ONCE, _IN_ORDER_OF_WISHES), _BATCH_HEAD_START_SECONDS)
    rung |= dict.fromkeys(_ring({**due(), "$and": [{"$expr": by_people}]}, _RINGS_AT_ONCE), 0.0)
    others = {**due(RING_UNWATCHED_AGAIN_SECONDS), "$and": [{"$expr": by_clock}]}
    if outside_transaction(Course).count_documents(others, limit=1):
        at_most = max(1, settings.WORKER_PROCESSES - 1) - _under_way(by_clock)
        rung |= dict.fromkeys(_ring(others, at_most), _CLOCK_HEAD_START_SECONDS)
    return rung


def _ring(wanted: dict[str, Any], at_most: int, order: Sequence[tuple[str, int]] = _IN_ORDER_OF_TIME) -> list[str]:
    """Tell of so many, in that order."""
    courses, rung = outside_transaction(Course), []
    if at_most < 1:
        return []
    for found in courses.find(wanted, ["course_id"]).sort(order).limit(at_most):
        told = courses.update_one({**wanted, "_id": found["_id"]}, [{"$set": {"poll_rung_at": clock.server_now()}}])
        if told.modified_count:
            rung.append(found["course_id"])
    return rung


def _under_way(condition: dict[str, Any]) -> int:
    """Courses that are being read now, or that a worker was told about and has not begun with."""
    read = clock.is_ahead("poll_lease_until")
    rung = {"$gt": ["$poll_rung_at", clock.after(-RING_UNWATCHED_AGAIN_SECONDS)]}
    return outside_transaction(Course).count_documents({"$expr": {"$and": [condition, {"$or": [read, rung]}]}})


def watching(course_ids: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The filter and the update that note viewers of these courses, in this process or any other.

    A course whose data is older than watched courses may be becomes due at once; trouble with the
    remote side keeps its pause.
    """
    wanted_at = {"$ifNull": [{"$add": ["$polled_at", intervals.watched_ms()]}, clock.server_now()]}
    due_at = {"$max": [{"$min": ["$poll_due_at", wanted_at]}, "$poll_not_before"]}
    fresh_enough = {"$gt": ["$watched_until", clock.after(WATCHED_FOR_SECONDS / 2)]}
    return (
        {"course_id": {"$in": course_ids}, "$expr": {"$not": fresh_enough}},
        [{"$set": {"watched_until": clock.after(WATCHED_FOR_SECONDS), "poll_due_at": due_at}}],
    )


def hint(course_id: str) -> bool:
    """Somebody says that the course has news: it is due now, but for HINT_SECONDS after its last read began.

    False for a course that is not there. Trouble with the remote side keeps its pause.
    """
    soonest = {"$max": [clock.server_now(), {"$add": ["$polled_at", HINT_SECONDS * 1000]}, "$poll_not_before"]}
    due_at = {"$min": [{"$ifNull": ["$poll_due_at", soonest]}, soonest]}
    hinted = outside_transaction(Course).update_one(
        {"course_id": course_id, "gone_at": None}, [{"$set": {"poll_due_at": due_at, "hinted_at": clock.server_now()}}]
    )
    return hinted.matched_count == 1


def wake(usable_since: datetime) -> None:
    """Courses that were put off for want of tokens before that moment are due now, as if nothing had failed."""
    outside_transaction(Course).update_many(
        {"awaits_tokens_since": {"$lte": usable_since}},
        [
            {
                "$set": {
                    "poll_due_at": clock.server_now(),
                    "poll_not_before": None,
                    "poll_failures": 0,
                    "poll_rung_at": None,
                    "awaits_tokens_since": None,
                }
            }
        ],
    )


def next_due_at() -> dict[str, Any]:
    """The expression for when a course is due that was just read."""
    watched = clock.is_ahead("watched_until")
    interval_ms = {"$cond": [watched, intervals.watched_ms(), intervals.unwatched_ms()]}
    # A hint that came while it was read may be about what was read before.
    hinted_meanwhile = {"$gt": ["$hinted_at", "$poll_began_at"]}
    after_ms = {"$cond": [hinted_meanwhile, HINT_SECONDS * 1000, interval_ms]}
    # A batch waits for a read that begins later, or for a full one.
    still_wanted = {"$eq": [{"$type": "$wanted_since"}, "date"]}
    return {"$cond": [still_wanted, clock.server_now(), {"$add": ["$poll_began_at", after_ms]}]}
