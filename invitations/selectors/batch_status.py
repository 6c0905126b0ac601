"""How a batch stands: its counts, its pace, what it waits for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from bson import Timestamp
from django.core.exceptions import ValidationError

from coursehub import clock, course_members
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from invitations.models import Batch, Invitation
from invitations.reconciliation import rule
from oauthtokens import services as token_services

State = Invitation.State


def is_settled(batch: Batch) -> bool:
    """Whether it is known what the columns of the batch's file hold; else a person must say it."""
    return not batch.format or (bool("email" in batch.format["columns"]) and not batch.format.get("asks"))


def members_as_of(batch: Batch) -> datetime | None:
    """The age of the oldest list of members that the preview of `batch` rests on; None: one was never read."""
    moments = course_members.known_as_of(_course_ids(batch)).values()
    return min((moment for moment in moments if moment), default=None) if all(moments) else None


def _course_ids(batch: Batch) -> list[str]:
    named = {"batch_id": batch.pk.hex}
    return [batch.course_id] if batch.course_id else outside_transaction(Invitation).distinct("course_id", named)


class BatchStatus(TypedDict):
    """The batch as `status.json` gives it."""

    id: str
    state: str
    reason: str
    counts: dict[str, int]
    total: int
    rate_per_minute: float
    finish_at: str | None
    revision: int


def status(batch_id: UUID | str) -> BatchStatus | None:
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
    rows, revision = _counts_at_one_moment(batch)
    remaining = rows.get(State.PENDING, 0) + rows.get(State.SENDING, 0)
    rate_per_minute = _rate_per_minute(batch) if batch.state == Batch.State.RUNNING else 0.0
    finish_at = _finish_at(remaining, rate_per_minute) or rule.settles_at(batch)
    return {
        "id": str(batch.pk),
        "state": batch.state,
        "reason": batch.reason or _waits_for(batch),
        "counts": rows,
        "total": batch.total,
        "rate_per_minute": round(rate_per_minute, 1),
        "finish_at": finish_at.isoformat() if finish_at else None,
        "revision": revision,
    }


def counts(batch: Batch) -> dict[str, int]:
    """The batch's rows per state, as of one moment; none while its file is being read."""
    return _counts_at_one_moment(batch)[0]


def _waits_for(batch: Batch) -> str:
    if batch.state in (Batch.State.PREVIEW, Batch.State.QUEUED) and not batch.members_checked_at:
        if without_tokens := token_services.why_none():
            return (
                f"{without_tokens} The course's learners are read as soon as there are tokens; nothing is sent before."
            )
        return course_members.waiting_for(_course_ids(batch)).sentence
    return ""


def _counts_at_one_moment(batch: Batch) -> tuple[dict[str, int], int]:
    """Rows per state as of one snapshot, so that a row on its way between two states is counted once."""
    invitations = outside_transaction(Invitation)
    # Half a file's counts say nothing, and counting them four times a second would slow its reading down.
    states = [] if batch.state == Batch.State.UPLOADED else State.values
    # The keys of one state are counted in half the time that a group over the batch takes, which looks at each value.
    stages: list[Document] = [{"$match": {"batch_id": batch.pk.hex, "state": {"$in": []}}}]
    stages += [
        {"$unionWith": {"coll": invitations.name, "pipeline": _counting(batch.pk.hex, state)}} for state in states
    ]
    with invitations.database.client.start_session(snapshot=True) as session:
        counts = {group["_id"]: group["rows"] for group in invitations.aggregate(stages, session=session)}
        return counts, _as_number(session.cluster_time)


def _counting(batch_id: str, state: str) -> list[Document]:
    """One document, with the state as its `_id`; none when there is no such row."""
    wanted = {"batch_id": batch_id, "state": state}
    return [{"$match": wanted}, {"$group": {"_id": None, "rows": {"$sum": 1}}}, {"$set": {"_id": state}}]


def _as_number(cluster_time: Mapping[str, Any] | None) -> int:
    """MongoDB's cluster time as a growing number that JavaScript can hold."""
    moment: Timestamp = cluster_time["clusterTime"] if cluster_time else Timestamp(0, 0)
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
