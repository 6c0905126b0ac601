"""The uploaded workbook back, as a workbook: each value of the sheet as it was, and columns of ours behind them."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.utils import timezone

from invitations import results_csv
from invitations.models import Batch, Piece
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.uploads import file_store
from invitations.workbooks import process

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NO_WORKBOOK = "This list was no workbook, or its file was deleted: download the results as CSV."
_LIMITS = process.Limits(output_bytes=1_000_000_000)
_AT = results_csv.COLUMNS.index("invited_at")
_CHUNK_BYTES = 256 * 1024


def is_there(batch: Batch) -> bool:
    """Whether the batch read a sheet of a workbook, and that is still kept."""
    return bool(batch.format and Format(**batch.format).sheet_number and Piece.objects.filter(batch=batch).exists())


def of(batch: Batch) -> Iterator[bytes]:
    """The workbook, written before this returns and sent by chunks. Raises FileRefused when there is none to give."""
    if not is_there(batch):
        raise FileRefused(NO_WORKBOOK)
    form = Format(**batch.format)
    made = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it is sent)
    try:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryDirectory() as folder:
            workbook_bytes = sum(source.write(piece) for piece in file_store.of_batch(batch.pk))
            _write_ours(batch, form, source)
            named: dict[str, Any] = {"workbook_bytes": workbook_bytes, "sheet": form.sheet_number, "folder": folder}
            process.run("results", source, made, _LIMITS, **named)
    except BaseException:
        made.close()
        raise
    return _chunks(made)


def _write_ours(batch: Batch, form: Format, into: IO[bytes]) -> None:
    """A line of JSON for the headings and for each row: its line, and our cells."""
    if form.heading_line:
        into.write(json.dumps([form.heading_line, results_csv.HEADINGS]).encode() + b"\n")
    for outcome in results_csv.outcomes(batch):
        cells: list[Any] = [*results_csv.our_cells(outcome)]
        if moment := outcome["invited_at"]:
            local = timezone.localtime(moment).replace(tzinfo=None, microsecond=0)
            cells[_AT] = {"at": local.isoformat()}
        into.write(json.dumps([outcome["line"], [*cells[:-1], outcome["line"]]]).encode() + b"\n")


def _chunks(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        while chunk := made.read(_CHUNK_BYTES):
            yield chunk
