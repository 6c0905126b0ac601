"""Rows of a reading of a file that another reading has overtaken: deleted, and never one of the other's."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation

_AT_ONCE = 10_000


def delete_before_reading(batch_id: UUID) -> None:
    """Delete the rows of a batch that is to be read anew, if nothing of that is stored yet."""
    begun = {"id": batch_id.hex, "state": Batch.State.UPLOADED, "total": 0}
    delete({"batch_id": batch_id.hex}, lambda: outside_transaction(Batch).find_one(begun, {"_id": True}) is not None)


def delete(wanted: dict[str, Any], may_go: Callable[[], bool]) -> bool:
    """Delete rows as long as `may_go` says so; what it says of a moment counts for rows that were there before it."""
    rows = outside_transaction(Invitation)
    while keys := [row["_id"] for row in rows.find(wanted, {"_id": True}).limit(_AT_ONCE)]:
        if not may_go():
            return False
        rows.delete_many({"_id": {"$in": keys}})
    return True
