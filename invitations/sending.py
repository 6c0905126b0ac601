"""Sending one batch: a slot, some rows, their claims, a call for each, their outcomes; in this order.

Claims are stored before the first call and unique per learner, course and generation, so whatever
crashes, no second call is made blindly. A row whose call may have been made is `unknown` until
`invitations.reconciling` or a person settles it.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from coursehub import audit, clock, pacing
from coursehub.models import AccessEnd
from coursehub.trainercentral import errors
from invitations import breaker, claims, moves, reconciling, rows, undoing
from invitations.breaker import Way
from invitations.models import Batch, Invitation
from invitations.rows import Job, Outcome, Row
from oauthtokens import services as token_services

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

log = logging.getLogger(__name__)
State = Invitation.State
SLICE_SECONDS = 5.0  # a task hands its worker back after this long, so that other work gets its turn
# Rows that a thread takes, claims and settles together when there is no budget to wait for. A crash leaves
# so many rows per thread to look up, and a row waits so long for its outcome to be written.
ROWS_AT_ONCE, _CHUNK_SECONDS = 8, 1.5
# What a call takes at best: near the end of a slice fewer rows are taken, so that all threads end together.
_CALL_SECONDS = 0.1
_MAY_HAVE_ACTED = (errors.OutcomeUnknown, errors.Unexpected)
_UNFINISHED = (State.PENDING, State.SENDING, State.REVOKING)
_ANSWERED = (State.INVITED, State.ALREADY_ENROLLED, State.FAILED)
TAKEN = "Invited to this course by another upload."


def send_slice(batch_id: UUID) -> str:
    """Work on a batch for about SLICE_SECONDS; returns the state it is in then. May run many times at once."""
    moves.start(batch_id)
    deadline = time.monotonic() + SLICE_SECONDS
    job = undoing.UNDO if Batch.objects.filter(pk=batch_id, undoing=True).exists() else SEND
    client = token_services.client(lane=pacing.INVITATIONS)
    with ThreadPoolExecutor(settings.INVITE_CONCURRENCY, thread_name_prefix="invite") as pool:
        for finished in [
            pool.submit(_work_until, deadline, batch_id, job, client) for _ in range(settings.INVITE_CONCURRENCY)
        ]:
            finished.result()
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


def _work_until(deadline: float, batch_id: UUID, job: Job, client: "TrainerCentralClient") -> None:
    """One thread: while there is something to take and it may be called for, a slot first, then the work."""
    while (left := deadline - time.monotonic()) > 0 and rows.any_in(batch_id, job.leaving):
        way = Way.BUSY
        if pacing.reserve_slot(pacing.INVITATIONS, within_seconds=left):
            way = breaker.way(batch_id)
        if way is Way.BUSY:
            time.sleep(min(left, 0.25))
        elif way is Way.CLOSED or not job.do(batch_id, way, client, deadline):
            return


def send_some(batch_id: UUID, way: Way, client: "TrainerCentralClient", deadline: float) -> bool:
    """Take some rows, claim them, call for one after the other, write the outcomes; False when there was no row."""
    began, trouble = time.monotonic(), None
    taken = rows.take(batch_id, _at_once(way, deadline - began))
    claimed = claims.win(taken) if taken else []
    waiting = [row["id"] for row in claimed]
    outcomes = [Outcome(row, State.ALREADY_INVITED, {"reason": TAKEN}) for row in taken if row["id"] not in waiting]
    pacing.give_up_at(began + rows.CALL_BEGINS_SECONDS)
    while claimed and time.monotonic() < began + _CHUNK_SECONDS and breaker.stays(batch_id, way):
        try:
            outcomes.append(_call(claimed[0], client))
        except (errors.TrainerCentralError, pacing.NoSlotInTime) as error:
            trouble = error
            break
        del claimed[0]
    rows.settle(outcomes)
    claims.release(claimed)
    rows.give_back(claimed)
    if isinstance(trouble, errors.TrainerCentralError):
        log.warning("Invitation %s: %s", claimed[0]["id"], trouble.detail)
        breaker.trip(batch_id, trouble)
    elif way is Way.PROBE:
        breaker.probed(batch_id, answered=any(outcome.state in _ANSWERED for outcome in outcomes))
    return bool(taken)


def _at_once(way: Way, left_seconds: float) -> int:
    """How many rows to take: one where each call waits for its turn."""
    if way is Way.PROBE or pacing.interval_seconds():
        return 1
    return max(1, min(ROWS_AT_ONCE, round(left_seconds / _CALL_SECONDS)))


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


SEND = Job(State.PENDING, send_some)
