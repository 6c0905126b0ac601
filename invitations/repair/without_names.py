"""What a person says, once, of the rows without a full name: their names are filled in, or the rows are left out."""

from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations import transitions
from invitations.models import Batch, Invitation
from invitations.repair.revision import MovedOn, Revision, revise
from invitations.sending import missing_names
from invitations.uploads.import_rows import courses_of

State, Names = Invitation.State, Batch.Names
# More rows than this are left out by a worker, since a request would wait for it.
AT_ONCE_ROWS = 2_000
_CHUNK_ROWS = 1_000  # of one transaction
_SAID = {Names.FILLED: Action.BATCH_NAMES_FILLED, Names.LEFT_OUT: Action.BATCH_NAMES_LEFT_OUT}
_LEFT_OUT = {"state": State.INVALID, "reason": missing_names.LEFT_OUT}


def choose(batch: Batch, choice: str, *, actor: str, reading: int | None = None) -> bool:
    """Fill the names in, or leave these rows out. Once; False when that was chosen, or the batch has moved on.

    `reading`: the `read_fence` of the preview that the person saw; False when the file was read anew since.
    """
    if choice not in (Names.FILLED, Names.LEFT_OUT):
        return False
    chosen = transitions.act(
        _SAID[Names(choice)], batch, actor,
        leaving=[Batch.State.PREVIEW], unless={"names__in": [Names.FILLED, Names.LEFT_OUT]},
        only=None if reading is None else {"read_fence": reading},
        detail={"rows": batch.made_names}, names=choice,
    )  # fmt: skip
    if chosen and choice == Names.LEFT_OUT and batch.made_names <= AT_ONCE_ROWS:
        leave_out(batch.pk)
    return chosen


def leave_out(batch_id: UUID) -> str:
    """Take the rows out whose names were made, as was chosen. May run twice, and die anywhere.

    Whoever stands in a later row, with a name, is invited by that.
    """
    chosen = Batch.objects.filter(pk=batch_id, state=Batch.State.PREVIEW, names=Names.LEFT_OUT, made_names__gt=0)
    batch = chosen.select_related("uploaded_by").first()
    if batch is None:
        return "not chosen"
    courses = courses_of(batch.uploaded_by, batch.course_id)
    # Of its rows only: a file that is read anew has others, and asks anew.
    of_reading: dict[str, Any] = {"names": str(Names.LEFT_OUT), "read_fence": batch.read_fence}
    try:
        while ids := _some_waiting(batch_id):
            revise(batch_id, partial(_leave_out, ids), courses=courses, within=[Batch.State.PREVIEW], only=of_reading)
    except MovedOn:
        return "moved on"
    chosen.filter(read_fence=batch.read_fence).update(made_names=0)
    return "left out"


def _leave_out(ids: list[int], revision: Revision) -> None:
    found = [row for row in revision.rows(ids) if row["state"] == State.PENDING and row["name_made"]]
    revision.write([(row, dict(_LEFT_OUT)) for row in found])


def _some_waiting(batch_id: UUID) -> list[int]:
    found = outside_transaction(Invitation).find(missing_names.waiting(batch_id), {"_id": 1})
    return [row["_id"] for row in islice(found, _CHUNK_ROWS)]
