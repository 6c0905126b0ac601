"""The uploaded file back, with what came of each row: the same bytes of every cell, and columns of ours behind them."""

import csv
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings

from coursehub import downloads
from coursehub.downloads import Separator, Spreadsheet, safe_cell
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation, Piece, explained
from invitations.parsing import reader
from invitations.parsing.reader import Format
from invitations.uploads import file_store

COLUMNS = ("status", "reason", "member_id", "invited_at", "line")
HEADINGS = [f"coursehub_{name}" for name in COLUMNS]
_TIME_ZONE, _NOTE = "coursehub_time_zone", "coursehub_note"
_ROWS_AT_A_TIME = 2_000  # of MongoDB; its own measure is 16 MB, which are some 50 MB once they are read
_SHOWN = ["line", "state", "reason", "finding", "correction", "member_id", "invited_at"]


@dataclass(frozen=True)
class Results:
    """A download: its bytes, a chunk of lines at a time, and whether they hold the uploaded cells."""

    chunks: Iterator[bytes]
    has_cells: bool
    encoding: str


@dataclass(frozen=True)
class _Ours:
    """The columns of ours: their headings, and the cells that tell an outcome."""

    headings: list[str]
    cells: Callable[[dict[str, Any]], list[Any]]


def of(batch: Batch, *, only: Collection[str] = ()) -> Results:
    """The results of a batch: the uploaded bytes, and our cells behind.

    `only`: the rows in these states, below what stands above the first row of the file; empty: every line of it.

    When the file's bytes have been deleted, the columns of ours alone, and one that says so.
    """
    if not _has_file(batch):
        rows = _without_cells(batch, _PLAIN, only)
        lines = (f"{_csv([*map(safe_cell, row)], ',')}\r\n".encode() for row in rows)
        return Results(downloads.in_chunks(lines), has_cells=False, encoding="utf-8")
    form = Format(**batch.format)
    return Results(downloads.in_chunks(_lines(batch, form, only)), has_cells=True, encoding=form.encoding)


def for_spreadsheets(batch: Batch, separator: str | None = None) -> Results:
    """The same cells for people: no cell begins with what may be run, whoever wrote it, and none loses digits.

    Separated as the name `separator` says, else as the uploaded file was. Our columns have the same names, and behind
    them stands the zone of the times. What was above the headings stays there, but for `sep=`, which may not be true.
    """
    has_file = _has_file(batch)
    form = Format(**batch.format) if has_file else None
    sheet = Spreadsheet(Separator.of(separator, form.delimiter if form else ","))
    rows = _rows_for_people(batch, form) if form else _without_cells(batch, _FOR_PEOPLE, ())
    return Results(downloads.in_chunks(sheet.lines(rows)), has_cells=has_file, encoding="utf-8")


def _has_file(batch: Batch) -> bool:
    return bool(batch.format) and Piece.objects.filter(batch=batch).exists()


def _lines(batch: Batch, form: Format, only: Collection[str]) -> Iterator[bytes]:
    """Each record's own text, then our cells, in the file's encoding; records that are no rows as they are."""
    yield b"".join(islice(file_store.of_batch(batch.pk, form.text), 1))[: form.mark_bytes]
    width = _width(batch, form)
    for cells, text, ours in _joined(batch, form, _PLAIN, only):
        body = text.rstrip("\r\n") if ours else text
        end = text[len(body) :]
        yield body.encode(form.encoding)
        if ours:
            added = _csv([""] * (width - len(cells)) + ours, form.delimiter)
            yield f"{form.delimiter}{added}".encode(form.encoding, "replace") + end.encode(form.encoding)


def _rows_for_people(batch: Batch, form: Format) -> Iterator[list[Any]]:
    width = _width(batch, form)
    for cells, _, ours in _joined(batch, form, _FOR_PEOPLE, ()):
        padding = [""] * (width - len(cells)) if ours else []
        if not cells or not cells[0].lower().startswith("sep="):
            yield [*cells, *padding, *ours]


def _joined(
    batch: Batch, form: Format, columns: _Ours, only: Collection[str]
) -> Iterator[tuple[list[str], str, list[Any]]]:
    """Cells and text of every record that is wanted, and our cells for it: none for what is no row."""
    known = outcomes(batch, only)
    outcome = next(known, None)
    for line, cells, text in reader.raw_records(file_store.of_batch(batch.pk, form.text), form):
        ours: list[Any] = columns.headings if line == form.heading_line else []
        while outcome and outcome["line"] < line:
            outcome = next(known, None)
        if outcome and outcome["line"] == line:
            ours = columns.cells(outcome)
        if ours or not only or line < form.heading_line:
            yield cells, text, ours


def _without_cells(batch: Batch, columns: _Ours, only: Collection[str]) -> Iterator[list[Any]]:
    note = f"The uploaded file was deleted; files are kept for {settings.UPLOAD_KEEP_DAYS} days."
    yield [*columns.headings, _NOTE]
    for outcome in outcomes(batch, only):
        yield [*columns.cells(outcome), note]


def _width(batch: Batch, form: Format) -> int:
    """Cells of the longest record, so that our columns stand below their headings in ragged files too."""
    wide = (
        len(cells)
        for line, cells, _ in reader.raw_records(file_store.of_batch(batch.pk, form.text), form)
        if line >= form.heading_line
    )
    return max(wide, default=0)


def outcomes(batch: Batch, only: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """What came of each row, or of those in `only` these states, in the order of lines."""
    wanted = {"batch_id": batch.pk.hex, **({"state": {"$in": list(only)}} if only else {})}
    found = outside_transaction(Invitation).find(wanted, _SHOWN).sort("line", 1)
    return found.batch_size(_ROWS_AT_A_TIME)


def our_cells(outcome: dict[str, Any]) -> list[str]:
    """The cells of COLUMNS for it."""
    invited_at = outcome["invited_at"]
    moment = invited_at.isoformat(timespec="seconds") if invited_at else ""
    reason = explained(outcome["state"], outcome["reason"], outcome.get("finding", ""), outcome.get("correction"))
    return [outcome["state"], reason, outcome["member_id"], moment, str(outcome["line"])]


def _cells_for_people(outcome: dict[str, Any]) -> list[Any]:
    state, reason, member_id, _, _ = our_cells(outcome)
    invited_at = outcome["invited_at"]
    zone = settings.TIME_ZONE if invited_at else ""
    return [state, reason, member_id, invited_at or "", outcome["line"], zone]


# Spreadsheets read times without a zone, so it stands beside them.
_PLAIN, _FOR_PEOPLE = _Ours(HEADINGS, our_cells), _Ours([*HEADINGS, _TIME_ZONE], _cells_for_people)


def _csv(cells: list[str], delimiter: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="").writerow(cells)
    return written.getvalue()
