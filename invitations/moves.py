"""How a batch changes its state: one conditional update that names the states it may leave, then the audit."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from coursehub import audit, clock
from coursehub.mongo import outside_transaction
from invitations.models import Batch


def act(verb: str, batch: Batch, actor: str, *, leaving: Sequence[str], detail: dict | None = None, **changes) -> bool:
    """Move the batch for a person; False, with nothing changed, when it was in none of `leaving`."""
    moved = move(batch.pk, leaving=leaving, **changes)
    if moved:
        record(f"batch.{verb}", batch, actor, **(detail or {}))
    return moved


def move(batch_id: UUID, *, leaving: Sequence[str], **changes) -> bool:
    """False, too, when a batch of the same content is open and this one would be a second."""
    try:
        return Batch.objects.filter(pk=batch_id, state__in=leaving).update(**changes) == 1
    except IntegrityError:
        return False


def startable() -> dict[str, Any]:
    """The filter for confirmed batches whose members were looked up, and whose time has come."""
    due = {"$lte": [{"$ifNull": ["$start_at", 0]}, clock.server_now()]}
    return {"state": Batch.State.QUEUED, "members_checked_at": {"$ne": None}, "$expr": due}


def workable() -> dict[str, Any]:
    """The filter for batches that run, or may begin."""
    return {"$or": [{"state": Batch.State.RUNNING}, startable()]}


def start(batch_id: UUID) -> bool:
    """Begin with a batch if it is startable."""
    begun = {"state": Batch.State.RUNNING, "started_at": {"$ifNull": ["$started_at", clock.server_now()]}}
    return (
        outside_transaction(Batch).update_one({"id": batch_id.hex, **startable()}, [{"$set": begun}]).modified_count
        == 1
    )


def record(action: str, batch: Batch, actor: str, **detail) -> None:
    audit.record(action=action, actor=actor, target=f"batch {batch.pk}", detail={"course": batch.course_id, **detail})
