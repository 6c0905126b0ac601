"""Sending one batch: a slot, a row, a claim, a call, a result; in this order, and each exactly once.

The claim is written before the call and unique per learner and course, so whatever crashes, no
second call is made for it. A row whose call may have been made is `unknown`, never sent again blindly.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from coursehub import audit, clock, pacing
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import reading
from invitations.models import Batch, Claim, Invitation
from oauthtokens import services as token_services

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

log = logging.getLogger(__name__)
State = Invitation.State
SLICE_SECONDS = 5.0  # a task hands its worker back after this long, so that other work gets its turn
_CALL_SECONDS = settings.TRAINERCENTRAL_CONNECT_SECONDS + settings.TRAINERCENTRAL_READ_SECONDS
LEASE_SECONDS = 2 * _CALL_SECONDS + settings.TOKEN_LEASE_SECONDS  # longer than any call it guards
_PROBE_SECONDS = (3, 5, 10, 20, 30, 60)  # how long a batch pauses after the first, second, ... failure
_UNKNOWN_IN_A_ROW = 3
_MAY_HAVE_ACTED = (errors.OutcomeUnknown, errors.Unexpected)


def send_slice(batch_id: UUID) -> str:
    """Work on a batch for about SLICE_SECONDS; returns the state it is in then. May run many times at once."""
    Batch.objects.filter(pk=batch_id, state=Batch.State.QUEUED, started_at=None).update(started_at=clock.now())
    Batch.objects.filter(pk=batch_id, state=Batch.State.QUEUED).update(state=Batch.State.RUNNING)
    deadline = time.monotonic() + SLICE_SECONDS
    client = token_services.client(lane=pacing.INVITATIONS)
    with ThreadPoolExecutor(settings.INVITE_CONCURRENCY, thread_name_prefix="invite") as pool:
        for finished in [
            pool.submit(_send_until, deadline, batch_id, client) for _ in range(settings.INVITE_CONCURRENCY)
        ]:
            finished.result()
    try:
        finish_if_done(batch_id)
    except errors.TrainerCentralError as error:
        _pause_batch(batch_id, error)
    return Batch.objects.values_list("state", flat=True).get(pk=batch_id)


def finish_if_done(batch_id: UUID) -> bool:
    """Close a running batch whose rows are all final. A row never leaves a final state by itself.

    Raises TrainerCentralError when rows of unknown outcome cannot be looked up now.
    """
    if _any_row(batch_id, [State.PENDING, State.SENDING]):
        return False
    settle_unknown(batch_id)
    errors_left = _any_row(batch_id, [State.FAILED, State.UNKNOWN])
    state = Batch.State.COMPLETED_WITH_ERRORS if errors_left else Batch.State.COMPLETED
    closed = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING).update(state=state, finished_at=clock.now())
    if closed:
        audit.record(action=f"batch.{state}", target=f"batch {batch_id}")
    return bool(closed)


def expire_leases() -> int:
    """Rows whose sender died in the middle of a call: the outcome is unknown. Returns how many."""
    return (
        outside_transaction(Invitation)
        .update_many(
            {"state": State.SENDING, "$expr": {"$lt": ["$lease_until", clock.server_now()]}},
            {"$set": {"state": State.UNKNOWN, "reason": "The sending process ended before it heard the answer."}},
        )
        .modified_count
    )


def settle_unknown(batch_id: UUID) -> int:
    """Read the course's members; an unknown row whose learner is there was invited. Returns how many were."""
    rows = {row.email_folded: row.pk for row in Invitation.objects.filter(batch_id=batch_id, state=State.UNKNOWN)}
    if not rows:
        return 0
    course_id = Batch.objects.values_list("course_id", flat=True).get(pk=batch_id)
    settled = 0
    for member in token_services.client(lane=pacing.INVITATIONS).iter_course_members(course_id):
        row_id = rows.get(reading.fold(member.email.strip()))
        if row_id is not None:
            changes = {
                "state": State.INVITED,
                "reason": "Found among the course's members.",
                "member_id": member.member_id,
            }
            settled += Invitation.objects.filter(pk=row_id, state=State.UNKNOWN).update(**changes)
    return settled


def _send_until(deadline: float, batch_id: UUID, client: "TrainerCentralClient") -> None:
    while (left := deadline - time.monotonic()) > 0 and _any_row(batch_id, [State.PENDING]):
        if not pacing.reserve_slot(pacing.INVITATIONS, within_seconds=left):
            time.sleep(min(left, 0.25))
            continue
        batch = outside_transaction(Batch).find_one({"id": batch_id.hex, "state": Batch.State.RUNNING}, ["failures"])
        row = _take_row(batch_id) if batch else None
        if not batch or row is None:
            return
        if _deliver(row, client) and batch["failures"]:
            Batch.objects.filter(pk=batch_id).update(failures=0)


