"""What people do with batches. Every move is one conditional update that names the states it may leave."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from bson import Timestamp
from django.conf import settings
from django.core.exceptions import ValidationError

from coursehub import clock, pacing
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import claims, decisions, moves, reading, reconciling
from invitations.models import Batch, Invitation

State = Invitation.State
_INSERT_CHUNK_ROWS = 5_000


def upload(*, user, course: Course, filename: str, content: bytes) -> Batch:
    """Judge every row and store the batch for preview.

    Raises reading.FileRefused, with nothing stored, when the file or all of its rows are unusable.
    """
    rows = reading.read_rows(content, max_rows=settings.UPLOAD_MAX_ROWS)
    invitations = _judged(rows, course.course_id)
    _refuse_without_good_rows(invitations)
    batch = Batch.objects.create(
        course_id=course.course_id,
        course_name=course.name,
        filename=filename[:255],
        uploaded_by=user,
        created_at=clock.now(),
        state=Batch.State.UPLOADED,
        total=len(invitations),
    )
    for invitation in invitations:
        invitation.batch = batch
    Invitation.objects.bulk_create(invitations, batch_size=_INSERT_CHUNK_ROWS)
    # Only now is the preview complete: a crash above leaves a batch that nobody can confirm.
    moves.move(batch.pk, leaving=[Batch.State.UPLOADED], state=Batch.State.PREVIEW)
    batch.refresh_from_db()
    moves.record("batch.uploaded", batch, user.get_username(), rows=len(invitations))
    return batch


def confirm(batch: Batch, *, actor: str) -> bool:
    """Send what the preview showed. False when the batch was no longer in preview."""
    return moves.act("confirmed", batch, actor, leaving=[Batch.State.PREVIEW], state=Batch.State.QUEUED)


def pause(batch: Batch, *, actor: str) -> bool:
    """Start no further call until a person resumes."""
    return moves.act(
        "paused", batch, actor,
        leaving=[Batch.State.QUEUED, Batch.State.RUNNING, Batch.State.PAUSED],
        state=Batch.State.PAUSED, reason=f"Paused by {actor}.", resume_at=None,
    )  # fmt: skip


def resume(batch: Batch, *, actor: str) -> bool:
    """Go on after a pause, whoever paused."""
    return moves.act(
        "resumed", batch, actor,
        leaving=[Batch.State.PAUSED],
        state=Batch.State.RUNNING, reason="", resume_at=None, failures=0, probe_until=None,
    )  # fmt: skip


def cancel(batch: Batch, *, actor: str) -> bool:
    """Start no further call, ever; rows that were not attempted say so."""
    cancelled = moves.act(
        "cancelled", batch, actor,
        leaving=[Batch.State.UPLOADED, Batch.State.PREVIEW, *Batch.WORKING],
        state=Batch.State.CANCELLED, reason=f"Cancelled by {actor}.", finished_at=clock.now(), resume_at=None,
        undoing=False,
    )  # fmt: skip
    if cancelled:
        Invitation.objects.filter(batch=batch, state=State.PENDING).update(state=State.NOT_ATTEMPTED)
    return cancelled


ACTIONS = {
    "confirm": confirm,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "retry": decisions.retry,
    "undo": decisions.undo,
}


def status(batch_id: UUID | str) -> dict | None:
    """The batch as `status.json` gives it, or None when there is none.

    `revision` grows with MongoDB's cluster time, so that of two answers from any two processes the
    newer one is known.
    """
    try:
        batch = Batch.objects.filter(pk=batch_id).first()
    except ValidationError:
        return None
    if batch is None:
        return None
    counts, revision = _counts_at_one_moment(batch)
    remaining = counts.get(State.PENDING, 0) + counts.get(State.SENDING, 0)
    rate_per_minute = _rate_per_minute(batch) if batch.state == Batch.State.RUNNING else 0.0
    finish_at = _finish_at(remaining, rate_per_minute) or reconciling.settles_at(batch)
    return {
        "id": str(batch.pk),
        "state": batch.state,
        "reason": batch.reason,
        "counts": counts,
        "total": batch.total,
        "rate_per_minute": round(rate_per_minute, 1),
        "finish_at": finish_at.isoformat() if finish_at else None,
        "revision": revision,
    }


def planned_seconds(calls: int) -> float:
    """How long `calls` invitations take at the present budget; 0 without one."""
    return calls * pacing.interval_seconds()


def _judged(rows: list[reading.Row], course_id: str) -> list[Invitation]:
    earlier = claims.latest(course_id, [row.email_folded for row in rows if row.good])
    return [_invitation(row, course_id, earlier.get(row.email_folded)) for row in rows]


def _invitation(row: reading.Row, course_id: str, claim: dict | None) -> Invitation:
    """The row with its verdict; `claim` is the learner's latest. One that was undone may be invited anew."""
    state, reason, generation = State.PENDING, row.problem, 1
    if row.problem:
        state = State.INVALID
    elif row.duplicate_of:
        state, reason = State.DUPLICATE, f"The same address as in line {row.duplicate_of}."
    elif claim and not claim.get("undone_at"):
        state, reason = State.ALREADY_INVITED, "Invited to this course by an earlier upload."
    elif claim:
        generation = claim["generation"] + 1
    return Invitation(
        course_id=course_id, line=row.line, email=row.email, email_folded=row.email_folded,
        first_name=row.first_name, last_name=row.last_name, state=state, reason=reason, generation=generation,
    )  # fmt: skip


def _refuse_without_good_rows(invitations: list[Invitation]) -> None:
    if any(invitation.state == State.PENDING for invitation in invitations):
        return
    if not invitations:
        raise reading.FileRefused("The file has headings but no rows.")
    first = invitations[0]
    raise reading.FileRefused(
        f"None of the {len(invitations)} rows can be invited; the first, in line {first.line}: {first.reason}"
    )


def _counts_at_one_moment(batch: Batch) -> tuple[dict[str, int], int]:
    """Rows per state as of one snapshot, so that a row on its way between two states is counted once."""
    invitations = outside_transaction(Invitation)
    stages: list[dict] = [
        {"$match": {"batch_id": batch.pk.hex}},
        {"$group": {"_id": "$state", "rows": {"$sum": 1}}},
    ]
    with invitations.database.client.start_session(snapshot=True) as session:
        counts = {group["_id"]: group["rows"] for group in invitations.aggregate(stages, session=session)}
        return counts, _as_number(session.cluster_time)


def _as_number(cluster_time: Mapping | None) -> int:
    """MongoDB's cluster time as a growing number that JavaScript can hold."""
    moment = cluster_time["clusterTime"] if cluster_time else Timestamp(0, 0)
    return moment.time * 1_000_000 + moment.inc


def _rate_per_minute(batch: Batch) -> float:
    now = clock.now()
    window_seconds = min(60.0, max(1.0, (now - (batch.started_at or now)).total_seconds()))
    sent = Invitation.objects.filter(batch=batch, invited_at__gt=now - timedelta(seconds=window_seconds)).count()
    return sent * 60 / window_seconds


def _finish_at(remaining: int, rate_per_minute: float) -> datetime | None:
    if not remaining or not rate_per_minute:
        return None
    return clock.now() + timedelta(minutes=remaining / rate_per_minute)
