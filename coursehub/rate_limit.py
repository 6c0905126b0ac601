"""One call budget for the whole academy, shared by every process on every host.

A slot is drawn from one document by one conditional update, by MongoDB's clock: slots are evenly
spaced, so no sliding minute ever holds more calls than the budget. A lock-out moves the next slot.

Two lanes share the slots. While both want calls, progress gets PROGRESS_LANE_SHARE of them and
invitations the rest: of two lanes that wait, the one that has had more than its share lets the other go
first. What an idle lane does not ask for is free to the other.
"""

import random
import threading
import time
from typing import Any

from django.conf import settings
from pymongo import ReturnDocument

from coursehub import academy, call_counts, clock, throttles
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.throttles import BUDGET as _BUDGET
from coursehub.throttles import THE_ONE as _THE_ONE
from coursehub.throttles import Turn
from coursehub.trainercentral import errors

INVITATIONS, PROGRESS = "invitations", "progress"
_LOOK_AHEAD_SECONDS = 2.0
_ASK_AGAIN_SECONDS = 0.25
# What a call takes at least, for those who ask how long it will be.
_CALL_SECONDS = 0.3
# A lane that was refused a slot this recently still wants one; longer than any caller's pause between two tries.
_WAITING_SECONDS = 1.5
# Without a budget only a pause holds calls up; each process looks so often whether there is one.
_REREAD_SECONDS = 0.1
_reserved = threading.local()


class NoSlotInTime(Exception):
    """The budget has no slot before the caller's own deadline, so no call was made."""


def interval_seconds() -> float:
    """The distance of two slots: a minute and the network's jitter, shared out; 0 without a budget."""
    calls_per_minute = settings.TRAINERCENTRAL_CALLS_PER_MINUTE
    return (60 + settings.PACING_JITTER_SECONDS) / calls_per_minute if calls_per_minute else 0.0


def wait_for_slot(lane: str, endpoint: str = "") -> None:
    """Sleep until this caller's slot, however long that takes; spends a reserved slot if there is one.

    After a throttle one caller of the `endpoint` goes first, and the others draw anew when it was answered.
    Raises pymongo's error when MongoDB cannot be reached: no slot, no call. Raises NoSlotInTime in a thread
    that set `give_up_at`.
    """
    while True:
        _refuse_if_late()
        if not _reserved.__dict__.pop("slot", None):
            _sleep_until_slot(lane)
        if not (_reserved.in_a_row or throttles.noted_since(_reserved.drawn_at)):
            return
        waited = False
        while throttles.turn(endpoint) is Turn.WAIT:
            waited = True
            time.sleep(min(random.uniform(0.5, 1) * _ASK_AGAIN_SECONDS, _left_seconds()))  # noqa: S311
            _refuse_if_late()
        if not waited:
            return


def _sleep_until_slot(lane: str) -> None:
    while (wait_seconds := draw_slot(lane, within_seconds=min(_LOOK_AHEAD_SECONDS, _left_seconds()))) is None:
        _refuse_if_late()
        time.sleep(min(random.uniform(0.25, 0.5) * _LOOK_AHEAD_SECONDS, _left_seconds()))  # noqa: S311
    time.sleep(wait_seconds)
    _refuse_if_late()


def expected_seconds(lane: str, calls: int) -> float:
    """How long so many calls of a lane take, one after the other, as budget, pauses and the other lane stand now."""
    interval = interval_seconds()
    now, since = clock.server_now(), clock.after(-_WAITING_SECONDS)
    other = PROGRESS if lane == INVITATIONS else INVITATIONS
    held_ms = {"$max": [0, {"$subtract": [{"$max": ["$next_at", "$paused_until"]}, now]}]}
    shares = {"$or": [{"$gt": [f"$waiting_since.{other}", since]}, {"$gt": [f"$due.{other}", now]}]}
    budget = outside_transaction(_BUDGET).find_one(_THE_ONE, {"held_ms": held_ms, "shares": shares}) or {}
    each = max(_CALL_SECONDS, interval / _share(lane) if budget.get("shares") else interval)
    return (budget.get("held_ms") or 0) / 1000 + calls * each


def give_up_at(moment: float | None) -> None:
    """From `moment` on (monotonic seconds; None: never) this thread's `wait_for_slot` gives up.

    For callers whose right to call ends by itself, such as a lease.
    """
    _reserved.gives_up_at = moment


def reserve_slot(lane: str, *, within_seconds: float) -> bool:
    """Sleep until a slot that begins within `within_seconds`, for this thread's next `wait_for_slot`.

    False, with nothing drawn, when there is none. A caller that must not hold anything while it waits for
    its turn reserves first and takes its work after.
    """
    gives_up_at = time.monotonic() + within_seconds
    while True:
        left_seconds = max(0.0, gives_up_at - time.monotonic())
        wait_seconds, yielded = _drawn(lane, left_seconds)
        if wait_seconds is not None:
            time.sleep(wait_seconds)
            _reserved.slot = True
            return True
        if not yielded or left_seconds <= _ASK_AGAIN_SECONDS:
            return False
        time.sleep(_ASK_AGAIN_SECONDS)


def draw_slot(lane: str, *, within_seconds: float) -> float | None:
    """Take the next free slot if it begins within `within_seconds`; returns the seconds until then.

    None, too, while the other lane waits and this one has had more than its share.
    """
    return _drawn(lane, within_seconds)[0]


