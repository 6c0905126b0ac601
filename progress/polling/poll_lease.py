"""Who reads a course, and where the reading stands. All of it stands in the course's document.

A course is won by one conditional update that raises the fence; every later update names that fence,
so a poller that was overtaken changes nothing more.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coursehub import clock
from coursehub.leases import FencedLease, backoff
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress.polling import intervals, schedule

# Longer than any one call with its retries, since it is extended before each.
LEASE = FencedLease(until="poll_lease_until", fence="poll_fence", seconds=60)
_BACKOFF_SECONDS = [5, 15, 30, 60, 300, 900]


class LeaseLost(Exception):
    """Another poller has the course now; what this one read is void."""


@dataclass(frozen=True)
class Lease:
    """The right to write a course's rows, until another poller gets a higher fence; and where the reading stands."""

    course_id: str
    fence: int
    began_at: datetime
    offset: int  # the row at which an unfinished sweep goes on
    top_ms: int | None  # the watermark that an unfinished sweep will leave; None: a new read
    order: str
    watermark_ms: int | None
    unproven: int
    rows: int
    sweep_is_due: bool
    unreadable: str = ""  # what the course says of values that could not be read
    is_wanted: bool = False  # by a batch, which waits for the whole list

    @property
    def is_trusted(self) -> bool:
        """Whether the order by time has proven that it shows what is new."""
        return self.unproven == 0 and self.order != Course.Order.UNKNOWN

    @property
    def held(self) -> dict[str, Any]:
        """The filter that finds the course only while the lease is this one."""
        return {"course_id": self.course_id, "poll_fence": self.fence}


@dataclass(frozen=True)
class Sweep:
    """What a full read tells about reading this course."""

    calls: int
    rows: int
    unproven: int
    is_orderly: bool = True  # nobody can have been passed over


@dataclass(frozen=True)
class Done:
    """What a read leaves in the course's document; nothing given, nothing changed."""

    order: str | None = None
    watermark_ms: int | None = None
    active_at: datetime | None = None
    sweep: Sweep | None = None
    unreadable: str | None = None


def win(course_id: str, *, only_if_due: bool, afresh: bool) -> Lease | None:
    """Take the course if nobody reads it, and go on with its unfinished sweep unless `afresh`.

    A sweep that began before a batch asked for one is of no use to it, and gives way to a new one.
    """
    wanted: dict[str, Any] = {"course_id": course_id, "is_bundle": {"$ne": True}}
    if only_if_due:
        wanted |= {"poll_due_at": {"$type": "date"}, "$expr": clock.passed("poll_due_at")}
    is_of_no_use = {"$gt": ["$wanted_at", "$poll_began_at"]}
    new_sweep = {"$or": [afresh, is_of_no_use, {"$eq": [{"$ifNull": ["$poll_top_ms", None]}, None]}]}
    won = LEASE.win(
        outside_transaction(Course),
        wanted,
        poll_rung_at=None,
        poll_began_at={"$cond": [new_sweep, clock.server_now(), "$poll_began_at"]},
        poll_offset={"$cond": [new_sweep, 0, "$poll_offset"]},
        poll_top_ms={"$cond": [new_sweep, None, "$poll_top_ms"]},
    )
    return _lease(won, afresh=afresh) if won else None


def _lease(course: dict[str, Any], *, afresh: bool) -> Lease:
    began_at, swept_at = course["poll_began_at"], course.get("swept_at")
    order, unproven = course.get("poll_order", Course.Order.UNKNOWN), course.get("poll_unproven", 1)
    every_seconds = intervals.sweep_seconds(course.get("sweep_calls", 0))
    is_recent = swept_at is not None and (began_at - swept_at).total_seconds() < every_seconds
    return Lease(
        course_id=course["course_id"],
        fence=course["poll_fence"],
        began_at=began_at,
        offset=course["poll_offset"],
        top_ms=course["poll_top_ms"],
        order=order,
        watermark_ms=course.get("poll_watermark_ms"),
        unproven=unproven,
        rows=course.get("sweep_rows", 0),
        unreadable=course.get("unreadable", ""),
        is_wanted=course.get("wanted_since") is not None,
        sweep_is_due=afresh or unproven > 0 or order == Course.Order.UNKNOWN or not is_recent,
    )


