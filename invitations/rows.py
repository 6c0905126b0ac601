"""Rows on their way: taken under a lease, settled with what came of the call, given back when none was made."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from pymongo import UpdateOne

from coursehub import clock
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation

State = Invitation.State
Row = dict[str, Any]
# After this long no further call begins for a row that was taken.
CALL_BEGINS_SECONDS = 10.0
# Connecting to two addresses, waiting for the first byte, and reading the body, each with its own time-out.
_CALL_SECONDS = 2 * settings.TRAINERCENTRAL_CONNECT_SECONDS + 2 * settings.TRAINERCENTRAL_READ_SECONDS
# A call may still wait for a token; longer than any call it guards.
LEASE_SECONDS = CALL_BEGINS_SECONDS + settings.TOKEN_LEASE_SECONDS + 10 + _CALL_SECONDS
# What an undo revokes: rows that were invited, and that it has not left as they are for a reason.
_UNDOABLE: dict[str, Any] = {"undo_skipped": {"$ne": True}}
LEASE_ENDED = "The sending process ended before it heard the answer."


@dataclass(frozen=True)
class Outcome:
    """What came of a row: its next state, and what is written beside it (`clock.server_now()`, or literals)."""

    row: Row
    state: str
    changes: dict[str, Any] = field(default_factory=dict)


def take(batch_id: UUID, count: int, *, leaving: str = State.PENDING, to: str = State.SENDING) -> list[Row]:
    """Win up to `count` rows of a state, the first in the file first; they are ours until their lease ends."""
    rows, holder = outside_transaction(Invitation), uuid4().hex
    taken = {
        "state": to,
        "holder": holder,
        "lease_until": clock.after(LEASE_SECONDS),
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, 1]},
    }
    won: list[Row] = []
    while not won:  # others may be faster with all that we saw
        free = [row["_id"] for row in rows.find(_free(batch_id, leaving), {"_id": 1}).sort("line", 1).limit(count)]
        if not free:
            break
        rows.update_many({"_id": {"$in": free}, "state": leaving}, [{"$set": taken}])
        won = list(rows.find({"_id": {"$in": free}, "holder": holder, "state": to}).sort("line", 1))
    return won


def any_free(batch_id: UUID, *, leaving: str = State.PENDING) -> bool:
    """Whether `take` would find a row."""
    return outside_transaction(Invitation).find_one(_free(batch_id, leaving), {"_id": 1}) is not None


def settle(outcomes: list[Outcome]) -> None:
    """Write outcomes, all in one command. A definite answer also corrects a row that was called unknown meanwhile.

    Only a learner who was invited is news to a row that somebody else has taken since.
    """
    if outcomes:
        outside_transaction(Invitation).bulk_write([_settled(outcome) for outcome in outcomes], ordered=False)


def give_back(rows: list[Row], to: str = State.PENDING) -> None:
    """No call was made for these rows: they wait again, unless their batch was cancelled while they were out."""
    if not rows:
        return
    settle([Outcome(row, to) for row in rows])
    batch_id = rows[0]["batch_id"]
    if to == State.PENDING and Batch.objects.filter(pk=batch_id, state=Batch.State.CANCELLED).exists():
        Invitation.objects.filter(batch_id=batch_id, state=State.PENDING).update(state=State.NOT_ATTEMPTED)


def any_in(batch_id: UUID, *states: str) -> bool:
    """Whether the batch has a row in one of these states."""
    wanted = {"batch_id": batch_id.hex, "state": {"$in": list(states)}}
    return outside_transaction(Invitation).find_one(wanted, {"_id": 1}) is not None


def expire_leases() -> int:
    """Rows whose holder died in the middle of a call. Returns how many.

    Of an invitation the outcome is unknown since the lease ended; a revocation may be made again.
    """
    rows = outside_transaction(Invitation)
    ended = {"$expr": {"$lt": ["$lease_until", clock.server_now()]}}
    unknown = {"state": State.UNKNOWN, "reason": LEASE_ENDED, "unknown_since": "$lease_until", "lease_until": None}
    count = rows.update_many({"state": State.SENDING, **ended}, [{"$set": unknown}]).modified_count
    again = {"$set": {"state": State.INVITED, "lease_until": None}}
    return count + rows.update_many({"state": State.REVOKING, **ended}, again).modified_count


def _free(batch_id: UUID, leaving: str) -> dict[str, Any]:
    undoable = _UNDOABLE if leaving == State.INVITED else {}
    return {"batch_id": batch_id.hex, "state": leaving, **undoable}


def _settled(outcome: Outcome) -> UpdateOne:
    row, state = outcome.row, outcome.state
    own = {"_id": row["_id"], "attempts": row["attempts"]}
    leaving = [row["state"]] if state in (State.UNKNOWN, State.PENDING) else [row["state"], State.UNKNOWN]
    match: dict[str, Any] = {**own, "state": {"$in": leaving}}
    if state == State.INVITED and row["state"] == State.SENDING:
        match = {"_id": row["_id"], "state": {"$in": [State.SENDING, State.UNKNOWN, State.PENDING]}}
    literals = {"reason": "", **outcome.changes}
    values = {name: value if value == clock.server_now() else {"$literal": value} for name, value in literals.items()}
    return UpdateOne(match, [{"$set": {**values, "state": state, "lease_until": None}}])
