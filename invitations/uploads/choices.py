"""What a person says of how a batch's file is to be read; each has the file read anew."""

import io
from dataclasses import replace

from django.contrib.auth.models import User

from invitations.models import Batch
from invitations.parsing import reader
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.uploads import column_mappings, file_store, split
from invitations.uploads.anew import read_anew
from invitations.uploads.upload import CHOOSE_COURSE, with_what_is_known

CHOOSE_EMAIL = "Choose the column that holds the e-mail addresses."


def choose_columns(batch: Batch, form: Format, *, user: User, reading: int | None = None) -> bool:
    """Read the file as `form` says, and remember its columns for such files of this user.

    `form` may ask anew, where the chosen table leaves a doubt of its own. False as in `read_anew`. Raises FileRefused
    when something is missing.
    """
    if not form.asks and "email" not in form.columns:
        raise FileRefused(CHOOSE_EMAIL)
    if form.is_settled and not batch.course_id and "course" not in form.columns:
        raise FileRefused(CHOOSE_COURSE)
    chosen = read_anew(batch, form, actor=user.get_username(), reading=reading)
    if chosen and form.is_settled:
        column_mappings.remember(user.pk, form)
    return chosen


def forget_columns(batch: Batch, *, user: User) -> bool:
    """Forget what this user chose for files with these headings, and read this one by its headings alone."""
    form = Format(**batch.format)
    column_mappings.forget(user.pk, form)
    piece = next(file_store.of_batch(batch.pk, form.text), b"")
    if not piece:
        raise FileRefused(file_store.GONE)
    blank = Format(form.encoding, form.mark_bytes, ",", 0, encodings=form.encodings, text=form.text, sheets=form.sheets)
    found = reader.recognised_in(piece[: reader.HEAD_BYTES], blank, whole=len(piece) <= reader.HEAD_BYTES)
    found = with_what_is_known(io.BytesIO(piece), found, user, batch.course_id)
    return read_anew(batch, found, actor=user.get_username(), reading=batch.read_fence)


def leave_out_by_status(batch: Batch, *, user: User, is_wanted: bool) -> bool:
    """Leave the rows out whose status column says refunded, inactive or the like, or take them in again."""
    form = replace(Format(**batch.format), leaves_out_status=is_wanted)
    return read_anew(batch, form, actor=user.get_username(), reading=batch.read_fence)


def one_row_per_address(batch: Batch, *, user: User) -> bool:
    """Make a row of each address where several stand in one cell or beside the columns. Raises FileRefused."""
    form = split.store(batch.pk, Format(**batch.format), reading=batch.read_fence)
    if form.is_settled and not batch.course_id and "course" not in form.columns:
        raise FileRefused(CHOOSE_COURSE)
    return read_anew(batch, form, actor=user.get_username(), reading=batch.read_fence)
