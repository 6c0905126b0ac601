"""Rows on their way: taken under a lease, settled with what came of the call, given back when none was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from pymongo import UpdateOne

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations.models import Batch, Invitation

State = Invitation.State
Row = dict[str, Any]
# After this long no further call begins for a row that was taken.
CALL_BEGINS_SECONDS = 10.0
# Connecting to two addresses, waiting for the first byte, and reading the body, each with its own time-out.
_CALL_SECONDS = 2 * settings.TRAINERCENTRAL_CONNECT_SECONDS + 2 * settings.TRAINERCENTRAL_READ_SECONDS
# A call may still wait for a token; longer than any call it guards.
LEASE_SECONDS = CALL_BEGINS_SECONDS + settings.TOKEN_LEASE_SECONDS + 10 + _CALL_SECONDS
LEASE_ENDED = "The sending process ended before it heard the answer."
AGAIN_UNANSWERED = "Whether the second invitation arrived is not known; it is not sent again."


@dataclass(frozen=True)
class Waiting:
    """Which rows may be taken: those in `state`, for which no call was made that a look at the members must follow."""

    state: str
    only: Mapping[str, Any] = field(default_factory=dict)

    def of(self, batch_id: UUID) -> dict[str, Any]:
        """The filter."""
        return {"batch_id": batch_id.hex, "state": self.state, "called_at": None, **self.only}


UNSENT = Waiting(State.PENDING)
NOW: Any = object()  # in the changes of an Outcome: the moment at which it is written


@dataclass(frozen=True)
class Outcome:
    """What came of a row: its next state, and what is written beside it (NOW, or literals).

    `trouble` is what the call ended in when it did not settle the row, or settled it as a sign of wider trouble.
    """

    row: Row
    state: str
    changes: dict[str, Any] = field(default_factory=dict)
    trouble: errors.TrainerCentralError | None = None


def take(batch_id: UUID, count: int, *, waiting: Waiting = UNSENT, to: str = State.SENDING) -> list[Row]:
    """Win up to `count` waiting rows, the first in the file first; they are ours until their lease ends."""
    rows, holder = outside_transaction(Invitation), uuid4().hex
    taken = {
        "state": to,
        "holder": holder,
        "lease_until": clock.after(LEASE_SECONDS),
        "attempts": {"$add": [{"$ifNull": ["$attempts", 0]}, 1]},
        "uncalled": False,
    }
    won: list[Row] = []
    while not won:  # others may be faster with all that we saw
        wanted = waiting.of(batch_id)
        free = [row["_id"] for row in rows.find(wanted, {"_id": 1}).sort("line", 1).limit(count)]
        if not free:
            break
        rows.update_many({"_id": {"$in": free}, **wanted}, [{"$set": taken}])
        won = list(rows.find({"_id": {"$in": free}, "holder": holder, "state": to}).sort("line", 1))
    return won


def any_free(batch_id: UUID, *, waiting: Waiting = UNSENT) -> bool:
    """Whether `take` would find a row."""
    return outside_transaction(Invitation).find_one(waiting.of(batch_id), {"_id": 1}) is not None


def any_called(batch_id: UUID, waiting: Waiting) -> bool:
    """Whether rows wait for a look at the members before they can be taken."""
    wanted = {**waiting.of(batch_id), "called_at": {"$ne": None}}
    return outside_transaction(Invitation).find_one(wanted, {"_id": 1}) is not None


def settle(outcomes: list[Outcome]) -> None:
    """Write outcomes, all in one command. A definite answer also corrects a row that was called unknown meanwhile.

    Only a learner who was invited is news to a row that somebody else has taken since.
    """
    if not outcomes:
        return
    outside_transaction(Invitation).bulk_write([_settled(outcome) for outcome in outcomes], ordered=False)
    waiting = [outcome for outcome in outcomes if outcome.state == State.PENDING]
    batch_id = outcomes[0].row["batch_id"]
    if waiting and Batch.objects.filter(pk=batch_id, state=Batch.State.CANCELLED).exists():
        Invitation.objects.filter(batch_id=batch_id, state=State.PENDING).update(state=State.NOT_ATTEMPTED)


def give_back(rows: list[Row], to: str = State.PENDING) -> None:
    """No call was made for these rows: they wait again, unless their batch was cancelled while they were out."""
    settle([Outcome(row, to) for row in rows])


def called_again(row: Row, to: str, error: errors.TrainerCentralError) -> Outcome:
    """A call was made for the row and, as far as is known, did not act: it waits for a look at the members.

    So nobody is posted twice between two looks, whatever that answer really meant.
    """
    refused = not isinstance(error, errors.Throttled)
    changes = {"called_at": NOW, "refusals": refusals(row) + refused, "reason": error.sentence}
    return Outcome(row, to, changes, error)


def refusals(row: Row) -> int:
    return row.get("refusals") or 0


def any_in(batch_id: UUID, *states: str) -> bool:
    """Whether the batch has a row in one of these states."""
    wanted = {"batch_id": batch_id.hex, "state": {"$in": list(states)}}
    return outside_transaction(Invitation).find_one(wanted, {"_id": 1}) is not None


def expire_leases() -> int:
    """Rows whose holder died in the middle of a call. Returns how many.

    Of an invitation the outcome is unknown since the lease ended; a revocation may be made again; whoever was to be
    invited once more stays invited.
    """
    rows = outside_transaction(Invitation)
    ended = {"$expr": clock.passed("lease_until")}
    invited: Row = {"state": State.INVITED}
    left = {
        State.SENDING: {"state": State.UNKNOWN, "reason": LEASE_ENDED, "finding": "", "unknown_since": "$lease_until"},
        State.REVOKING: invited,
        State.INVITING_AGAIN: {**invited, "again": False, "reason": AGAIN_UNANSWERED},
    }
    return sum(
        rows.update_many({"state": state, **ended}, [{"$set": {**values, "lease_until": None}}]).modified_count
        for state, values in left.items()
    )


def _settled(outcome: Outcome) -> UpdateOne:
    row, state = outcome.row, outcome.state
    own = {"_id": row["_id"], "attempts": row["attempts"]}
    leaving = [row["state"]] if state in (State.UNKNOWN, State.PENDING) else [row["state"], State.UNKNOWN]
    match: dict[str, Any] = {**own, "state": {"$in": leaving}}
    if state == State.INVITED and row["state"] == State.SENDING:
        match = {
            "_id": row["_id"],
            "state": {"$in": [State.SENDING, State.UNKNOWN, State.PENDING]},
            **_same_learner(row),
        }
    literals = {"reason": "", **outcome.changes}
    values = {name: clock.server_now() if value is NOW else {"$literal": value} for name, value in literals.items()}
    return UpdateOne(match, [{"$set": {**values, "state": state, "lease_until": None}}])


def _same_learner(row: Row) -> dict[str, Any]:
    """A late answer says nothing of the learner whom a repair has put into the row since; an erasure empties it."""
    return {"course_id": row["course_id"], "email_folded": {"$in": [row["email_folded"], ""]}}
