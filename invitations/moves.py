"""How a batch changes its state: one conditional update that names the states it may leave, then the audit."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError

from coursehub import audit
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


def record(action: str, batch: Batch, actor: str, **detail) -> None:
    audit.record(action=action, actor=actor, target=f"batch {batch.pk}", detail={"course": batch.course_id, **detail})
