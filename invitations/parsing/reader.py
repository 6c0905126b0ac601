"""From the bytes of a file, a piece at a time, to records. Pure: no database, no settings.

`Examiner` looks once at all bytes and says how they are to be read (`Format`); `records` reads them.
Both need memory for a piece and a record, never for the file.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice, takewhile

from invitations.parsing import encodings, headings
from invitations.parsing.emails import check, clean
from invitations.parsing.errors import FileRefused, refuse_what_is_no_csv
from invitations.parsing.file_format import Format
from invitations.parsing.streams import Pieces

__all__ = ["Examiner", "FileRefused", "Format", "Record", "raw_records", "records", "sample"]

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 64 * 1024
_HEADING_WITHIN_RECORDS = 12  # titles and blank lines may stand above the headings
_MOST_COLUMNS = 300
_END = "\x00end of file\x00"  # follows the last line; whatever swallows it was never closed
Record = tuple[int, list[str]]  # the line it begins in (1-based) and its cells
NO_EMAIL_COLUMN = "The file has no e-mail column: give the column with the addresses the heading “email”."


class Examiner:
    """Feed it the file, piece by piece; then ask for the `format`."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._head = bytearray()
        self._encoding = encodings.Detector()

    def feed(self, piece: bytes) -> None:
        self.size_bytes += len(piece)
        self._digest.update(piece)
        self._encoding.feed(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]

    @property
    def digest(self) -> str:
        """SHA-256 of all bytes, in hex."""
        return self._digest.hexdigest()

    def format(self) -> Format:
        """Raises FileRefused for what is no text, is empty, or has no column that could hold addresses."""
        head = bytes(self._head)
        if not head.strip():
            raise FileRefused("The file is empty.")
        refuse_what_is_no_csv(head)
        encoding, mark_bytes = self._encoding.verdict(head)
        text = encodings.decode_head(head[mark_bytes:], encoding, whole=self.size_bytes <= len(head))
        if not clean(text.replace("\ufeff", "")):
            raise FileRefused("The file is empty.")
        return _recognised(text, Format(encoding, mark_bytes, ",", 0))


def records(pieces: Iterable[bytes], form: Format) -> Iterator[Record]:
    """Every record below the headings that is not blank, in the file's order. Raises FileRefused, naming the line."""
    return _below(form, _parsed(_lines(pieces, form), form.delimiter))


def raw_records(pieces: Iterable[bytes], form: Format) -> Iterator[tuple[int, list[str], str]]:
    """Every record of the file, blank ones and those above the headings too: line, cells and its own text.

    The texts together, after the mark and in the file's encoding, are the file's bytes. Raises FileRefused.
    """
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in _lines(pieces, form):
            taken.append(line)
            yield line

    for line, cells in _parsed(noted(), form.delimiter):
        yield line, cells, "".join(taken)
        taken.clear()


def sample(pieces: Iterable[bytes], form: Format, rows: int = 3) -> list[list[str]]:
    """The first `rows` records as they stand, for a person to say what is what."""
    found = []
    for _, cells in records(pieces, form):
        found.append(cells)
        if len(found) == rows:
            break
    return found


def _lines(pieces: Iterable[bytes], form: Format) -> Iterator[str]:
    stream = io.BufferedReader(Pieces(pieces), 256 * 1024)
    stream.read(form.mark_bytes)
    return io.TextIOWrapper(stream, encoding=form.encoding, errors="strict", newline="")


def _below(form: Format, parsed: Iterator[Record]) -> Iterator[Record]:
    for line, cells in parsed:
        if line <= form.heading_line or not (any(cells) and any(map(clean, cells))):
            continue
        if form.heading_line and cells == form.headings:
            continue  # files that were appended to one another repeat their headings
        yield line, cells


