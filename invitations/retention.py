"""How long an upload's bytes and its learners' cells are kept: UPLOAD_KEEP_DAYS.

A claim outlives both: it is what keeps a learner from being invited twice, and it holds course, address and
generation only.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from coursehub import audit, clock
from coursehub.audit import Action
from invitations.models import NO_CELLS, Batch, Invitation, Piece

State = Invitation.State
TOO_OLD = "It was not confirmed before its rows were deleted."


def due() -> list[str]:
    """Batches whose files and cells are older than UPLOAD_KEEP_DAYS; one that still runs is not due."""
    before = clock.now() - timedelta(days=settings.UPLOAD_KEEP_DAYS)
    kept = Batch.objects.filter(created_at__lt=before, forgotten_at=None).exclude(state__in=Batch.WORKING)
    return [str(batch_id) for batch_id in kept.values_list("pk", flat=True)[:100]]


def kept_until(batch: Batch) -> datetime:
    """When the batch's file and cells are due to be deleted, and a preview that nobody confirmed ends."""
    return batch.created_at + timedelta(days=settings.UPLOAD_KEEP_DAYS)


def forget(batch_id: UUID) -> str:
    """Delete the file's bytes and the learners' cells of one batch; states, ids and times stay. May run twice."""
    waiting = Batch.objects.filter(pk=batch_id).exclude(state__in=[*Batch.WORKING, *Batch.FINAL])
    waiting.update(state=Batch.State.CANCELLED, reason=TOO_OLD, finished_at=clock.now())
    if not Batch.objects.filter(pk=batch_id, state__in=Batch.FINAL).exists():
        return "not final"
    rows = Invitation.objects.filter(batch_id=batch_id)
    rows.filter(state=State.PENDING).update(state=State.NOT_ATTEMPTED)
    # The reason of a row that was not sent may quote the cell.
    rows.filter(state=State.INVALID).update(reason="The row could not be used.")
    rows.filter(state=State.NOT_ATTEMPTED).update(reason="")
    rows.update(**NO_CELLS)
    # Headings may be a line with somebody's name, and a mistyped domain is part of an address.
    # The reason of a file that was refused may quote a cell, too.
    Batch.objects.filter(pk=batch_id, reason__contains="“").update(reason="The file could not be used.")
    Batch.objects.filter(pk=batch_id).update(format={}, leftovers={}, suggestions={}, correcting={}, correcting_at=None)
    Piece.objects.filter(batch_id=batch_id).delete()
    if Batch.objects.filter(pk=batch_id, forgotten_at=None).update(forgotten_at=clock.now()):
        audit.record(action=Action.BATCH_CELLS_DELETED, target=f"batch {batch_id}")
    return "forgotten"