def begin_sweep(lease: Lease, top_ms: int) -> None:
    """From now on this read is a full one, whoever goes on with it, and leaves this watermark. Raises LeaseLost."""
    _update(lease, {"poll_top_ms": top_ms})


def extend(lease: Lease) -> None:
    """Hold the course for as long again. Raises LeaseLost."""
    _update(lease, LEASE.extended())


def interrupt(lease: Lease, offset: int, *, go_on_after_seconds: float) -> None:
    """Give the course back in the middle of a sweep, which goes on at row `offset`. Raises LeaseLost."""
    _update(
        lease,
        {**LEASE.released(), "poll_offset": offset, "poll_due_at": clock.after(go_on_after_seconds)},
    )


def finish(lease: Lease, done: Done | None = None) -> None:
    """Give the course back after a complete read: its rows are as new as the read's begin. Raises LeaseLost."""
    took_ms = {"$subtract": [clock.server_now(), "$poll_began_at"]}
    values = {
        "polled_at": "$poll_began_at",
        "poll_seconds": {"$divide": [took_ms, 1000]},
        **LEASE.released(),
        "poll_offset": 0,
        "poll_top_ms": None,
        "poll_error": "",
        "poll_failures": 0,
        "poll_not_before": None,
        "awaits_tokens_since": None,
        **_learnt(done or Done()),
    }
    _update(lease, values, {"poll_due_at": schedule.next_due_at()})


def _learnt(done: Done) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if done.order is not None:
        values["poll_order"] = done.order
    if done.watermark_ms is not None:
        values["poll_watermark_ms"] = done.watermark_ms
    if done.unreadable is not None:
        values["unreadable"] = {"$literal": done.unreadable}
    if done.active_at is not None:
        # A clock of the other side that runs ahead says nothing about the future.
        values["active_at"] = {"$max": ["$active_at", {"$min": [done.active_at, "$poll_began_at"]}]}
    if done.sweep is not None:
        values |= {
            "swept_at": "$poll_began_at",
            "swept_amiss": not done.sweep.is_orderly,
            "sweep_calls": done.sweep.calls,
            "sweep_rows": done.sweep.rows,
            "poll_unproven": done.sweep.unproven,
            **_wish_met(),
        }
    return values


def _wish_met() -> dict[str, Any]:
    """A full read is what batches waited for, unless one asked while it was under way."""
    asked_meanwhile = {"$gt": ["$wanted_since", "$poll_began_at"]}
    return {name: {"$cond": [asked_meanwhile, f"${name}", None]} for name in ("wanted_since", "wanted_at")}


def fail(lease: Lease, sentence: str, *, wait_seconds: float = 0, awaits_tokens: bool = False) -> None:
    """Give the course back with what went wrong; the pause grows with each failure in a row. Raises LeaseLost.

    `awaits_tokens`: the pause ends, too, when there are tokens again (`schedule.wake`).
    """
    next_at = clock.after({"$max": [backoff("poll_failures", _BACKOFF_SECONDS), wait_seconds]})
    _update(
        lease,
        {
            "poll_error": {"$literal": sentence[:300]},
            "poll_failures": {"$add": [{"$ifNull": ["$poll_failures", 0]}, 1]},
            "poll_not_before": next_at,
            "poll_due_at": next_at,
            "awaits_tokens_since": clock.server_now() if awaits_tokens else None,
            **LEASE.released(),
        },
    )


def _update(lease: Lease, *steps: dict[str, Any]) -> None:
    """Each step sees what the one before has set."""
    if not LEASE.write(outside_transaction(Course), lease.held, *steps):
        raise LeaseLost(lease.course_id)
