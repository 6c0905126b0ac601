"""Rows of unknown outcome, by what the look-ups found: what one decision is made about."""

from collections.abc import Iterator
from dataclasses import dataclass

from coursehub.mongo import outside_transaction
from invitations.models import NOT_LOOKED_UP, Batch, Invitation

MOST_LISTED = 100
_CHUNK_ROWS = 2_000


@dataclass(frozen=True)
class Finding:
    """`text` as stored ("" before the first look-up), how many rows share it, and the first of them."""

    text: str
    count: int
    rows: list[Invitation]

    @property
    def sentence(self) -> str:
        return self.text or NOT_LOOKED_UP


def of(batch: Batch) -> list[Finding]:
    """The findings of a batch, the most frequent first."""
    unknown = {"batch_id": batch.pk.hex, "state": Invitation.State.UNKNOWN}
    by_finding = {"$group": {"_id": {"$ifNull": ["$finding", ""]}, "rows": {"$sum": 1}}}
    groups = outside_transaction(Invitation).aggregate([{"$match": unknown}, by_finding, {"$sort": {"rows": -1}}])
    rows = Invitation.objects.filter(batch=batch, state=Invitation.State.UNKNOWN).order_by("line")
    return [
        Finding(group["_id"], group["rows"], list(rows.filter(finding=group["_id"])[:MOST_LISTED])) for group in groups
    ]


def rows_of(batch: Batch, finding: str) -> Iterator[Invitation]:
    """The rows of unknown outcome of which the look-ups found the same, for one decision about all of them."""
    unknown = Invitation.objects.filter(batch=batch, state=Invitation.State.UNKNOWN)
    return unknown.filter(finding=finding).iterator(_CHUNK_ROWS)
