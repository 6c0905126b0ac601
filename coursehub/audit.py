"""The audit trail: append-only, each event chained to the one before by its hash.

Nothing that identifies a learner and no secret belongs into an event: ids, counts and states do.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from coursehub import clock
from coursehub.audit_actions import Action
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

__all__ = ["FIRST_HASH", "REPLACED", "REPLACED_EVENTS", "Action", "Verified", "record", "verify"]

FIRST_HASH = "0" * 64
REPLACED = "coursehub_auditevent_replaced"  # the collection of events that a restore took out of the chain
REPLACED_EVENTS = "replaced_events"  # in the detail of a restore: hash of the last of them -> how many
_HASHED = ("seq", "at", "actor", "action", "target", "detail", "previous_hash")


def record(*, action: Action, actor: str = "system", target: str = "", detail: Document | None = None) -> int:
    """Append one event and return its number in the chain.

    `action` is one of the list, `actor` a user name or "system", `detail` JSON values.
    Writers race for the next number; the unique index on `seq` lets one win, the others try the next.
    """
    events = outside_transaction(AuditEvent)
    event: dict[str, Any] = {
        "actor": actor,
        "action": str(action),
        "target": target,
        "detail": detail or {},
        "at": clock.now(),
    }
    while True:
        last = events.find_one(sort=[("seq", DESCENDING)], projection=["seq", "hash"]) or {"seq": 0, "hash": FIRST_HASH}
        number: int = last["seq"] + 1
        event |= {"seq": number, "previous_hash": last["hash"]}
        event["hash"] = _hash(event)
        try:
            events.insert_one({"id": number, **event})
            return number
        except DuplicateKeyError:
            continue


@dataclass(frozen=True)
class Verified:
    """Of the chain: its events as far as it holds, the number of the first that does not, and the last hash before it.

    `replaced` counts the events that restores have replaced and kept aside; `replaced_lost` says how many of them are
    missing or changed. Who cuts off the newest events leaves a chain that holds: compare `events` with an earlier look.
    """

    events: int
    last_hash: str
    first_broken: int | None
    replaced: int
    replaced_lost: int


def verify() -> Verified:
    """Check every event against its hash, and each hash against the next event."""
    seq, previous_hash, replaced, lost = 0, FIRST_HASH, 0, 0
    for event in outside_transaction(AuditEvent).find(sort=[("seq", 1)]):
        if event["seq"] != seq + 1 or event["previous_hash"] != previous_hash or event["hash"] != _hash(event):
            return Verified(seq, previous_hash, seq + 1, replaced, lost)
        seq, previous_hash = event["seq"], event["hash"]
        for last_hash, count in event["detail"].get(REPLACED_EVENTS, {}).items():
            replaced, lost = replaced + count, lost + count - _held_aside(last_hash, count)
    return Verified(seq, previous_hash, None, replaced, lost)


def _held_aside(last_hash: str, count: int) -> int:
    """How many of the `count` events that ended with this hash when a restore replaced them are there, unchanged."""
    aside: Collection[Document] = outside_transaction(REPLACED)
    for held in range(count):
        event = aside.find_one({"_id": last_hash})
        if event is None or event["hash"] != last_hash or _hash(event) != last_hash:
            return held
        last_hash = event["previous_hash"]
    return count


def _hash(event: Document) -> str:
    """SHA-256 over the event's canonical JSON, previous hash included."""
    body = {name: event[name] for name in _HASHED}
    body["at"] = _milliseconds(event["at"])
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
