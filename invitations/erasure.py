"""For coursehub.privacy: one learner's cells, the files that hold them, and the claims.

A learner whose claims were deleted is a stranger to a later upload, and is invited by it.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from coursehub.emails import spellings
from coursehub.models import AccessEnd
from coursehub.mongo import outside_transaction
from coursehub.privacy import erasure
from invitations.models import NO_CELLS, UPLOADED_BYTES, Batch, Claim, Invitation, Piece

State = Invitation.State
ERASED = "The learner was erased."
_NOT_YET_INVITED = [State.PENDING, State.UNKNOWN, State.FAILED]


def erase(email: str) -> dict[str, int]:
    """Rows lose the learner's cells, files with the learner in them are deleted, claims too."""
    named = {"$in": sorted(spellings(email))}
    wanted = {"email_folded": named}
    # A row whose address was corrected holds the learner's name still, and is theirs under both addresses.
    theirs: dict[str, Any] = {"$or": [wanted, {"email_before": named}]}
    rows = outside_transaction(Invitation)
    files = _delete_files(rows.distinct("batch_id", theirs))
    rows.update_many(theirs | {"state": {"$in": _NOT_YET_INVITED}}, {"$set": {"state": State.NOT_ATTEMPTED}})
    erased = rows.update_many(theirs, {"$set": NO_CELLS | {"reason": ERASED}}).modified_count
    claims = outside_transaction(Claim).delete_many(wanted).deleted_count
    outside_transaction(AccessEnd).delete_many(wanted)
    return {"invitations": erased, "claims": claims, "uploaded_files": files}


def _delete_files(batch_ids: list[str]) -> int:
    """How many there were. One that is not read yet is left for `delete_file_of_erased`."""
    read = {"id": {"$in": batch_ids}, "state": {"$ne": Batch.State.UPLOADED}}
    held = {"batch_id": {"$in": outside_transaction(Batch).distinct("id", read)}}
    count = outside_transaction(Piece).delete_many(held | {"number": 0} | UPLOADED_BYTES).deleted_count
    outside_transaction(Piece).delete_many(held)
    return count


def delete_file_of_erased(batch_id: UUID) -> None:
    """Called once a file was read: delete it if somebody in it was erased before that."""
    if outside_transaction(Invitation).find_one({"batch_id": batch_id.hex, "reason": ERASED}, {"_id": 1}):
        _delete_files([batch_id.hex])


def end_unread(batch: Batch) -> None:
    """Called once a batch has ended whose file nobody reads to its end: who was erased before may stand in it."""
    if erasure.has_erased(since=batch.created_at):
        erasure.erase_again(actor="system", since=batch.created_at)
        _delete_files([batch.pk.hex])


def held_addresses() -> Iterator[str]:
    """Every address that rows, claims or ends of access hold, and as the cells spell it."""
    for model in (Invitation, Claim, AccessEnd):
        for row in outside_transaction(model).find({"email_folded": {"$ne": ""}}, {"email_folded": 1, "email": 1}):
            yield row["email_folded"]
            if row.get("email"):
                yield row["email"]
    corrected = {"email_before": {"$gt": ""}}
    for row in outside_transaction(Invitation).find(corrected, {"email_before": 1}):
        yield row["email_before"]
