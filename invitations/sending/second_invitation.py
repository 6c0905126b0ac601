"""Inviting learners once more who were invited and have not accepted.

They stay invited all the time, with their first invitation: `again` in the row says that a second one is wanted, and
is taken back by whatever settles it, a cancel included. A press posts once per learner: under a claim of the next
generation, after a look at the members that leaves out who accepted meanwhile, and never again after a doubt.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pymongo import UpdateOne

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import transitions
from invitations.claims import learner_claims, row_leases
from invitations.claims.row_leases import Outcome, Row, Waiting
from invitations.models import Batch, Invitation
from invitations.selectors import funnel
from invitations.sending import post
from invitations.sending.runner import Job

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

State = Invitation.State
_CHUNK_ROWS = 2_000
ACCEPTED = "Has accepted meanwhile, so not invited once more."
TAKEN = "Not invited once more: somebody else did so at this moment."
_FROM = (Batch.State.COMPLETED_WITH_ERRORS, Batch.State.COMPLETED)
WANTED: dict[str, Any] = {"state": State.INVITED, "again": True}
_NOT_FROM = (Batch.State.COMPLETED_WITH_ERRORS, Batch.State.COMPLETED)
NOT_WANTED: dict[str, Any] = {"again": False, "called_at": None}


def want(batch: Batch, lines: list[int], *, invited_before: datetime, actor: str) -> int:
    """Invite those once more who were invited before that moment and whose lines are given; returns how many will be.

    The batch must be final; then its members are read first, and nothing is posted before that.
    """
    if not Batch.objects.filter(pk=batch.pk, state__in=_FROM).exists():
        return 0
    count = sum(_mark(batch, chunk, invited_before) for chunk in _chunks(lines))
    if not count:
        return 0
    if not transitions.go_on(
        Action.BATCH_INVITING_AGAIN, batch, actor, leaving=_FROM, detail={"rows": count}, inviting_again=True
    ):
        _unmark(batch.pk)
        return 0
    return count


def cancel(batch: Batch, *, actor: str) -> bool:
    """Post to nobody else; whoever was not posted to is as invited as before."""
    return _end(
        batch.pk,
        list(Batch.WORKING),
        f"Inviting once more was cancelled by {actor}.",
        actor,
        Action.BATCH_INVITING_AGAIN_CANCELLED,
    )


def finish(batch_id: UUID) -> bool:
    """Close a batch in which nobody is to be invited once more, and nobody is on the way."""
    return _end(batch_id, [Batch.State.RUNNING], "", "system", Action.BATCH_INVITING_AGAIN_FINISHED)


def take_out_accepted(batch_id: UUID) -> None:
    """After a look at the members: whoever accepted meanwhile needs no second invitation. May run twice."""
    wanted = {"batch_id": batch_id.hex, **WANTED}
    for chunk in _chunks(outside_transaction(Invitation).find(wanted, funnel.ROW)):
        standings = funnel.standings(chunk)
        updates = [
            UpdateOne({"_id": row["_id"], **WANTED}, {"$set": {**NOT_WANTED, "reason": ACCEPTED}})
            for row in chunk
            if standings[row["_id"]].accepted
        ]
        if updates:
            outside_transaction(Invitation).bulk_write(updates, ordered=False)


def _mark(batch: Batch, lines: list[int], invited_before: datetime) -> int:
    """Each under the next generation of its claim, once: a row that is marked already is left alone."""
    invitations = outside_transaction(Invitation)
    late = {
        "state": State.INVITED, "again": {"$ne": True},
        "$or": [{"invited_again_at": None}, {"invited_again_at": {"$lt": invited_before}}],
    }  # fmt: skip
    of_lines = invitations.find({"batch_id": batch.pk.hex, "line": {"$in": lines}, **late})
    found = [row for row in of_lines if funnel.was_invited_before(row, invited_before)]
    updates = []
    for course_id in {row["course_id"] for row in found}:
        of_course = [row for row in found if row["course_id"] == course_id]
        latest = learner_claims.latest(course_id, [row["email_folded"] for row in of_course])
        for row in of_course:
            generation = learner_claims.generation_after(row, latest.get(row["email_folded"]))
            marked = {"again": True, "generation": generation, "refusals": 0, "called_at": None}
            updates.append(UpdateOne({"_id": row["_id"], "attempts": row["attempts"], **late}, {"$set": marked}))
    return invitations.bulk_write(updates, ordered=False).modified_count if updates else 0


def _unmark(batch_id: UUID) -> None:
    wanted = {"batch_id": batch_id.hex, **WANTED}
    outside_transaction(Invitation).update_many(wanted, {"$set": NOT_WANTED})


def _end(batch_id: UUID, leaving: list[str], reason: str, actor: str, action: Action) -> bool:
    ended = {"state": transitions.finished_state(batch_id), "finished_at": clock.now(), "reason": reason}
    wanted = Batch.objects.filter(pk=batch_id, state__in=leaving, inviting_again=True)
    if not wanted.update(inviting_again=False, resume_at=None, look_at=None, **ended):
        return False
    _unmark(batch_id)
    audit.record(action=action, actor=actor, target=f"batch {batch_id}")
    return True


def _claim(taken: list[Row]) -> tuple[list[Row], list[Outcome]]:
    won = learner_claims.win(taken)
    ids = {row["id"] for row in won}
    return won, [_stays(row, TAKEN) for row in taken if row["id"] not in ids]


def _call(row: Row, client: "TrainerCentralClient") -> Outcome:
    """Raises NoSlotInTime, and TrainerCentralError when the call never left."""
    try:
        invited = post.post(row, client)
    except post.DEFINITE as error:
        learner_claims.release([row])
        return _stays(row, f"Not invited once more: {error.sentence}")
    except errors.OutcomeUnknown as error:
        return _stays(row, row_leases.AGAIN_UNANSWERED, None if errors.is_plain_answer(error) else error)
    except post.NOT_ACTED as error:  # a look cannot tell whether it did: who is invited already is there
        learner_claims.release([row])
        return _stays(row, f"Not invited once more: {error.sentence}", error)
    counted = {"invited_again_at": row_leases.NOW, "times_again": (row.get("times_again") or 0) + 1}
    told = {"member_id": invited.member_id} if invited.member_id else {}
    return Outcome(row, State.INVITED, {**NOT_WANTED, **counted, **told})


def _stays(row: Row, reason: str, trouble: errors.TrainerCentralError | None = None) -> Outcome:
    return Outcome(row, State.INVITED, {**NOT_WANTED, "reason": reason[:300]}, trouble)


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    found = iter(items)
    while chunk := list(islice(found, _CHUNK_ROWS)):
        yield chunk


AGAIN = Job(
    Waiting(State.INVITED, {"again": True}),
    State.INVITING_AGAIN,
    claim=_claim,
    call=_call,
    release=learner_claims.release,
)
