"""Reading a batch's file anew, another way, before anybody has confirmed it."""

import tempfile
from typing import IO

from django.contrib.auth.models import User

from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations import transitions
from invitations.models import Batch
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.uploads import file_store, import_rows, texts
from invitations.uploads.upload import CHOOSE_COURSE, READ_AT_ONCE_BYTES, with_what_is_known

NO_SUCH_SHEET = "There is no such sheet in this workbook: choose one of the list."


def read_anew(batch: Batch, form: Format, *, actor: str, reading: int | None = None) -> bool:
    """Read the batch's file, or the text of it that `form` names, again as `form` says; what was read is thrown away.

    `reading`: the `read_fence` of what the person saw. False, with nothing changed, when the file was read anew since,
    or the batch is neither uploaded nor in preview any more. A small file is in preview
    when this returns True, unless `form` is not settled; a larger one is `uploaded`: whoever called enqueues its
    reading. Raises FileRefused when the bytes are gone.
    """
    size_bytes = file_store.size_bytes(batch.pk, form.text)
    if not size_bytes:
        raise FileRefused(file_store.GONE)
    readable = {
        "id": batch.pk.hex,
        "state": {"$in": [Batch.State.UPLOADED, Batch.State.PREVIEW]},
        "stored_at": {"$ne": None},
        **({} if reading is None else {"read_fence": reading}),
    }
    # One update: from here on nobody stores rows of the reading before, whose fence is over. They are deleted by the
    # next reader before it stores its first one, or by a cancel.
    begun = {"$set": {**_BEFORE_READING, "format": form.as_document(), "size_bytes": size_bytes}}
    if not outside_transaction(Batch).update_one(readable, begun | {"$inc": {"read_fence": 1}}).modified_count:
        return False
    transitions.record(Action.BATCH_READ_ANEW, batch, actor)
    if form.is_settled and size_bytes <= READ_AT_ONCE_BYTES:
        import_rows.read(batch.pk)
    return True


def choose_sheet(batch: Batch, number: int, *, user: User) -> bool:
    """Read another sheet of the batch's workbook, that of this number of `Format.sheets`. False as in `read_anew`.

    Raises FileRefused, with nothing changed, when that sheet cannot be used.
    """
    sheets = Format(**batch.format).sheets if batch.format else []
    if not 1 <= number <= len(sheets):
        raise FileRefused(NO_SUCH_SHEET)
    with tempfile.TemporaryFile() as workbook:
        _fetch(batch, workbook)
        with texts.examined(workbook, sheet=number) as found:
            form = with_what_is_known(found.content, found.form, user, batch.course_id)
            if not batch.course_id and form.is_settled and "course" not in form.columns:
                raise FileRefused(CHOOSE_COURSE)
            if not file_store.store_beside(batch.pk, found.content, form.text):
                raise FileRefused(file_store.GONE)
    return read_anew(batch, form, actor=user.get_username())


_BEFORE_READING = {
    "state": Batch.State.UPLOADED,
    "total": 0,
    "read_bytes": 0,
    "read_lease_until": None,
    "was_read_anew": True,
    "made_names": 0,
    "leftovers": {},
    "suggestions": {},
    "corrections": 0,
    "correcting": {},
    "correcting_at": None,
    "names": Batch.Names.UNDECIDED,
    "members_checked_at": None,
}


def _fetch(batch: Batch, into: IO[bytes]) -> None:
    for piece in file_store.of_batch(batch.pk):
        into.write(piece)
    if not into.tell():
        raise FileRefused(file_store.GONE)
