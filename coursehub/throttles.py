"""The row of throttles: how long everybody waits after one, and who tries first when the wait is over.

It stands on the document of the call budget. Waits grow while one wait after the other ends in a throttle;
throttles that come during a wait (of calls that were under way) belong to it and do not lengthen the row.
After a wait one caller of a throttled endpoint goes first, and the others follow when it was answered: of
all threads and processes one call at most is throttled per wait.
"""

import threading
import time
from enum import Enum
from typing import Any

from pymongo import ReturnDocument

from coursehub import clock
from coursehub.leases import backoff
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors

BUDGET = "coursehub_callbudget"
THE_ONE = {"_id": "academy"}
WAIT_SECONDS = (5, 15, 60, 300, 900, 1800)  # after the first, second, ... throttle in a row
_LONGEST_TOLD_SECONDS = 7200.0  # a longer wait is not theirs to command: trying costs one call
# How long whoever goes first may take: longer than a call with its time-outs.
_FIRST_SECONDS = 45.0
# There was no answer, so nothing is known of the limit.
_SILENCE = (errors.Unreachable, errors.Unanswered, errors.TokenUnavailable)
_mine = threading.local()


class _Here:
    """Of this process: when it last noted a throttle, by the machine's clock."""

    noted_at = float("-inf")


class Turn(Enum):
    """Whether this thread may call now."""

    FREE = "call: the endpoint is not in doubt"
    FIRST = "call: the others wait for the answer"
    WAIT = "somebody else goes first, or all wait"


def note(error: errors.Throttled) -> float:
    """A call was throttled: everybody waits. Returns for how many seconds from now."""
    _mine.goes_first_until, _Here.noted_at = 0.0, time.monotonic()
    try:
        return _noted(error)
    finally:
        _Here.noted_at = time.monotonic()  # who looked meanwhile may have seen it or not


def _noted(error: errors.Throttled) -> float:
    told_seconds = min(error.wait_seconds, _LONGEST_TOLD_SECONDS) if error.wait_told else 0.0
    ends_a_wait = clock.passed("paused_until")
    count = {"$ifNull": ["$throttles", 0]}
    step = backoff("throttles", WAIT_SECONDS, counted=True)
    wait_seconds = {"$cond": ["$ends_a_wait", {"$max": [step, told_seconds]}, told_seconds]}
    until = clock.after(wait_seconds)
    longer = {"$min": [{"$add": [count, 1]}, len(WAIT_SECONDS)]}
    budget = outside_transaction(BUDGET).find_one_and_update(
        THE_ONE,
        [
            {"$set": {"ends_a_wait": ends_a_wait}},
            {"$set": {"throttles": {"$cond": ["$ends_a_wait", longer, {"$max": [count, 1]}]}}},
            {
                "$set": {
                    "paused_until": {"$max": ["$paused_until", until]},
                    "throttled": {"$setUnion": [{"$ifNull": ["$throttled", []]}, [{"$literal": error.endpoint}]]},
                    "first_until": None,
                    "throttled_at": clock.server_now(),
                }
            },
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return (budget["paused_until"] - budget["throttled_at"]).total_seconds() if budget else told_seconds


def in_a_row() -> int:
    """How many waits in a row ended in a throttle; 0 while nothing is in doubt."""
    throttles: int = (outside_transaction(BUDGET).find_one(THE_ONE, ["throttles"]) or {}).get("throttles", 0)
    return throttles


def turn(endpoint: str) -> Turn:
    """Ask before a call while there is a row of throttles. FIRST is won by one thread at a time."""
    if _goes_first():
        return Turn.FIRST
    wins = {"$and": [_in_doubt(endpoint), clock.passed("first_until")]}
    may_go = clock.passed("paused_until")
    budget = outside_transaction(BUDGET).find_one_and_update(
        THE_ONE,
        [
            {"$set": {"may_go": may_go, "won": {"$and": [may_go, wins]}, "in_doubt": _in_doubt(endpoint)}},
            {"$set": {"first_until": {"$cond": ["$won", clock.after(_FIRST_SECONDS), "$first_until"]}}},
        ],
        projection=["may_go", "won", "in_doubt"],
        return_document=ReturnDocument.AFTER,
    )
    if not budget or (budget["may_go"] and not budget["in_doubt"]):
        return Turn.FREE
    if not budget["won"]:
        return Turn.WAIT
    _mine.goes_first_until = time.monotonic() + _FIRST_SECONDS
    return Turn.FIRST


def called(endpoint: str, error: errors.TrainerCentralError | None) -> None:
    """The outcome of this thread's call, other than Throttled. Costs nothing unless this thread went first."""
    if not _goes_first():
        return
    _mine.goes_first_until = 0.0
    free: dict[str, Any] = {"first_until": None}
    if not isinstance(error, _SILENCE) and type(error) is not errors.OutcomeUnknown:
        left = {"$setDifference": [{"$ifNull": ["$throttled", []]}, [{"$literal": endpoint}, ""]]}
        free |= {"throttled": left, "throttles": {"$cond": [{"$eq": [left, []]}, 0, "$throttles"]}}
    outside_transaction(BUDGET).update_one(THE_ONE, [{"$set": free}])


def noted_since(moment: float) -> bool:
    """Whether this process noted a throttle since `moment` (monotonic seconds)."""
    return _Here.noted_at >= moment


def _goes_first() -> bool:
    return getattr(_mine, "goes_first_until", 0.0) > time.monotonic()


def _in_doubt(endpoint: str) -> dict[str, Any]:
    """Whether the last calls of this endpoint were throttled; one without a name stands for all."""
    throttled = {"$ifNull": ["$throttled", []]}
    named = {
        "$or": [{"$in": [{"$literal": endpoint}, throttled]}, {"$in": ["", throttled]}, {"$literal": not endpoint}]
    }
    return {"$and": [{"$gt": [{"$ifNull": ["$throttles", 0]}, 0]}, named]}
