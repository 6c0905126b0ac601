"""When a course is read, and by whom. All of it stands in the course's document.

A course is due when `poll_due_at` has come. It is won by one conditional update that raises the
fence; every later update names that fence, so a poller that was overtaken changes nothing more.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from pymongo import ReturnDocument

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction

# Longer than any one call with its retries, since it is extended before each.
LEASE_SECONDS = 60
# How long a viewer's interest counts without being renewed.
WATCHED_FOR_SECONDS = 30
# A course that a worker was told about and that is still due after this long is told again.
RING_AGAIN_SECONDS = 15
_RINGS_AT_ONCE = 50
_LONGEST_MARGIN_SECONDS = 15.0
_BACKOFF_SECONDS = [5, 15, 30, 60, 300, 900]


def _passed(deadline: str) -> dict[str, Any]:
    """The expression for: this deadline has passed, or was never set."""
    return {"$lte": [{"$ifNull": [deadline, 0]}, clock.server_now()]}


def due() -> dict[str, Any]:
    """The filter for courses whose members should be read now, and of which no worker was told lately."""
    return {
        "poll_due_at": {"$type": "date"},
        "gone_at": None,
        "$expr": {
            "$and": [
                {"$lte": ["$poll_due_at", clock.server_now()]},
                _passed("$poll_lease_until"),
                {"$lte": [{"$ifNull": ["$poll_rung_at", 0]}, clock.after(-RING_AGAIN_SECONDS)]},
            ]
        },
    }


class LeaseLost(Exception):
    """Another poller has the course now; what this one read is void."""


@dataclass(frozen=True)
class Lease:
    """The right to write a course's rows, until another poller gets a higher fence."""

    course_id: str
    fence: int
    offset: int  # the row at which an unfinished sweep goes on

    @property
    def held(self) -> dict[str, Any]:
        """The filter that finds the course only while the lease is this one."""
        return {"course_id": self.course_id, "poll_fence": self.fence}


def watched_interval_seconds() -> float:
    """The age at which a watched course is due: early enough to be read before the age limit."""
    limit_seconds = settings.PROGRESS_WATCHED_SECONDS
    return limit_seconds - min(_LONGEST_MARGIN_SECONDS, limit_seconds / 4)


def ring_due() -> list[str]:
    """The ids of courses that a worker should be told about now; each is named once per RING_AGAIN_SECONDS."""
    courses = outside_transaction(Course)
    rung = []
    for found in courses.find(due(), ["course_id"]).sort("poll_due_at", 1).limit(_RINGS_AT_ONCE):
        told = courses.update_one({**due(), "_id": found["_id"]}, [{"$set": {"poll_rung_at": clock.server_now()}}])
        if told.modified_count:
            rung.append(found["course_id"])
    return rung


def watching(course_ids: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The filter and the update that note viewers of these courses, in this process or any other.

    A course whose data is older than watched courses may be becomes due at once; trouble with the
    remote side keeps its pause.
    """
    interval_ms = round(watched_interval_seconds() * 1000)
    wanted_at = {"$ifNull": [{"$add": ["$polled_at", interval_ms]}, clock.server_now()]}
    due_at = {"$max": [{"$min": ["$poll_due_at", wanted_at]}, "$poll_not_before"]}
    fresh_enough = {"$gt": ["$watched_until", clock.after(WATCHED_FOR_SECONDS / 2)]}
    return (
        {"course_id": {"$in": course_ids}, "$expr": {"$not": fresh_enough}},
        [{"$set": {"watched_until": clock.after(WATCHED_FOR_SECONDS), "poll_due_at": due_at}}],
    )


def win(course_id: str, *, only_if_due: bool, afresh: bool) -> Lease | None:
    """Take the course if nobody reads it, and go on with its unfinished sweep unless `afresh`."""
    conditions = [_passed("$poll_lease_until")]
    if only_if_due:
        conditions += [{"$eq": [{"$type": "$poll_due_at"}, "date"]}, _passed("$poll_due_at")]
    new_sweep = {"$or": [afresh, {"$not": ["$poll_offset"]}]}
    won = outside_transaction(Course).find_one_and_update(
        {"course_id": course_id, "$expr": {"$and": conditions}},
        [
            {
                "$set": {
                    "poll_fence": {"$add": ["$poll_fence", 1]},
                    "poll_lease_until": clock.after(LEASE_SECONDS),
                    "poll_rung_at": None,
                    "poll_began_at": {"$cond": [new_sweep, clock.server_now(), "$poll_began_at"]},
                    "poll_offset": {"$cond": [new_sweep, 0, "$poll_offset"]},
                }
            }
        ],
        return_document=ReturnDocument.AFTER,
    )
    return Lease(course_id, won["poll_fence"], won["poll_offset"]) if won else None


def extend(lease: Lease) -> None:
    """Hold the course for another LEASE_SECONDS. Raises LeaseLost."""
    _update(lease, {"poll_lease_until": clock.after(LEASE_SECONDS)})


def interrupt(lease: Lease, offset: int, *, go_on_after_seconds: float) -> None:
    """Give the course back in the middle of a sweep, which goes on at row `offset`. Raises LeaseLost."""
    _update(
        lease,
        {"poll_lease_until": None, "poll_offset": offset, "poll_due_at": clock.after(go_on_after_seconds)},
    )


def finish(lease: Lease) -> None:
    """Give the course back after a complete sweep: its rows are as new as the sweep's begin. Raises LeaseLost."""
    idle = {"$add": ["$poll_began_at", settings.PROGRESS_IDLE_SECONDS * 1000]}
    watched = {"$add": ["$poll_began_at", round(watched_interval_seconds() * 1000)]}
    _update(
        lease,
        {
            "polled_at": "$poll_began_at",
            "poll_due_at": {"$cond": [{"$gt": ["$watched_until", clock.server_now()]}, watched, idle]},
            "poll_lease_until": None,
            "poll_offset": 0,
            "poll_error": "",
            "poll_failures": 0,
            "poll_not_before": None,
        },
    )


def fail(lease: Lease, sentence: str, *, wait_seconds: float = 0) -> None:
    """Give the course back with what went wrong; the pause grows with each failure in a row. Raises LeaseLost."""
    step = {"$min": [{"$ifNull": ["$poll_failures", 0]}, len(_BACKOFF_SECONDS) - 1]}
    pause = {"$max": [{"$arrayElemAt": [_BACKOFF_SECONDS, step]}, wait_seconds]}
    next_at = {"$add": [clock.server_now(), {"$multiply": [pause, 1000]}]}
    _update(
        lease,
        {
            "poll_error": {"$literal": sentence[:300]},
            "poll_failures": {"$add": [{"$ifNull": ["$poll_failures", 0]}, 1]},
            "poll_not_before": next_at,
            "poll_due_at": next_at,
            "poll_lease_until": None,
        },
    )


def _update(lease: Lease, values: dict[str, Any]) -> None:
    if not outside_transaction(Course).update_one(lease.held, [{"$set": values}]).matched_count:
        raise LeaseLost(lease.course_id)
