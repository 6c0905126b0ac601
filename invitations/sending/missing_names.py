"""Rows without a full name: names are made when the file is read, and a person says once what becomes of them.

TrainerCentral refuses an empty first or last name. Until somebody has chosen (`repair.without_names`), the batch cannot
be confirmed.
"""

from typing import Any
from uuid import UUID

from django.conf import settings

from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation
from invitations.parsing import names

State, Names = Invitation.State, Batch.Names
LEFT_OUT = "Left out: no name."
UNDECIDED = "Say first what becomes of the rows without a full name."
BEING_LEFT_OUT = "The rows without a full name are still being left out: confirm in a moment."
SHOWN = 3
Row = dict[str, Any]


def complete(row: Row) -> Row:
    """The columns of `row` in which it has a full name, and whether anything of it was made."""
    kept = row["first_name"], row["last_name"], row["email_folded"]
    first, last, made = names.completed(*kept, stand_in=settings.LAST_NAME_STAND_IN)
    return {"first_name": first, "last_name": last, "name_made": made or bool(row.get("name_made"))}


def count(batch_id: UUID) -> int:
    """How many rows wait with a name that was made."""
    return outside_transaction(Invitation).count_documents(waiting(batch_id))


def examples(batch_id: UUID) -> list[Invitation]:
    """The first few of these rows, to see by what is meant."""
    made = {"batch_id": batch_id, "state": State.PENDING, "name_made": True}
    return list(Invitation.objects.filter(**made).order_by("line")[:SHOWN])


def obstacle(batch: Batch) -> str:
    """Why the batch cannot be confirmed yet, in one sentence; "" when names are no reason."""
    if not batch.made_names or batch.names == Names.FILLED:
        return ""
    if batch.names == Names.LEFT_OUT:
        return BEING_LEFT_OUT
    if count(batch.pk):
        return UNDECIDED
    # Those rows are in the course already, as a look has shown since. A repair may add one at this moment.
    seen = Batch.objects.filter(pk=batch.pk, names=Names.UNDECIDED, made_names=batch.made_names)
    seen.update(made_names=0)
    return ""


# What a confirmation must not find; see `transitions.act`.
BLOCKS: dict[str, Any] = {"made_names__gt": 0, "names__in": [Names.UNDECIDED, Names.LEFT_OUT]}


def unfinished() -> list[UUID]:
    """Batches whose rows are to be left out and are not yet."""
    chosen = {"state": Batch.State.PREVIEW, "names": Names.LEFT_OUT, "made_names": {"$gt": 0}}
    return [UUID(batch["id"]) for batch in outside_transaction(Batch).find(chosen, ["id"]).limit(20)]


def waiting(batch_id: UUID) -> Row:
    """The filter for these rows."""
    return {"batch_id": batch_id.hex, "state": State.PENDING, "name_made": True}
