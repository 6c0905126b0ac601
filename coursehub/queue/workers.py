"""Which workers live, and which of them holds the lease of the ticker; all by MongoDB's clock."""

import socket
import time
from datetime import datetime

from pymongo import ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.queue.broker import NOW, queue, seconds_from_now

PRESENCE_SECONDS = 15
# Longer than a tick may take (scheduler.TICK_SECONDS_MAX), so that a slow one does not cost the lease.
LEASE_SECONDS = 7
_RENEW_AFTER_SECONDS = 0.9
_LOOK_AGAIN_SECONDS = 0.25
FOR_GOOD = datetime(9999, 1, 1)
_WORKERS, _LEASES = "coursehub_worker", "coursehub_lease"
_LEASE = "ticker"


def _collection(name: str) -> Collection[Document]:
    # Written each second: not worth a wait for the disk or for other members.
    return outside_transaction(name).with_options(write_concern=WriteConcern(w=1))


def stamp(worker: str, run: int) -> None:
    """Say that this worker lives, for the next 15 s."""
    alive = {"host": socket.gethostname(), "run": run, "alive_until": seconds_from_now(PRESENCE_SECONDS)}
    _collection(_WORKERS).update_one({"_id": worker}, [{"$set": alive}], upsert=True)


def living_workers() -> list[str]:
    """The workers that live, after the dead were forgotten."""
    _collection(_WORKERS).delete_many({"$expr": {"$lte": ["$alive_until", NOW]}})
    return _collection(_WORKERS).distinct("_id")


def status() -> dict[str, int]:
    """`workers` that live, tasks `waiting` and tasks `running`. Raises pymongo's error."""
    return {
        "workers": _collection(_WORKERS).count_documents({"$expr": {"$gt": ["$alive_until", NOW]}}),
        "waiting": queue().count_documents({"taken": False, "only": None}),
        "running": queue().count_documents({"taken": True, "only": None}),
    }


class TickerLease:
    """The right to tick: held by one worker, renewed each second, free 7 s after its holder's death."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._renewed_at: float | None = None

    def hold(self) -> bool:
        """Take or renew the lease; whether this worker may tick now. Raises pymongo's error."""
        if self._renewed_at is not None and time.monotonic() - self._renewed_at < _RENEW_AFTER_SECONDS:
            return True
        self._renewed_at = None
        asked_at = time.monotonic()
        mine = {"$or": [{"$eq": ["$holder", self._worker]}, {"$lte": ["$until", NOW]}]}  # none yet: null <= now
        lease = _collection(_LEASES).find_one_and_update(
            {"_id": _LEASE},
            [
                {"$set": {"mine": mine}},
                {"$set": {"holder": {"$cond": ["$mine", self._worker, "$holder"]}}},
                {"$set": {"until": {"$cond": ["$mine", seconds_from_now(LEASE_SECONDS), "$until"]}}},
                {"$unset": "mine"},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if lease is None or lease["holder"] != self._worker:
            return False
        self._renewed_at = asked_at
        return True

    def give_back(self) -> None:
        """Let the next worker tick at once. Raises pymongo's error."""
        _collection(_LEASES).delete_one({"_id": _LEASE, "holder": self._worker})


def hold_ticks(holder: str) -> bool:
    """Have nobody tick until `let_tick(holder)`, whatever becomes of the holder. False while a worker has the lease."""
    mine = {"$or": [{"$eq": ["$holder", holder]}, {"$lte": ["$until", NOW]}]}
    held = {"holder": holder, "until": FOR_GOOD}
    if _collection(_LEASES).update_one({"_id": _LEASE, "$expr": mine}, {"$set": held}).matched_count:
        return True
    try:
        _collection(_LEASES).insert_one({"_id": _LEASE, **held})
    except DuplicateKeyError:
        return False
    return True


def let_tick(holder: str) -> None:
    """The next worker ticks at once. Raises pymongo's error."""
    _collection(_LEASES).delete_one({"_id": _LEASE, "holder": holder})


def all_gone(patience_seconds: float = PRESENCE_SECONDS + 1) -> bool:
    """Wait until no worker has said that it lives, which ended ones have done up to 15 s ago; False when one lives."""
    first, gives_up_at = _newest_sign(), time.monotonic() + patience_seconds
    while status()["workers"]:
        if _newest_sign() != first or time.monotonic() > gives_up_at:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _newest_sign() -> datetime | None:
    newest = _collection(_WORKERS).find_one({}, ["alive_until"], sort=[("alive_until", -1)])
    return newest["alive_until"] if newest else None
