"""The breaker of a batch: repeated failures pause it with its reason, then one call at a time tries.

`failures` counts failures in a row. As long as it is not 0, one sender at a time holds the right to make a
call; the first call that TrainerCentral answers sets it back.
"""

from enum import Enum
from typing import Any
from uuid import UUID

from pymongo import ReturnDocument

from coursehub import clock, pacing
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations.models import Batch
from invitations.rows import LEASE_SECONDS

_PAUSE_SECONDS = (3, 5, 10, 20, 30, 60)  # after the first, second, ... failure
_UNKNOWN_IN_A_ROW = 3


class Way(Enum):
    """What a sender of the batch may do now."""

    CLOSED = "begin no call: the batch does not run"
    BUSY = "wait: somebody tries with one call"
    PROBE = "make one call"
    OPEN = "make calls"


def way(batch_id: UUID) -> Way:
    """Ask before each call. PROBE is won by one sender at a time, until it reports or its lease ends."""
    batch = outside_transaction(Batch).find_one({"id": batch_id.hex, "state": Batch.State.RUNNING}, ["failures"])
    if batch is None:
        return Way.CLOSED
    if not batch["failures"]:
        return Way.OPEN
    free = {"$expr": {"$lte": [{"$ifNull": ["$probe_until", None]}, clock.server_now()]}}
    won = outside_transaction(Batch).update_one(
        {"id": batch_id.hex, "state": Batch.State.RUNNING, **free},
        [{"$set": {"probe_until": clock.after(LEASE_SECONDS)}}],
    )
    return Way.PROBE if won.modified_count else Way.BUSY


def probed(batch_id: UUID, *, answered: bool) -> None:
    """Give the right to probe back; if TrainerCentral answered, the breaker closes."""
    free = {"probe_until": None, **({"failures": 0} if answered else {})}
    outside_transaction(Batch).update_one({"id": batch_id.hex}, {"$set": free})


def unanswered(batch_id: UUID, error: errors.TrainerCentralError) -> None:
    """A call may or may not have acted; so many in a row pause the batch."""
    if _count(batch_id) >= _UNKNOWN_IN_A_ROW:
        _pause(batch_id, error)


def trip(batch_id: UUID, error: errors.TrainerCentralError) -> None:
    """A call could not be made: pause with the reason, and try again by itself. A throttle pauses everybody."""
    _count(batch_id)
    _pause(batch_id, error)


def _count(batch_id: UUID) -> int:
    counted = {"$inc": {"failures": 1}, "$set": {"probe_until": None}}
    batch = outside_transaction(Batch).find_one_and_update(
        {"id": batch_id.hex}, counted, projection=["failures"], return_document=ReturnDocument.AFTER
    )
    return batch["failures"] if batch else 1


def _pause(batch_id: UUID, error: errors.TrainerCentralError) -> None:
    batch = outside_transaction(Batch).find_one({"id": batch_id.hex}, ["failures"]) or {"failures": 1}
    seconds: float = _PAUSE_SECONDS[min(max(batch["failures"], 1), len(_PAUSE_SECONDS)) - 1]
    if isinstance(error, errors.Throttled):
        seconds = error.wait_seconds
        pacing.pause(seconds)
    elif isinstance(error, errors.TokenUnavailable):
        seconds = max(seconds, error.wait_seconds or 0)
    paused: dict[str, Any] = {
        "state": Batch.State.PAUSED,
        "reason": {"$literal": error.sentence},
        "resume_at": clock.after(seconds),
    }
    paused["awaits_tokens_since"] = clock.server_now() if isinstance(error, errors.TokenUnavailable) else None
    outside_transaction(Batch).update_one({"id": batch_id.hex, "state": Batch.State.RUNNING}, [{"$set": paused}])