def _parsed(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    reader = csv.reader(chain(lines, (_END,)), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if reader.line_num > line:
                _refuse_swallowed_rows(line, cells, delimiter)
            if cells and cells[-1].endswith(_END):
                if cells != [_END]:
                    raise _runaway(line, cells, len(cells) - 1, "is never closed")
                return
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _runaway(line, [], 0, "is not closed within 100,000 characters") from error
    except UnicodeError as error:
        raise FileRefused(
            f"Near line {reader.line_num + 1} there are bytes of another encoding: save the file as CSV UTF-8, "
            "and upload it again."
        ) from error


def _refuse_swallowed_rows(line: int, cells: list[str], delimiter: str) -> None:
    """A cell over several lines whose later lines look like rows was opened by a stray quotation mark."""
    for position, cell in enumerate(cells):
        later = cell.splitlines()[1:]
        if any("@" in part and delimiter in part for part in later):
            end = line + sum(_breaks(each) for each in cells[: position + 1])
            raise _runaway(line, cells, position, f"is closed only in line {end}, with whole rows between")


def _runaway(line: int, cells: list[str], position: int, what: str) -> FileRefused:
    opened = line + sum(_breaks(cell) for cell in cells[:position])
    return FileRefused(
        f"The quotation mark that is opened in line {opened} {what}: close it or take it out, and upload the file "
        "again."
    )


def _breaks(cell: str) -> int:
    return cell.count("\n") + cell.replace("\r\n", "").count("\r")


def _recognised(text: str, form: Format) -> Format:
    """`form` with the delimiter, the headings and the columns that the beginning of the file tells."""
    candidates = [(_with_headings(text, replace(form, delimiter=one))) for one in _delimiters(text)]
    settled = [one for one in candidates if one.is_settled and one.heading_line]
    if settled:
        return max(settled, key=lambda one: (len(one.columns), len(one.headings)))
    mapped = [one for one in candidates if _addresses_in(text, one)]
    if not mapped:
        raise FileRefused(NO_EMAIL_COLUMN)
    widest = max(mapped, key=lambda one: len(one.headings))
    if len(widest.headings) > _MOST_COLUMNS:  # for a person to choose from
        raise FileRefused(f"The file has more than {_MOST_COLUMNS} columns, and none is headed “email”: head it so.")
    return widest


def _delimiters(text: str) -> tuple[str, ...]:
    first = text.lstrip("\ufeff\r\n ").splitlines()[0].strip().strip('"').lower() if text.strip() else ""
    named = first.removeprefix("sep=")
    return (named,) if first.startswith("sep=") and len(named) == 1 else DELIMITERS


def _head_records(text: str, delimiter: str) -> list[Record]:
    found: list[Record] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    with suppress(csv.Error):  # told when the file is read
        for cells in islice(reader, _HEADING_WITHIN_RECORDS):
            found.append((line, cells))
            line = reader.line_num + 1
    return found


def _with_headings(text: str, form: Format) -> Format:
    """The first record that names an e-mail column is the headings, or speaks of one; else the first not blank."""
    filled = [
        (line, cells)
        for line, cells in _head_records(text, form.delimiter)
        if any(map(clean, cells)) and not clean("".join(cells)).lower().startswith("sep=")
    ]
    above = list(takewhile(lambda record: not any(map(_is_address, record[1])), filled))  # where the rows begin
    for line, cells in above:
        columns = headings.columns_of(cells)
        if "email" in columns:
            return replace(form, heading_line=line, headings=cells, columns=columns)
    for line, cells in reversed(above):
        at = headings.speaks_of_mail(cells)
        if at is not None and _holds_addresses(filled[len(above) :], at):  # so it is no title such as "E-mail list"
            return replace(form, heading_line=line, headings=cells, columns=headings.columns_of(cells) | {"email": at})
    if not filled:
        return form
    line, cells = filled[0]
    if not above:
        return replace(form, headings=[f"Column {number}" for number in range(1, len(cells) + 1)])
    return replace(form, heading_line=line, headings=cells, columns=headings.columns_of(cells))


def _addresses_in(text: str, form: Format) -> bool:
    return any(_is_address(cell) for _, cells in _head_records(text, form.delimiter) for cell in cells)


def _holds_addresses(found: list[Record], at: int) -> bool:
    return any(len(cells) > at and _is_address(cells[at]) for _, cells in found)


def _is_address(cell: str) -> bool:
    return "@" in cell and not check(clean(cell))[1]
