"""From the bytes of a file, a piece at a time, to records. Pure: no database, no settings.

`Examiner` looks once at all bytes and says how they are to be read (`Format`); `records` reads them.
Both need memory for a piece and a record, never for the file.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from invitations.parsing import encodings, recognition
from invitations.parsing.emails import address_in, check, clean
from invitations.parsing.errors import FileRefused, refuse_what_is_no_csv
from invitations.parsing.file_format import Format
from invitations.parsing.recognition import Record
from invitations.parsing.streams import Pieces

__all__ = ["Examiner", "FileRefused", "Format", "Record", "raw_records", "records", "sample"]

HEAD_BYTES = 64 * 1024
_END = "\x00end of file\x00"  # follows the last line; whatever swallows it was never closed
Passed = Callable[[int, list[str]], None]


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
        form = Format(encoding, mark_bytes, ",", 0, encodings=self._encoding.others)
        return recognised_in(head, form, whole=self.size_bytes <= len(head))


def recognised_in(head: bytes, form: Format, *, whole: bool = True, table_line: int = 0) -> Format:
    """`form`, of which the encoding is known, with all else that the beginning of the file tells. Raises FileRefused.

    `whole`: `head` is all of the file, so that no character is cut in two at its end.
    """
    text = encodings.decode_head(head[form.mark_bytes :], form.encoding, whole=whole)
    if not clean(text.replace("\ufeff", "")):
        raise FileRefused("The file is empty.")
    return recognition.recognised(text, form, table_line=table_line)


def records(pieces: Iterable[bytes], form: Format, *, passed: Passed | None = None) -> Iterator[Record]:
    """Every record of the table that is not blank, in the file's order. Raises FileRefused, naming the line.

    `passed` is told of the others: above the headings, below the table's end.
    """
    return _of_table(form, _parsed(_lines(pieces, form), form), passed or (lambda line, cells: None))


def raw_records(pieces: Iterable[bytes], form: Format) -> Iterator[tuple[int, list[str], str]]:
    """Every record of the file, blank ones and those above the headings too: line, cells and its own text.

    The texts together, after the mark and in the file's encoding, are the file's bytes. Raises FileRefused.
    """
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in _lines(pieces, form):
            taken.append(line)
            yield line

    for line, cells in _parsed(noted(), form):
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


def _of_table(form: Format, parsed: Iterator[Record], passed: Passed) -> Iterator[Record]:
    email = form.columns.get("email", 0)
    for line, cells in parsed:
        if not (any(cells) and any(map(clean, cells))):
            continue
        if line <= form.heading_line or (form.end_line and line >= form.end_line):
            passed(line, cells)
            continue
        if (len(cells) <= email or "@" not in cells[email]) and form.heading_line and recognition.is_heading(cells):
            _refuse_another_table(line, cells, form)
            continue  # files that were appended to one another repeat their headings
        yield line, cells


def _refuse_another_table(line: int, cells: list[str], form: Format) -> None:
    if recognition.columns_alike(cells, form):
        return
    raise FileRefused(
        f"In line {line} another table with other headings begins: upload each table as a file of its own."
    )


def _parsed(lines: Iterator[str], form: Format) -> Iterator[Record]:
    reader = csv.reader(chain(lines, (_END,)), **recognition.dialect(form))  # type: ignore[arg-type]
    line = 1
    try:
        for cells in reader:
            if reader.line_num > line:
                _refuse_swallowed_rows(line, cells, form)
            if cells and cells[-1].endswith(_END):
                if cells != [_END]:
                    raise _runaway(line, cells, len(cells) - 1, "is never closed")
                return
            yield line, recognition.parted(cells, form) if form.is_quoted_whole else cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _runaway(line, [], 0, "is not closed within 100,000 characters") from error
    except UnicodeError as error:
        raise FileRefused(
            f"Near line {reader.line_num + 1} there are bytes of another encoding: save the file as CSV UTF-8, "
            "and upload it again."
        ) from error


def _refuse_swallowed_rows(line: int, cells: list[str], form: Format) -> None:
    """A cell over several lines whose later lines look like rows was opened by a stray quotation mark."""
    for position, cell in enumerate(cells):
        later = cell.splitlines()[1:]
        if any("@" in part and form.delimiter in part and _looks_like_a_row(part, form) for part in later):
            end = line + sum(_breaks(each) for each in cells[: position + 1])
            raise _runaway(line, cells, position, f"is closed only in line {end}, with whole rows between")


def _looks_like_a_row(part: str, form: Format) -> bool:
    """Whether an address stands where the table has them: "please cc boss@example.org, my manager" is a note."""
    cells, at = part.replace('"', "").split(form.delimiter), form.columns.get("email")
    own = cells if at is None else cells[at : at + 1]
    return any("@" in cell and not check(address_in(cell))[1] for cell in own)


def _runaway(line: int, cells: list[str], position: int, what: str) -> FileRefused:
    opened = line + sum(_breaks(cell) for cell in cells[:position])
    return FileRefused(
        f"The quotation mark that is opened in line {opened} {what}: close it or take it out, and upload the file "
        "again."
    )


def _breaks(cell: str) -> int:
    return cell.count("\n") + cell.replace("\r\n", "").count("\r")
