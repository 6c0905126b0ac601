"""What people do with batches. Every move is one conditional update that names the states it may leave."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from bson import Timestamp
from django.conf import settings
from django.core.exceptions import ValidationError

from coursehub import audit, clock, pacing
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import reading
from invitations.models import Batch, Claim, Invitation

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
    _move(batch.pk, leaving=[Batch.State.UPLOADED], state=Batch.State.PREVIEW)
    batch.refresh_from_db()
    _audit("batch.uploaded", batch, user.get_username(), rows=len(invitations))
    return batch


def confirm(batch: Batch, *, actor: str) -> bool:
    """Send what the preview showed. False when the batch was no longer in preview."""
    return _act("confirmed", batch, actor, leaving=[Batch.State.PREVIEW], state=Batch.State.QUEUED)


def pause(batch: Batch, *, actor: str) -> bool:
    """Start no further call until a person resumes."""
    return _act(
        "paused", batch, actor,
        leaving=[Batch.State.QUEUED, Batch.State.RUNNING, Batch.State.PAUSED],
        state=Batch.State.PAUSED, reason=f"Paused by {actor}.", resume_at=None,
    )  # fmt: skip


def resume(batch: Batch, *, actor: str) -> bool:
    """Go on after a pause, whoever paused."""
    return _act(
        "resumed", batch, actor,
        leaving=[Batch.State.PAUSED], state=Batch.State.RUNNING, reason="", resume_at=None, failures=0,
    )  # fmt: skip


def cancel(batch: Batch, *, actor: str) -> bool:
    """Start no further call, ever; rows that were not attempted say so."""
    cancelled = _act(
        "cancelled", batch, actor,
        leaving=[Batch.State.UPLOADED, Batch.State.PREVIEW, *Batch.WORKING],
        state=Batch.State.CANCELLED, reason=f"Cancelled by {actor}.", finished_at=clock.now(), resume_at=None,
    )  # fmt: skip
    if cancelled:
        Invitation.objects.filter(batch=batch, state=State.PENDING).update(state=State.NOT_ATTEMPTED)
    return cancelled


def retry(batch: Batch, *, actor: str) -> bool:
    """Try the rows that TrainerCentral refused once more, and look up those of unknown outcome again."""
    rows = Invitation.objects.filter(batch=batch)
    # Rows first: a batch that runs without a pending row would close itself.
    rows.filter(state=State.FAILED, batch__state=Batch.State.COMPLETED_WITH_ERRORS).update(
        state=State.PENDING, reason=""
    )
    if not rows.filter(state__in=[State.PENDING, State.UNKNOWN]).exists():
        return False
    return _act(
        "retried", batch, actor,
        leaving=[Batch.State.COMPLETED_WITH_ERRORS], state=Batch.State.QUEUED, reason="", finished_at=None, failures=0,
    )  # fmt: skip


ACTIONS = {"confirm": confirm, "pause": pause, "resume": resume, "cancel": cancel, "retry": retry}


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
    finish_at = _finish_at(remaining, rate_per_minute)
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
    earlier = _earlier_claims(course_id, [row.email_folded for row in rows if row.good])
    return [_invitation(row, course_id, row.email_folded in earlier) for row in rows]


def _invitation(row: reading.Row, course_id: str, invited_earlier: bool) -> Invitation:
    state, reason = State.PENDING, row.problem
    if row.problem:
        state = State.INVALID
    elif row.duplicate_of:
        state, reason = State.DUPLICATE, f"The same address as in line {row.duplicate_of}."
    elif invited_earlier:
        state, reason = State.ALREADY_INVITED, "Invited to this course by an earlier upload."
    return Invitation(
        course_id=course_id, line=row.line, email=row.email, email_folded=row.email_folded,
        first_name=row.first_name, last_name=row.last_name, state=state, reason=reason,
    )  # fmt: skip


def _earlier_claims(course_id: str, folded: list[str]) -> set[str]:
    claims = outside_transaction(Claim)
    found: set[str] = set()
    for start in range(0, len(folded), _INSERT_CHUNK_ROWS):
        chunk = folded[start : start + _INSERT_CHUNK_ROWS]
        found.update(claims.distinct("email_folded", {"course_id": course_id, "email_folded": {"$in": chunk}}))
    return found


def _refuse_without_good_rows(invitations: list[Invitation]) -> None:
    if any(invitation.state == State.PENDING for invitation in invitations):
        return
    if not invitations:
        raise reading.FileRefused("The file has headings but no rows.")
    first = invitations[0]
    raise reading.FileRefused(
        f"None of the {len(invitations)} rows can be invited; the first, in line {first.line}: {first.reason}"
    )


def _act(verb: str, batch: Batch, actor: str, *, leaving: list[str], **changes) -> bool:
    moved = _move(batch.pk, leaving=leaving, **changes)
    if moved:
        _audit(f"batch.{verb}", batch, actor)
    return moved


def _move(batch_id: UUID, *, leaving: list[str], **changes) -> bool:
    return Batch.objects.filter(pk=batch_id, state__in=leaving).update(**changes) == 1


def _audit(action: str, batch: Batch, actor: str, **detail) -> None:
    audit.record(action=action, actor=actor, target=f"batch {batch.pk}", detail={"course": batch.course_id, **detail})


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
