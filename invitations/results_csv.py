"""The uploaded file back, with what came of each row: the same bytes of every cell, and columns of ours behind them."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings

from coursehub.downloads import safe_cell
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation, Piece, explained
from invitations.parsing import reader
from invitations.parsing.reader import Format
from invitations.uploads import file_store

COLUMNS = ("status", "reason", "member_id", "invited_at", "line")
HEADINGS = [f"coursehub_{name}" for name in COLUMNS]
_NOTE = "coursehub_note"
_RECORDS_PER_CHUNK = 500
_ROWS_AT_A_TIME = 2_000  # of MongoDB; its own measure is 16 MB, which are some 50 MB once they are read
_SHOWN = ["line", "state", "reason", "finding", "correction", "member_id", "invited_at"]


@dataclass(frozen=True)
class Results:
    """A download: its bytes, a chunk of lines at a time, and whether they hold the uploaded cells."""

    chunks: Iterator[bytes]
    has_cells: bool
    encoding: str


def of(batch: Batch, *, safe: bool = False, only: Collection[str] = ()) -> Results:
    """The results of a batch. `safe`: no cell begins with what a spreadsheet may run, whoever wrote it.

    `only`: the rows in these states, below what stands above the first row of the file; empty: every line of it.

    When the file's bytes have been deleted, the columns of ours alone, and one that says so.
    """
    if not batch.format or not Piece.objects.filter(batch=batch).exists():
        return Results(_chunks(_without_cells(batch, only)), has_cells=False, encoding="utf-8")
    form = Format(**batch.format)
    lines = _safe_lines(batch, form, only) if safe else _lines(batch, form, only)
    return Results(_chunks(lines), has_cells=True, encoding=form.encoding)


def _lines(batch: Batch, form: Format, only: Collection[str]) -> Iterator[bytes]:
    """Each record's own text, then our cells, in the file's encoding; records that are no rows as they are."""
    yield b"".join(islice(file_store.of_batch(batch.pk, form.text), 1))[: form.mark_bytes]
    width = _width(batch, form)
    for cells, text, ours in _joined(batch, form, only):
        body = text.rstrip("\r\n") if ours else text
        end = text[len(body) :]
        yield body.encode(form.encoding)
        if ours:
            added = _csv([""] * (width - len(cells)) + ours, form.delimiter)
            yield f"{form.delimiter}{added}".encode(form.encoding, "replace") + end.encode(form.encoding)


def _safe_lines(batch: Batch, form: Format, only: Collection[str]) -> Iterator[bytes]:
    """The same cells, written anew."""
    yield b"".join(islice(file_store.of_batch(batch.pk, form.text), 1))[: form.mark_bytes]
    width = _width(batch, form)
    for cells, _, ours in _joined(batch, form, only):
        padding = [""] * (width - len(cells)) if ours else []
        written = _csv([safe_cell(cell) for cell in [*cells, *padding, *ours]], form.delimiter)
        yield f"{written}\r\n".encode(form.encoding, "replace")


def _joined(batch: Batch, form: Format, only: Collection[str]) -> Iterator[tuple[list[str], str, list[str]]]:
    """Cells and text of every record that is wanted, and our cells for it: none for what is no row."""
    known = outcomes(batch, only)
    outcome = next(known, None)
    for line, cells, text in reader.raw_records(file_store.of_batch(batch.pk, form.text), form):
        ours: list[str] = HEADINGS if line == form.heading_line else []
        while outcome and outcome["line"] < line:
            outcome = next(known, None)
        if outcome and outcome["line"] == line:
            ours = our_cells(outcome)
        if ours or not only or line < form.heading_line:
            yield cells, text, ours


def _without_cells(batch: Batch, only: Collection[str]) -> Iterator[bytes]:
    note = f"The uploaded file was deleted; files are kept for {settings.UPLOAD_KEEP_DAYS} days."
    yield f"{_csv([*HEADINGS, _NOTE], ',')}\r\n".encode()
    for outcome in outcomes(batch, only):
        yield f"{_csv([*(safe_cell(cell) for cell in our_cells(outcome)), note], ',')}\r\n".encode()


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


def _csv(cells: list[str], delimiter: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="").writerow(cells)
    return written.getvalue()


def _chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    remaining = iter(lines)
    while chunk := b"".join(islice(remaining, _RECORDS_PER_CHUNK)):
        yield chunk
