"""One call budget for the whole academy, shared by every process on every host.

A slot is drawn from one document by one conditional update, by MongoDB's clock: slots are evenly
spaced, so no sliding minute ever holds more calls than the budget. A lock-out moves the next slot.
"""

import random
import threading
import time

from django.conf import settings
from pymongo import ReturnDocument

from coursehub import clock
from coursehub.mongo import outside_transaction

INVITATIONS, PROGRESS = "invitations", "progress"
_BUDGET = "coursehub_callbudget"
_THE_ONE = {"_id": "academy"}
_LOOK_AHEAD_SECONDS = 2.0
_reserved = threading.local()


def interval_seconds() -> float:
    """The distance of two slots: a minute and the network's jitter, shared out; 0 without a budget."""
    calls_per_minute = settings.TRAINERCENTRAL_CALLS_PER_MINUTE
    return (60 + settings.PACING_JITTER_SECONDS) / calls_per_minute if calls_per_minute else 0.0


def wait_for_slot(lane: str) -> None:
    """Sleep until this caller's slot, however long that takes; spends a reserved slot if there is one.

    Raises pymongo's error when MongoDB cannot be reached: no slot, no call.
    """
    if _reserved.__dict__.pop("slot", None):
        return
    while (wait_seconds := draw_slot(lane, within_seconds=_LOOK_AHEAD_SECONDS)) is None:
        time.sleep(random.uniform(0.5, 1) * _LOOK_AHEAD_SECONDS)  # noqa: S311
    time.sleep(wait_seconds)


def reserve_slot(lane: str, *, within_seconds: float) -> bool:
    """Sleep until a slot that begins within `within_seconds`, for this thread's next `wait_for_slot`.

    False, at once and with nothing drawn, when there is none. A caller that must not hold anything
    while it waits for its turn reserves first and takes its work after.
    """
    wait_seconds = draw_slot(lane, within_seconds=within_seconds)
    if wait_seconds is None:
        return False
    time.sleep(wait_seconds)
    _reserved.slot = True
    return True


def draw_slot(lane: str, *, within_seconds: float) -> float | None:
    """Take the next free slot if it begins within `within_seconds`; returns the seconds until then."""
    if not interval_seconds():
        left_seconds = _pause_left_seconds()
        return left_seconds if left_seconds <= within_seconds else None
    drawn = outside_transaction(_BUDGET).find_one_and_update(
        _THE_ONE, _draw(lane, within_seconds), upsert=True, return_document=ReturnDocument.AFTER
    )
    return (drawn["slot"] - drawn["drawn_at"]).total_seconds() if drawn and drawn["slot"] else None


def _draw(lane: str, within_seconds: float) -> list[dict]:
    """The update that takes the slot if it is near enough, and leaves `slot` empty if not."""
    gap_ms = round(interval_seconds() * 1000)
    free = {"$max": [clock.server_now(), "$next_at", "$paused_until"]}
    near = {"$lte": [free, clock.after(within_seconds)]}
    taken = {"$ne": ["$slot", None]}
    return [
        {"$set": {"slot": {"$cond": [near, free, None]}, "drawn_at": clock.server_now()}},
        {
            "$set": {
                "next_at": {"$cond": [taken, {"$add": ["$slot", gap_ms]}, "$next_at"]},
                f"calls.{lane}": {"$add": [{"$ifNull": [f"$calls.{lane}", 0]}, {"$cond": [taken, 1, 0]}]},
            }
        },
    ]


def _pause_left_seconds() -> float:
    """How long the lock-out lasts, 0 when there is none; a read only, by MongoDB's clock."""
    left_ms = {"$max": [0, {"$subtract": ["$paused_until", clock.server_now()]}]}
    budget = outside_transaction(_BUDGET).find_one(_THE_ONE, {"left_ms": left_ms})
    return (budget or {}).get("left_ms", 0) / 1000


def pause(seconds: float) -> None:
    """Nobody draws a slot that begins within `seconds` from now: the provider asked us to wait."""
    outside_transaction(_BUDGET).update_one(
        _THE_ONE, [{"$set": {"paused_until": {"$max": ["$paused_until", clock.after(seconds)]}}}], upsert=True
    )
