"""The audit trail: append-only, each event chained to the one before by its hash.

Nothing that identifies a learner and no secret belongs into an event: ids, counts and states do.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from coursehub import clock
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction

FIRST_HASH = "0" * 64
_HASHED = ("seq", "at", "actor", "action", "target", "detail", "previous_hash")


def record(*, action: str, actor: str = "system", target: str = "", detail: dict | None = None) -> int:
    """Append one event and return its number in the chain.

    `action` is "thing.verb" ("batch.confirmed"), `actor` a user name or "system", `detail` JSON values.
    Writers race for the next number; the unique index on `seq` lets one win, the others try the next.
    """
    events = outside_transaction(AuditEvent)
    event: dict[str, Any] = {
        "actor": actor,
        "action": action,
        "target": target,
        "detail": detail or {},
        "at": clock.now(),
    }
    while True:
        last = events.find_one(sort=[("seq", DESCENDING)], projection=["seq", "hash"]) or {"seq": 0, "hash": FIRST_HASH}
        event |= {"seq": last["seq"] + 1, "previous_hash": last["hash"]}
        event["hash"] = _hash(event)
        try:
            events.insert_one({"id": event["seq"], **event})
            return event["seq"]
        except DuplicateKeyError:
            continue


def first_broken_link() -> int | None:
    """The number of the first event that is missing, changed or out of order; None when the chain holds."""
    expected_seq, previous_hash = 1, FIRST_HASH
    events: Collection = outside_transaction(AuditEvent)
    for event in events.find(sort=[("seq", 1)]):
        if event["seq"] != expected_seq or event["previous_hash"] != previous_hash or event["hash"] != _hash(event):
            return expected_seq
        expected_seq, previous_hash = expected_seq + 1, event["hash"]
    return None


def _hash(event: dict) -> str:
    """SHA-256 over the event's canonical JSON, previous hash included."""
    body = {name: event[name] for name in _HASHED}
    body["at"] = _milliseconds(event["at"])
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _milliseconds(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
