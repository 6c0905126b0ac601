"""How long learners' cells are kept, and how one learner is erased.

A claim outlives both the file and the cells: it is what keeps a learner from being invited twice, and it
holds course, address and generation only. Erasing a learner deletes the claims too: who is uploaded after
that is a stranger and is invited.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from coursehub import audit, clock
from coursehub.emails import spellings
from coursehub.models import AccessEnd
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Claim, Invitation, Piece

State = Invitation.State
NO_CELLS = {"email": "", "email_folded": "", "first_name": "", "last_name": ""}
ERASED = "The learner was erased."
TOO_OLD = "It was not confirmed before its rows were deleted."
_NOT_YET_INVITED = [State.PENDING, State.UNKNOWN, State.FAILED]


def due() -> list[str]:
    """Batches whose files and cells are older than UPLOAD_KEEP_DAYS; one that still runs is not due."""
    before = clock.now() - timedelta(days=settings.UPLOAD_KEEP_DAYS)
    kept = Batch.objects.filter(created_at__lt=before, forgotten_at=None).exclude(state__in=Batch.WORKING)
    return [str(batch_id) for batch_id in kept.values_list("pk", flat=True)[:100]]


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
    Piece.objects.filter(batch_id=batch_id).delete()
    if Batch.objects.filter(pk=batch_id, forgotten_at=None).update(forgotten_at=clock.now()):
        audit.record(action="batch.cells_deleted", target=f"batch {batch_id}")
    return "forgotten"


def erase(email: str) -> dict[str, int]:
    """For privacy.erasure: rows lose the learner's cells, files with the learner in them are deleted, claims too."""
    wanted = {"email_folded": {"$in": sorted(spellings(email))}}
    rows = outside_transaction(Invitation)
    files = _delete_files(rows.distinct("batch_id", wanted))
    rows.update_many(wanted | {"state": {"$in": _NOT_YET_INVITED}}, {"$set": {"state": State.NOT_ATTEMPTED}})
    erased = rows.update_many(wanted, {"$set": NO_CELLS | {"reason": ERASED}}).modified_count
    claims = outside_transaction(Claim).delete_many(wanted).deleted_count
    outside_transaction(AccessEnd).delete_many(wanted)
    return {"invitations": erased, "claims": claims, "uploaded_files": files}


def _delete_files(batch_ids: list[str]) -> int:
    """How many there were. One that is not read yet is left for `delete_file_of_erased`."""
    read = {"id": {"$in": batch_ids}, "state": {"$ne": Batch.State.UPLOADED}}
    held = {"batch_id": {"$in": outside_transaction(Batch).distinct("id", read)}}
    count = outside_transaction(Piece).delete_many(held | {"number": 0}).deleted_count
    outside_transaction(Piece).delete_many(held)
    return count


def delete_file_of_erased(batch_id: UUID) -> None:
    """Called once a file was read: delete it if somebody in it was erased before that."""
    if outside_transaction(Invitation).find_one({"batch_id": batch_id.hex, "reason": ERASED}, {"_id": 1}):
        _delete_files([batch_id.hex])


def held_addresses() -> Iterator[str]:
    """For privacy.erasure: every address that rows, claims or ends of access hold, and as the cells spell it."""
    for model in (Invitation, Claim, AccessEnd):
        for row in outside_transaction(model).find({"email_folded": {"$ne": ""}}, {"email_folded": 1, "email": 1}):
            yield row["email_folded"]
            if row.get("email"):
                yield row["email"]
