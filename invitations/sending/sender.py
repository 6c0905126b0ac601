"""Sending one batch, slice by slice: rows, their claims, a call for each, their outcomes; in this order.

Claims are stored before the first call and unique per learner, course and generation, so whatever
crashes, no second call is made blindly. A row whose call may have been made is `unknown` until
`invitations.reconciliation.rule` or a person settles it.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from coursehub import audit, clock, rate_limit
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import transitions
from invitations.claims import learner_claims, row_leases
from invitations.claims.row_leases import Outcome, Row
from invitations.models import Batch, Invitation
from invitations.reconciliation import rule
from invitations.sending import circuit_breaker, post, second_invitation, unclear_answers, undo
from invitations.sending.runner import Job, Slice
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
    may_send = {"id": batch_id.hex, **transitions.workable()}
    return outside_transaction(Batch).find_one(may_send, {"_id": 1}) is not None and row_leases.any_free(
        batch_id, waiting=_job(batch_id).waiting
    )


def send_slice(batch_id: UUID) -> str:
    """Work on a batch for about SLICE_SECONDS; returns the state it is in then. May run many times at once."""
    transitions.start(batch_id)
    client = token_services.client(lane=rate_limit.INVITATIONS)
    circuit_breaker.read_first(batch_id, client)
    Slice(batch_id, _job(batch_id), client, seconds=SLICE_SECONDS).run()
    try:
        if not unclear_answers.look(batch_id):
            finish_if_done(batch_id)
    except errors.TrainerCentralError as error:
        circuit_breaker.trip(batch_id, error)
    return Batch.objects.values_list("state", flat=True).get(pk=batch_id)


def finish_if_done(batch_id: UUID) -> bool:
    """Close a running batch whose rows are all final. A row never leaves a final state by itself.

    Rows that wait for a look at the members, and nothing else, get it. Raises TrainerCentralError when rows of
    unknown outcome cannot be looked up now.
    """
    job = _job(batch_id)
    if row_leases.any_in(batch_id, *_ON_THEIR_WAY) or row_leases.any_free(batch_id, waiting=job.waiting):
        return False
    if row_leases.any_called(batch_id, job.waiting):
        transitions.look_again(batch_id)
        return False
    if job is undo.UNDO:
        return undo.finish_if_done(batch_id)
    if job is second_invitation.AGAIN:
        return second_invitation.finish(batch_id)
    if rule.advance(batch_id) or row_leases.any_in(batch_id, *_UNFINISHED):
        return False
    state = transitions.finished_state(batch_id)
    running = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING, undoing=False, inviting_again=False)
    if not running.update(state=state, finished_at=clock.now(), reason="", look_at=None):
        return False
    if row_leases.any_in(batch_id, *_UNFINISHED):  # the rule or a person decided to send at this very moment
        Batch.objects.filter(pk=batch_id, state=state).update(state=Batch.State.QUEUED, finished_at=None)
        return False
    audit.record(action=Action(f"batch.{state}"), target=f"batch {batch_id}")
    return True


def _job(batch_id: UUID) -> Job:
    batch = outside_transaction(Batch).find_one({"id": batch_id.hex}, ["undoing", "inviting_again"]) or {}
    if batch.get("undoing"):
        return undo.UNDO
    return second_invitation.AGAIN if batch.get("inviting_again") else SEND


def _claim(taken: list[Row]) -> tuple[list[Row], list[Outcome]]:
    """Those whose learner is theirs to invite; the others were invited by another batch meanwhile."""
    won = learner_claims.win(taken)
    ids = {row["id"] for row in won}
    return won, [Outcome(row, State.ALREADY_INVITED, {"reason": TAKEN}) for row in taken if row["id"] not in ids]


def _call(row: Row, client: "TrainerCentralClient") -> Outcome:
    """The one call for this row. Raises NoSlotInTime, and TrainerCentralError when it never left."""
    try:
        invited = post.post(row, client)
    except post.DEFINITE as error:
        learner_claims.release([row])
        return Outcome(row, State.FAILED, {"reason": error.sentence})
    except errors.OutcomeUnknown as error:
        post.note_end(row)
        since = {"unknown_since": row_leases.NOW, "finding": "", "answer_kind": post.kind_of(error)}
        return Outcome(row, State.UNKNOWN, {"reason": error.sentence, **since}, error)
    except post.NOT_ACTED as error:
        if row_leases.refusals(row) + 1 < post.MOST_REFUSALS or isinstance(error, errors.Throttled):
            return row_leases.called_again(row, State.PENDING, error)
        learner_claims.release([row])
        return Outcome(row, State.FAILED, {"reason": error.sentence}, error)
    state = State.ALREADY_ENROLLED if invited.already_enrolled else State.INVITED
    return Outcome(row, state, {"member_id": invited.member_id, "invited_at": row_leases.NOW})


SEND = Job(row_leases.UNSENT, State.SENDING, claim=_claim, call=_call, release=learner_claims.release)
