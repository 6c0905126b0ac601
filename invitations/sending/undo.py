"""Undoing a batch: the access of exactly those learners whom it invited is revoked, each by course member id.

Setting the same status again changes nothing, so a revocation without an answer is simply made again.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursehub import audit, clock, course_members
from coursehub.audit import Action
from coursehub.trainercentral import errors
from invitations.claims import learner_claims, row_leases
from invitations.claims.row_leases import Outcome, Row, Waiting
from invitations.models import Batch, Invitation
from invitations.sending import post
from invitations.sending.runner import Job

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

State = Invitation.State
REVOKED = "Access to the course was revoked."
UNKNOWN_MEMBER = "TrainerCentral does not know this course member any more."
NO_MEMBER_ID = "Not undone: TrainerCentral never told the course member id."
INVITED_SINCE = "Not undone: the learner was invited again since."
# A throttle passes, and costs the row nothing.
_TRIED_AGAIN = (errors.NotAuthorised, errors.OutcomeUnknown, errors.Stopped, errors.Unexpected)


def finish_if_done(batch_id: UUID) -> bool:
    """Close a batch whose undoing has nothing left to revoke, and nothing on its way."""
    done = Invitation.objects.filter(batch_id=batch_id, state=State.REVOKED).count()
    kept = Invitation.objects.filter(batch_id=batch_id, state=State.INVITED, undo_skipped=True).count()
    reason = f"Undone: the access of {done} learners was revoked"
    reason += f", {kept} stay invited for the reason beside them." if kept else "."
    changes: dict[str, Any] = {"state": Batch.State.CANCELLED, "finished_at": clock.now(), "reason": reason}
    undone = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING, undoing=True)
    if not undone.update(undoing=False, **changes):
        return False
    audit.record(action=Action.BATCH_UNDONE, target=f"batch {batch_id}", detail={"revoked": done, "kept": kept})
    return True


def _claim(taken: list[Row]) -> tuple[list[Row], list[Outcome]]:
    """All of them: a revocation made twice does no harm."""
    return taken, []


def _revoke(row: Row, client: "TrainerCentralClient") -> Outcome:
    """Raises NoSlotInTime, and TrainerCentralError when the call never left."""
    member_id = row["member_id"] or course_members.in_course(row["course_id"], [row["email_folded"]]).get(
        row["email_folded"]
    )
    reason = "" if member_id else NO_MEMBER_ID
    if not learner_claims.is_latest(row):
        reason = INVITED_SINCE
    if reason or not member_id:
        return Outcome(row, State.INVITED, {"reason": reason, "undo_skipped": True})
    try:
        client.revoke_access(member_id)
    except errors.NotFound:
        reason = UNKNOWN_MEMBER
    except errors.Refused as error:
        return _left(row, error.sentence)
    except errors.Throttled as error:
        return Outcome(row, State.INVITED, {"reason": error.sentence}, error)
    except _TRIED_AGAIN as error:
        if row_leases.refusals(row) + 1 >= post.MOST_REFUSALS:  # or it would hold the batch for ever
            return _left(row, error.sentence, error)
        counted = {"refusals": row_leases.refusals(row) + 1, "reason": error.sentence}
        # Even an unclear answer is one, unless it comes of trouble: no sign that TrainerCentral is away.
        return Outcome(row, State.INVITED, counted, None if errors.is_plain_answer(error) else error)
    else:
        reason = REVOKED
    learner_claims.undo(row)
    return Outcome(row, State.REVOKED, {"reason": reason})


def _left(row: Row, sentence: str, trouble: errors.TrainerCentralError | None = None) -> Outcome:
    """The learner stays invited, and the reason says why."""
    return Outcome(row, State.INVITED, {"reason": f"Not undone: {sentence}"[:300], "undo_skipped": True}, trouble)


# What an undo revokes: rows that were invited, and that it has not left as they are for a reason.
UNDO = Job(
    Waiting(State.INVITED, {"undo_skipped": {"$ne": True}}),
    State.REVOKING,
    claim=_claim,
    call=_revoke,
    release=lambda rows: None,
)
