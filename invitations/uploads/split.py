"""A text made from a batch's file in which every address of a table has a row of its own."""

import csv
import io
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from invitations.parsing import pasted, reader
from invitations.parsing.emails import addresses_in
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.uploads import file_store

NO_LIST = "The lines of this file are no list of addresses alone: choose the column that holds them."
NOTHING = "No line of this list holds several addresses."
_NAMES = ("first_name", "last_name", "name")
_LINE_BREAK = str.maketrans({"\n": "\u2028", "\r": None})  # within a cell, so that a row is a line


def is_wanted(form: Format, records: list[list[str]]) -> bool:
    """Whether some of these records hold several addresses where rows are made of them."""
    width = len(form.headings) if form.heading_line else 0
    at = form.columns.get("email", 0)
    return any(sum(len(addresses_in(cell)) for cell in [*cells[at : at + 1], *cells[width:]]) > 1 for cells in records)


def store(batch_id: UUID, form: Format, *, reading: int) -> Format:
    """Store that text beside the file, and return how it is read. Raises FileRefused.

    `reading` is part of its name, so that another reading makes another text.
    """
    with tempfile.TemporaryFile() as file:
        made = _table(file_store.of_batch(batch_id, form.text), form, file) if form.heading_line else None
        made = made or _list(file_store.of_batch(batch_id, form.text), form, file)
        made = replace(made, text=f"{form.text or 'file'}-split-{reading}"[-30:])
        if not file_store.store_beside(batch_id, file, made.text):
            raise FileRefused(file_store.GONE)
    return made


def _table(pieces: Iterator[bytes], form: Format, file: io.BufferedRandom) -> Format:
    """Every record of the file, in order: those with several addresses as often as they have them.

    Raises FileRefused when none has.
    """
    heading_line = end_line = records = count = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    for line, cells, _ in reader.raw_records(pieces, form):
        records += 1
        in_table = line > form.heading_line and not (form.end_line and line >= form.end_line)
        for row in _rows(cells, form) if in_table else [cells]:
            count += 1
            writer.writerow([cell.translate(_LINE_BREAK) for cell in row] or [""])
        heading_line = count if line == form.heading_line else heading_line
        end_line = end_line or (count if form.end_line and line >= form.end_line else 0)
    text.detach()
    if records and count == records:
        raise FileRefused(NOTHING)
    return _read_as(form, heading_line=heading_line, end_line=end_line)


def _rows(cells: list[str], form: Format) -> list[list[str]]:
    at, width = form.columns["email"], len(form.headings)
    found = _named(cells[at]) if at < len(cells) else []
    found += [entry for cell in cells[width:] for entry in _named(cell)]
    if len(found) < 2:
        return [cells]
    names = {form.columns[name] for name in _NAMES if name in form.columns}
    rows = []
    for number, (address, name) in enumerate(found):
        row = ["" if place in names and number else cell for place, cell in enumerate(cells[:width])]
        row[at] = f"{name} <{address}>" if name else address
        rows.append(row)
    return rows


def _named(cell: str) -> list[tuple[str, str]]:
    """The good addresses of a cell, with their names; each once."""
    named = {address: name for address, name in pasted.entries_in(cell) if name}
    return [(address, named.get(address, "")) for address in addresses_in(cell)]


def _list(pieces: Iterator[bytes], form: Format, file: io.BufferedRandom) -> Format:
    """A file without headings is read as a pasted list is."""
    text = b"".join(pieces)[form.mark_bytes :].decode(form.encoding, "replace")
    table = pasted.as_table(text)
    if table == text:
        raise FileRefused(NO_LIST)
    file.write(table.encode())
    return replace(
        _read_as(form, heading_line=1, end_line=0), headings=["email", "name"], columns={"email": 0, "name": 1}, asks=[]
    )


def _read_as(form: Format, *, heading_line: int, end_line: int) -> Format:
    return replace(
        form, encoding="utf-8", mark_bytes=0, delimiter=",", heading_line=heading_line, end_line=end_line, tables=[],
        encodings=[], is_quoted_whole=False, skips_blanks=False,
    )  # fmt: skip
