"""Sending one batch, slice by slice: rows, their claims, a call for each, their outcomes; in this order.

Claims are stored before the first call and unique per learner, course and generation, so whatever
crashes, no second call is made blindly. A row whose call may have been made is `unknown` until
`invitations.reconciling` or a person settles it.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from coursehub import audit, clock, pacing
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import breaker, claims, moves, post, reconciling, rows, second_invitation, unclear, undoing
from invitations.models import Batch, Invitation
from invitations.rows import Outcome, Row
from invitations.slices import Job, Slice
from oauthtokens import services as token_services

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

State = Invitation.State
SLICE_SECONDS = 5.0  # a task hands its worker back after this long, so that other work gets its turn
_ON_THEIR_WAY = (State.SENDING, State.REVOKING, State.INVITING_AGAIN)
_UNFINISHED = (State.PENDING, *_ON_THEIR_WAY)
TAKEN = "Invited to this course by another upload."


def has_more(batch_id: UUID) -> bool:
    """Whether the batch has rows for another slice, or another sender."""
    may_send = {"id": batch_id.hex, **moves.workable()}
    return outside_transaction(Batch).find_one(may_send, {"_id": 1}) is not None and rows.any_free(
        batch_id, waiting=_job(batch_id).waiting
    )


def send_slice(batch_id: UUID) -> str:
    """Work on a batch for about SLICE_SECONDS; returns the state it is in then. May run many times at once."""
    moves.start(batch_id)
    client = token_services.client(lane=pacing.INVITATIONS)
    breaker.read_first(batch_id, client)
    Slice(batch_id, _job(batch_id), client, seconds=SLICE_SECONDS).run()
    try:
        if not unclear.look(batch_id):
            finish_if_done(batch_id)
    except errors.TrainerCentralError as error:
        breaker.trip(batch_id, error)
    return Batch.objects.values_list("state", flat=True).get(pk=batch_id)


def finish_if_done(batch_id: UUID) -> bool:
    """Close a running batch whose rows are all final. A row never leaves a final state by itself.

    Rows that wait for a look at the members, and nothing else, get it. Raises TrainerCentralError when rows of
    unknown outcome cannot be looked up now.
    """
    job = _job(batch_id)
    if rows.any_in(batch_id, *_ON_THEIR_WAY) or rows.any_free(batch_id, waiting=job.waiting):
        return False
    if rows.any_called(batch_id, job.waiting):
        moves.look_again(batch_id)
        return False
    if job is undoing.UNDO:
        return undoing.finish_if_done(batch_id)
    if job is second_invitation.AGAIN:
        return second_invitation.finish(batch_id)
    if reconciling.advance(batch_id) or rows.any_in(batch_id, *_UNFINISHED):
        return False
    state = moves.finished_state(batch_id)
    running = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING, undoing=False, inviting_again=False)
    if not running.update(state=state, finished_at=clock.now(), reason="", look_at=None):
        return False
    if rows.any_in(batch_id, *_UNFINISHED):  # the rule or a person decided to send at this very moment
        Batch.objects.filter(pk=batch_id, state=state).update(state=Batch.State.QUEUED, finished_at=None)
        return False
    audit.record(action=f"batch.{state}", target=f"batch {batch_id}")
    return True


def _job(batch_id: UUID) -> Job:
    batch = outside_transaction(Batch).find_one({"id": batch_id.hex}, ["undoing", "inviting_again"]) or {}
    if batch.get("undoing"):
        return undoing.UNDO
    return second_invitation.AGAIN if batch.get("inviting_again") else SEND


def _claim(taken: list[Row]) -> tuple[list[Row], list[Outcome]]:
    """Those whose learner is theirs to invite; the others were invited by another batch meanwhile."""
    won = claims.win(taken)
    ids = {row["id"] for row in won}
    return won, [Outcome(row, State.ALREADY_INVITED, {"reason": TAKEN}) for row in taken if row["id"] not in ids]


def _call(row: Row, client: "TrainerCentralClient") -> Outcome:
    """The one call for this row. Raises NoSlotInTime, and TrainerCentralError when it never left."""
    try:
        invited = post.post(row, client)
    except post.DEFINITE as error:
        claims.release([row])
        return Outcome(row, State.FAILED, {"reason": error.sentence})
    except errors.OutcomeUnknown as error:
        post.note_end(row)
        since = {"unknown_since": rows.NOW, "finding": "", "answer_kind": post.kind_of(error)}
        return Outcome(row, State.UNKNOWN, {"reason": error.sentence, **since}, error)
    except post.NOT_ACTED as error:
        if rows.refusals(row) + 1 < post.MOST_REFUSALS or isinstance(error, errors.Throttled):
            return rows.called_again(row, State.PENDING, error)
        claims.release([row])
        return Outcome(row, State.FAILED, {"reason": error.sentence}, error)
    state = State.ALREADY_ENROLLED if invited.already_enrolled else State.INVITED
    return Outcome(row, state, {"member_id": invited.member_id, "invited_at": rows.NOW})


SEND = Job(rows.UNSENT, State.SENDING, claim=_claim, call=_call, release=claims.release)
