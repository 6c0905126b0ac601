"""How old a course's data may grow before it is read again.

Watched courses follow the age limit. Others are read as often as something happens in them: one whose
learners were last active an hour ago is read an hour after that, within bounds; and less often when
the call budget is short. Expressions are MongoDB's, over a course's document.
"""

import math
from typing import Any

from django.conf import settings

from coursehub import clock, rate_limit
from coursehub.models import Course
from coursehub.mongo import outside_transaction

_LONGEST_MARGIN_SECONDS = 15.0
# The most lively course that nobody watches is read this much more often than an idle one.
_LIVELY_PART = 12
# Full reads are the safety net of the others: they take at most this part of the budget, and no more than needed.
_SWEEPS_BUDGET_PART = 20
_SWEEP_SECONDS_MIN = 1800.0
# A course that can only be read in full takes at most this part of the budget, however many learners it has.
_ONE_COURSE_BUDGET_PART = 4


def watched_seconds() -> float:
    """The age at which a watched course is due: early enough to be read before the age limit."""
    limit_seconds = settings.PROGRESS_WATCHED_SECONDS
    return limit_seconds - min(_LONGEST_MARGIN_SECONDS, limit_seconds / 4)


def watched_ms() -> dict[str, Any]:
    """The expression for `watched_seconds` of one course: longer where every read is a long one."""
    of_budget_ms = round(_ONE_COURSE_BUDGET_PART * rate_limit.interval_seconds() * 1000)
    affordable = {"$multiply": [{"$ifNull": ["$sweep_calls", 0]}, of_budget_ms]}
    in_full = {"$or": [{"$gt": ["$poll_unproven", 0]}, {"$eq": ["$poll_order", Course.Order.UNKNOWN]}]}
    limit_ms = round(watched_seconds() * 1000)
    return {"$cond": [in_full, {"$max": [limit_ms, affordable]}, limit_ms]}


def unwatched_ms() -> dict[str, Any]:
    """The expression for the age at which a course is due that nobody watches."""
    idle_ms = settings.PROGRESS_IDLE_SECONDS * 1000
    quiet_ms = {"$subtract": [clock.server_now(), "$active_at"]}
    lively = {"$max": [quiet_ms, idle_ms // _LIVELY_PART]}
    return {"$min": [{"$multiply": [lively, _shortage()]}, idle_ms]}


def age_seconds(course: Course) -> float:
    """The age that a watched course's data reaches before it is renewed: its interval, and the time a read takes."""
    interval_seconds = watched_seconds()
    if course.reads_in_full:
        affordable_seconds = _ONE_COURSE_BUDGET_PART * rate_limit.interval_seconds() * course.sweep_calls
        interval_seconds = max(interval_seconds, affordable_seconds)
    return interval_seconds + course.poll_seconds


def minutes_beyond_the_limit(course: Course) -> int | None:
    """How old, in minutes, a watched course's data gets where that is more than it should be; None where it is not."""
    seconds = age_seconds(course)
    return math.ceil(seconds / 60) if seconds > settings.PROGRESS_WATCHED_SECONDS else None


def sweep_seconds(sweep_calls: int) -> float:
    """How long after a full read, of so many calls, the next one is due."""
    return max(_SWEEP_SECONDS_MIN, _SWEEPS_BUDGET_PART * rate_limit.interval_seconds() * sweep_calls)


def _shortage() -> float:
    """How many times the calls that all courses ask for are those that progress may make; at least 1.

    Reckoned from the intervals that stand in the courses, so it settles as they are read.
    """
    interval_seconds = rate_limit.interval_seconds()
    if not interval_seconds:
        return 1.0
    wait_seconds = {"$divide": [{"$subtract": ["$poll_due_at", "$polled_at"]}, 1000]}
    in_full = {"$gte": [wait_seconds, _SWEEP_SECONDS_MIN]}
    calls = {"$cond": [in_full, {"$add": [{"$ifNull": ["$sweep_calls", 0]}, 1]}, 1]}
    calls_per_second = {"$divide": [calls, {"$max": [wait_seconds, 1]}]}
    stages: list[dict[str, Any]] = [
        {"$match": {"gone_at": None, "polled_at": {"$ne": None}, "poll_due_at": {"$ne": None}}},
        {"$group": {"_id": None, "calls_per_second": {"$sum": calls_per_second}}},
    ]
    wanted = next(outside_transaction(Course).aggregate(stages), {"calls_per_second": 0.0})["calls_per_second"]
    return max(1.0, wanted * interval_seconds / settings.PROGRESS_LANE_SHARE)
