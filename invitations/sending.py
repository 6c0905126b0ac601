"""Sending one batch, slice by slice: rows, their claims, a call for each, their outcomes; in this order.

Claims are stored before the first call and unique per learner, course and generation, so whatever
crashes, no second call is made blindly. A row whose call may have been made is `unknown` until
`invitations.reconciling` or a person settles it.
"""

import logging
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from coursehub import audit, clock, pacing
from coursehub.models import AccessEnd
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import breaker, claims, moves, reconciling, rows, undoing
from invitations.models import Batch, Invitation
from invitations.rows import Outcome, Row
from invitations.slices import Job, Slice
from oauthtokens import services as token_services

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

log = logging.getLogger(__name__)
State = Invitation.State
SLICE_SECONDS = 5.0  # a task hands its worker back after this long, so that other work gets its turn
_MAY_HAVE_ACTED = (errors.OutcomeUnknown, errors.Unexpected)
_UNFINISHED = (State.PENDING, State.SENDING, State.REVOKING)
TAKEN = "Invited to this course by another upload."


def has_more(batch_id: UUID) -> bool:
    """Whether the batch has rows for another slice, or another sender."""
    may_send = {"id": batch_id.hex, **moves.workable()}
    return outside_transaction(Batch).find_one(may_send, {"_id": 1}) is not None and rows.any_free(
        batch_id, leaving=_job(batch_id).leaving
    )


def send_slice(batch_id: UUID) -> str:
    """Work on a batch for about SLICE_SECONDS; returns the state it is in then. May run many times at once."""
    moves.start(batch_id)
    client = token_services.client(lane=pacing.INVITATIONS)
    Slice(batch_id, _job(batch_id), client, seconds=SLICE_SECONDS).run()
    try:
        finish_if_done(batch_id)
    except errors.TrainerCentralError as error:
        breaker.trip(batch_id, error)
    return Batch.objects.values_list("state", flat=True).get(pk=batch_id)


def finish_if_done(batch_id: UUID) -> bool:
    """Close a running batch whose rows are all final. A row never leaves a final state by itself.

    Raises TrainerCentralError when rows of unknown outcome cannot be looked up now.
    """
    if rows.any_in(batch_id, *_UNFINISHED):
        return False
    if Batch.objects.filter(pk=batch_id, undoing=True).exists():
        return undoing.finish_if_done(batch_id)
    if reconciling.advance(batch_id) or rows.any_in(batch_id, *_UNFINISHED):
        return False
    errors_left = rows.any_in(batch_id, State.FAILED, State.UNKNOWN)
    state = Batch.State.COMPLETED_WITH_ERRORS if errors_left else Batch.State.COMPLETED
    running = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING, undoing=False)
    if not running.update(state=state, finished_at=clock.now(), reason="", look_at=None):
        return False
    if rows.any_in(batch_id, *_UNFINISHED):  # the rule or a person decided to send at this very moment
        Batch.objects.filter(pk=batch_id, state=state).update(state=Batch.State.QUEUED, finished_at=None)
        return False
    audit.record(action=f"batch.{state}", target=f"batch {batch_id}")
    return True


def _job(batch_id: UUID) -> Job:
    return undoing.UNDO if Batch.objects.filter(pk=batch_id, undoing=True).exists() else SEND


def _claim(taken: list[Row]) -> tuple[list[Row], list[Outcome]]:
    """Those whose learner is theirs to invite; the others were invited by another batch meanwhile."""
    won = claims.win(taken)
    ids = {row["id"] for row in won}
    return won, [Outcome(row, State.ALREADY_INVITED, {"reason": TAKEN}) for row in taken if row["id"] not in ids]


def _call(row: Row, client: "TrainerCentralClient") -> Outcome:
    """The one call for this row. Raises NoSlotInTime, and TrainerCentralError when it provably did not act."""
    try:
        invited = client.invite(
            course_id=row["course_id"], email=row["email"],
            first_name=row["first_name"], last_name=row["last_name"], expires_at_ms=_milliseconds(row),
        )  # fmt: skip
    except (errors.Refused, errors.NotFound) as error:
        claims.release([row])
        return Outcome(row, State.FAILED, {"reason": error.sentence})
    except _MAY_HAVE_ACTED as error:
        log.warning("Invitation %s: %s", row["id"], error.detail)
        breaker.unanswered(UUID(row["batch_id"]), error)
        _note_end(row)
        return Outcome(row, State.UNKNOWN, {"reason": error.sentence, "unknown_since": clock.server_now()})
    _note_end(row)
    state = State.ALREADY_ENROLLED if invited.already_enrolled else State.INVITED
    return Outcome(row, state, {"member_id": invited.member_id, "invited_at": clock.server_now()})


def _milliseconds(row: Row) -> int | None:
    """When the learner's access ends, as the API wants it; None: never."""
    expires_at = row.get("access_expires_at")
    return round(expires_at.replace(tzinfo=UTC).timestamp() * 1000) if expires_at else None


def _note_end(row: Row) -> None:
    """Nobody else knows when access ends: TrainerCentral does not list it."""
    if ends_at := row.get("access_expires_at"):
        AccessEnd.note(course_id=row["course_id"], email_folded=row["email_folded"], ends_at=ends_at)


SEND = Job(State.PENDING, State.SENDING, claim=_claim, call=_call, release=claims.release)