def _any_row(batch_id: UUID, states: list[str]) -> bool:
    return Invitation.objects.filter(batch_id=batch_id, state__in=states).exists()


def _take_row(batch_id: UUID) -> dict | None:
    """Win the next pending row; it is ours until its lease ends."""
    return outside_transaction(Invitation).find_one_and_update(
        {"batch_id": batch_id.hex, "state": State.PENDING},
        [{"$set": {"state": State.SENDING, "lease_until": clock.after(LEASE_SECONDS)}}],
        sort=[("line", 1)],
        return_document=ReturnDocument.AFTER,
    )


def _deliver(row: dict, client: "TrainerCentralClient") -> bool:
    """Make the one call for this row and write what came of it; True when TrainerCentral took it."""
    if not _claim(row):
        _settle(row, State.ALREADY_INVITED, reason="Invited to this course by another upload.")
        return False
    try:
        invited = client.invite(
            course_id=row["course_id"], email=row["email"], first_name=row["first_name"], last_name=row["last_name"]
        )
    except (errors.Refused, errors.NotFound) as error:
        _release_claim(row)
        _settle(row, State.FAILED, reason=error.sentence)
        return False
    except errors.TrainerCentralError as error:
        log.warning("Invitation %s: %s", row["id"], error.detail)
        _after_trouble(row, error)
        return False
    state = State.ALREADY_ENROLLED if invited.already_enrolled else State.INVITED
    _settle(row, state, member_id=invited.member_id, invited_at=clock.server_now())
    return True


def _after_trouble(row: dict, error: errors.TrainerCentralError) -> None:
    """The call failed for a reason that is not the row's: keep the row, pause its batch, probe later."""
    batch_id = UUID(row["batch_id"])
    if not isinstance(error, _MAY_HAVE_ACTED):
        _release_claim(row)
        _give_back(row)
        _pause_batch(batch_id, error)
        return
    _settle(row, State.UNKNOWN, reason=error.sentence)
    if _count_failure(batch_id) >= _UNKNOWN_IN_A_ROW:
        _pause_batch(batch_id, error)


def _give_back(row: dict) -> None:
    """The row waits again, unless its batch was cancelled while it was out."""
    _settle(row, State.PENDING)
    if Batch.objects.filter(pk=row["batch_id"], state=Batch.State.CANCELLED).exists():
        Invitation.objects.filter(pk=row["id"], state=State.PENDING).update(state=State.NOT_ATTEMPTED)


def _claim(row: dict) -> bool:
    """Win the right to invite this learner to this course."""
    claim = {
        "key": Claim.key_of(row["course_id"], row["email_folded"]),
        "course_id": row["course_id"],
        "email_folded": row["email_folded"],
        "generation": 1,
        "invitation_id": row["id"],
    }
    try:
        outside_transaction(Claim).insert_one(claim)
    except DuplicateKeyError:
        return False
    return True


def _release_claim(row: dict) -> None:
    """The call provably invited nobody. Before the row goes back: its next sender needs a free claim."""
    key = Claim.key_of(row["course_id"], row["email_folded"])
    outside_transaction(Claim).delete_one({"key": key, "invitation_id": row["id"]})


def _settle(row: dict, state: str, **changes) -> None:
    """Write the outcome. A definite answer also corrects a row that a sweep called unknown meanwhile."""
    leaving = [State.SENDING] if state == State.UNKNOWN else [State.SENDING, State.UNKNOWN]
    literals = {"state": state, "reason": "", **changes}
    values = {name: value if value == clock.server_now() else {"$literal": value} for name, value in literals.items()}
    outside_transaction(Invitation).update_one(
        {"id": row["id"], "state": {"$in": leaving}}, [{"$set": {**values, "lease_until": None}}]
    )


def _count_failure(batch_id: UUID) -> int:
    batches = outside_transaction(Batch)
    batch = batches.find_one_and_update(
        {"id": batch_id.hex}, {"$inc": {"failures": 1}}, return_document=ReturnDocument.AFTER
    )
    return batch["failures"] if batch else 1


def _pause_batch(batch_id: UUID, error: errors.TrainerCentralError) -> None:
    """Pause with the reason; the ticker resumes when the probe is due. A throttle pauses everybody."""
    failures = _count_failure(batch_id)
    seconds: float = _PROBE_SECONDS[min(failures, len(_PROBE_SECONDS)) - 1]
    if isinstance(error, errors.Throttled):
        seconds = error.wait_seconds
        pacing.pause(seconds)
    paused = {"state": Batch.State.PAUSED, "reason": {"$literal": error.sentence}, "resume_at": clock.after(seconds)}
    outside_transaction(Batch).update_one({"id": batch_id.hex, "state": Batch.State.RUNNING}, [{"$set": paused}])
