"""Undoing a batch: the access of exactly those learners whom it invited is revoked, each by course member id.

Setting the same status again changes nothing, so a revocation without an answer is simply made again.
"""

import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursehub import audit, clock, pacing
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import breaker, claims, rows
from invitations.breaker import Way
from invitations.models import Batch, Invitation
from invitations.rows import Job, Outcome, Row

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

log = logging.getLogger(__name__)
State = Invitation.State
REVOKED = "Access to the course was revoked."
UNKNOWN_MEMBER = "TrainerCentral does not know this course member any more."
NO_MEMBER_ID = "Not undone: TrainerCentral never told the course member id."
INVITED_SINCE = "Not undone: the learner was invited again since."


def revoke_one(batch_id: UUID, way: Way, client: "TrainerCentralClient", deadline: float) -> bool:
    """Take one invited row, revoke, write the outcome; False when there was no row."""
    taken = rows.take(batch_id, 1, leaving=State.INVITED, to=State.REVOKING)
    if not taken:
        return False
    row = taken[0]
    if not breaker.stays(batch_id, way):
        rows.give_back([row], State.INVITED)
        return True
    try:
        outcome = _revoke(row, client)
    except (errors.TrainerCentralError, pacing.NoSlotInTime) as error:
        rows.give_back([row], State.INVITED)
        if isinstance(error, errors.TrainerCentralError):
            log.warning("Undoing invitation %s: %s", row["id"], error.detail)
            breaker.trip(batch_id, error)
        return True
    if outcome.state == State.REVOKED:
        claims.undo(row)
    rows.settle([outcome])
    if way is Way.PROBE:
        breaker.probed(batch_id, answered=True)
    return True


def finish_if_done(batch_id: UUID) -> bool:
    """Close a batch whose undoing has nothing left to revoke."""
    invited = {"batch_id": batch_id.hex, "state": State.INVITED}
    if outside_transaction(Invitation).find_one(invited | rows.UNDOABLE, {"_id": 1}):
        return False
    done = Invitation.objects.filter(batch_id=batch_id, state=State.REVOKED).count()
    kept = Invitation.objects.filter(batch_id=batch_id, state=State.INVITED, undo_skipped=True).count()
    reason = f"Undone: the access of {done} learners was revoked"
    reason += f", {kept} stay invited for the reason beside them." if kept else "."
    changes: dict[str, Any] = {"state": Batch.State.CANCELLED, "finished_at": clock.now(), "reason": reason}
    undone = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING, undoing=True)
    if not undone.update(undoing=False, **changes):
        return False
    audit.record(action="batch.undone", target=f"batch {batch_id}", detail={"revoked": done, "kept": kept})
    return True


def _revoke(row: Row, client: "TrainerCentralClient") -> Outcome:
    """Raises NoSlotInTime, and TrainerCentralError when it is to be tried again."""
    reason = "" if row["member_id"] else NO_MEMBER_ID
    if not claims.is_latest(row):
        reason = INVITED_SINCE
    if reason:
        return Outcome(row, State.INVITED, {"reason": reason, "undo_skipped": True})
    try:
        client.revoke_access(row["member_id"])
    except errors.NotFound:
        return Outcome(row, State.REVOKED, {"reason": UNKNOWN_MEMBER})
    except errors.Refused as error:
        return Outcome(row, State.INVITED, {"reason": f"Not undone: {error.sentence}"[:300], "undo_skipped": True})
    return Outcome(row, State.REVOKED, {"reason": REVOKED})


UNDO = Job(State.INVITED, revoke_one)