def _drawn(lane: str, within_seconds: float) -> tuple[float | None, bool]:
    """The seconds until the slot, or None; and whether it was left to the other lane."""
    _reserved.in_a_row, _reserved.drawn_at = 0, time.monotonic()
    if not interval_seconds():
        left_seconds = _pause_left_seconds()
        return (left_seconds if left_seconds <= within_seconds else None), False
    drawn = outside_transaction(_BUDGET).find_one_and_update(
        _THE_ONE, _draw(lane, within_seconds), upsert=True, return_document=ReturnDocument.AFTER
    )
    _reserved.in_a_row = (drawn or {}).get("throttles", 0)
    if not drawn or drawn["slot"] is None:
        return None, bool(drawn and drawn["yielded"])
    return (drawn["slot"] - drawn["drawn_at"]).total_seconds(), False


def _draw(lane: str, within_seconds: float) -> list[Document]:
    """The update that takes the slot if it is near enough and this lane's turn, and leaves `slot` empty if not."""
    gap_ms, own_gap_ms = round(interval_seconds() * 1000), round(interval_seconds() * 1000 / _share(lane))
    other = PROGRESS if lane == INVITATIONS else INVITATIONS
    free = {"$max": [clock.server_now(), "$next_at", "$paused_until"]}
    other_waits = {"$gt": [f"$waiting_since.{other}", clock.after(-_WAITING_SECONDS)]}
    had_more = {"$gt": [_due(lane), _due(other)]}
    taken = {"$ne": ["$slot", None]}
    # A lane alone runs up no debt: it is reckoned from the slot it takes.
    reckoned_from = {"$cond": [other_waits, _due(lane), "$slot"]}
    return [
        {"$set": {"near": {"$lte": [free, clock.after(within_seconds)]}, "yielded": {"$and": [other_waits, had_more]}}},
        {
            "$set": {
                "slot": {"$cond": [{"$and": ["$near", {"$not": ["$yielded"]}]}, free, None]},
                "yielded": {"$and": ["$near", "$yielded"]},
                "drawn_at": clock.server_now(),
            }
        },
        {
            "$set": {
                "next_at": {"$cond": [taken, {"$add": ["$slot", gap_ms]}, "$next_at"]},
                f"due.{lane}": {"$cond": [taken, {"$add": [reckoned_from, own_gap_ms]}, f"$due.{lane}"]},
                f"waiting_since.{lane}": {"$cond": [taken, None, clock.server_now()]},
                f"calls.{lane}": {"$add": [{"$ifNull": [f"$calls.{lane}", 0]}, {"$cond": [taken, 1, 0]}]},
                "minute": {"$cond": [taken, call_counts.counted("$slot"), "$minute"]},
            }
        },
    ]


def _due(lane: str) -> dict[str, Any]:
    """When this lane's share entitles it to its next slot; never in the past, since credit is not saved up."""
    return {"$max": [clock.server_now(), f"$due.{lane}"]}


def _share(lane: str) -> float:
    return settings.PROGRESS_LANE_SHARE if lane == PROGRESS else 1 - settings.PROGRESS_LANE_SHARE


def _refuse_if_late() -> None:
    if _left_seconds() <= 0:
        raise NoSlotInTime


def _left_seconds() -> float:
    moment = getattr(_reserved, "gives_up_at", None)
    return float("inf") if moment is None else max(0.0, moment - time.monotonic())


class _Looked:
    """Of this process: when the last look began that saw no pause, by the machine's clock.

    Not when it ended: a throttle noted meanwhile would be overlooked.
    """

    free_at: float | None = None


def _pause_left_seconds() -> float:
    """How long the lock-out lasts, 0 when there is none; a read only, by MongoDB's clock."""
    looked_at, free_at = time.monotonic(), _Looked.free_at
    if free_at is not None and looked_at - free_at < _REREAD_SECONDS and not throttles.noted_since(free_at):
        return 0.0
    left_ms = {"$max": [0, {"$subtract": ["$paused_until", clock.server_now()]}]}
    budget = outside_transaction(_BUDGET).find_one(_THE_ONE, {"left_ms": left_ms, "throttles": 1}) or {}
    left_seconds: float = budget.get("left_ms", 0) / 1000
    _reserved.in_a_row = budget.get("throttles", 0)
    _Looked.free_at = None if left_seconds or _reserved.in_a_row else looked_at
    return left_seconds


def pause(seconds: float) -> None:
    """Nobody draws a slot that begins within `seconds` from now: the provider asked us to wait."""
    outside_transaction(_BUDGET).update_one(
        _THE_ONE, [{"$set": {"paused_until": {"$max": ["$paused_until", clock.after(seconds)]}}}], upsert=True
    )
    _Looked.free_at = None


def throttled(error: errors.Throttled) -> float:
    """Pause everybody for as long as a throttled answer asks, longer while throttled in a row; returns the seconds.

    May be told of the same answer twice: during a pause only a longer wait changes anything.
    """
    if throttles.in_a_row() == 0:  # a call of a row says nothing of the pace at which the academy throttles
        academy.throttled(calls_within_a_minute=call_counts.within_a_minute(_BUDGET, _THE_ONE))
    return throttles.note(error)


def called(endpoint: str, error: errors.TrainerCentralError | None) -> None:
    """Tell of the outcome of each call: after a throttle the others wait for it."""
    if isinstance(error, errors.Throttled):
        throttled(error)
    else:
        throttles.called(endpoint, error)
