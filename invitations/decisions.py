"""What people decide about rows that were sent: try again, send again, already there, undo, invite once more.

Rows first, then their batch: a batch that runs without a waiting row closes itself. What is left half-done
by a crash is done by deciding again.
"""

from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from coursehub import clock, pseudonyms
from coursehub.mongo import outside_transaction
from invitations import claims, moves
from invitations.models import Batch, Invitation

State = Invitation.State
_CHUNK_ROWS = 2_000
DECIDABLE = [Batch.State.COMPLETED_WITH_ERRORS, Batch.State.COMPLETED]


def retry(batch: Batch, *, actor: str) -> bool:
    """Try the rows that TrainerCentral refused once more, and look up those of unknown outcome from scratch."""
    rows = Invitation.objects.filter(batch=batch)
    if Batch.objects.filter(pk=batch.pk, state=Batch.State.COMPLETED_WITH_ERRORS).exists():
        rows.filter(state=State.FAILED).update(state=State.PENDING, reason="")
        rows.filter(state=State.UNKNOWN).update(unknown_since=clock.now(), sent_again=0)
    if not rows.filter(state__in=[State.PENDING, State.UNKNOWN]).exists():
        return False
    return _go_on("retried", batch, actor)


def undo(batch: Batch, *, actor: str) -> bool:
    """Revoke the access of exactly those whom this batch invited. False when it still runs, or invited nobody."""
    undoable = Invitation.objects.filter(batch=batch, state__in=[State.INVITED, State.REVOKING])
    if not undoable.exists():
        return False
    undoable.filter(undo_skipped=True).update(undo_skipped=False)
    return moves.act(
        "undo_begun", batch, actor, leaving=Batch.FINAL,
        state=Batch.State.QUEUED, undoing=True, reason="The invitations of this batch are being undone.",
        finished_at=None, look_at=None, failures=0,
    )  # fmt: skip


def already_there(batch: Batch, row: Invitation, *, actor: str) -> bool:
    """A person looked: the learner of a row of unknown outcome is in the course."""
    reason = f"{actor} says that the learner is there."
    settled = _decide(row, {"state": State.ALREADY_ENROLLED, "reason": reason})
    if settled:
        moves.record("invitation.already_there", batch, actor, **_named(row))
        _close_without_errors(batch)
    return settled


def send_again(batch: Batch, row: Invitation, *, actor: str) -> bool:
    """A person decided that a row of unknown outcome invites once more, under a claim of the next generation."""
    generation = claims.next_generation(_as_row(row))
    waiting = {"state": State.PENDING, "reason": "", "generation": generation, "sent_again": 0}
    if not _decide(row, waiting):
        return False
    moves.record("invitation.sent_again", batch, actor, generation=generation, **_named(row))
    _go_on("resumed_for_a_row", batch, actor)
    return True


def invite_again(batch: Batch, lines: list[int], *, invited_before: datetime, actor: str) -> int:
    """Invite once more those invited before that moment whose lines are given; returns how many will be."""
    if not Batch.objects.filter(pk=batch.pk, state__in=DECIDABLE).exists():
        return 0
    count = 0
    for start in range(0, len(lines), _CHUNK_ROWS):
        count += _wait_again(batch, lines[start : start + _CHUNK_ROWS], invited_before)
    if count:
        moves.record("batch.invited_again", batch, actor, rows=count)
        _go_on("resumed", batch, actor)
    return count


def _wait_again(batch: Batch, lines: list[int], invited_before: datetime) -> int:
    rows = outside_transaction(Invitation)
    late = {"state": State.INVITED, "invited_at": {"$lt": invited_before}}
    found = list(rows.find({"batch_id": batch.pk.hex, "line": {"$in": lines}, **late}))
    updates = []
    for course_id in {row["course_id"] for row in found}:
        of_course = [row for row in found if row["course_id"] == course_id]
        latest = claims.latest(course_id, [row["email_folded"] for row in of_course])
        for row in of_course:
            generation = claims.generation_after(row, latest.get(row["email_folded"]))
            waiting = {"$set": {"state": State.PENDING, "reason": "", "generation": generation}}
            updates.append(UpdateOne({"_id": row["_id"], "attempts": row["attempts"], **late}, waiting))
    return rows.bulk_write(updates, ordered=False).modified_count if updates else 0


def _decide(row: Invitation, changes: dict[str, Any]) -> bool:
    """One row of unknown outcome, if it is still as the person saw it."""
    seen = {"id": row.pk, "state": State.UNKNOWN, "attempts": row.attempts, "generation": row.generation}
    return outside_transaction(Invitation).update_one(seen, {"$set": changes}).modified_count == 1


def _go_on(verb: str, batch: Batch, actor: str) -> bool:
    return moves.act(
        verb, batch, actor, leaving=DECIDABLE,
        state=Batch.State.QUEUED, reason="", finished_at=None, look_at=None, failures=0,
    )  # fmt: skip


def _close_without_errors(batch: Batch) -> None:
    if not Invitation.objects.filter(batch=batch, state__in=[State.UNKNOWN, State.FAILED, State.PENDING]).exists():
        moves.move(batch.pk, leaving=[Batch.State.COMPLETED_WITH_ERRORS], state=Batch.State.COMPLETED)


def _as_row(row: Invitation) -> dict[str, Any]:
    return {"course_id": row.course_id, "email_folded": row.email_folded, "generation": row.generation}


def _named(row: Invitation) -> dict[str, Any]:
    """For the audit trail, which never holds an address."""
    return {"line": row.line, "learner": pseudonyms.of(row.email)}
