"""Downloads that are made while they are sent, in constant memory; and CSV for people, who double-click it.

What Excel does with such a file, and why it is written like this, stands in docs/uploads.md.
"""

import csv
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

# A cell that begins with one of these may be run as a formula (OWASP, "CSV injection").
# The wide forms are those of East Asian keyboards.
_FORMULA_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# Text of which a spreadsheet makes a number, and loses digits: 007, what has more than 11 digits, 12E5.
_LOSES_DIGITS = re.compile(r"0[0-9]+|[0-9]{12,}|[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
_NO_FILE_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_PART_BYTES_MAX = 80  # of a file's name; all of it may have 255


class Separator(StrEnum):
    """What stands between cells. Excel takes the one of its computer's region, so a person has the choice."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"

    @property
    def character(self) -> str:
        return _CHARACTERS[self]

    @classmethod
    def of(cls, said: str | None, usual: str = ",") -> "Separator":
        """The one of that name. Nonsense counts as not said: then `usual`, a character, or a comma."""
        if said in list(cls):
            return cls(said)
        return next((one for one, character in _CHARACTERS.items() if character == usual), cls.COMMA)


_CHARACTERS = {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}


class _Echo:
    """What `csv.writer` writes is what its `writerow` returns."""

    @staticmethod
    def write(text: str) -> str:
        return text


@dataclass(frozen=True)
class Spreadsheet:
    """Lines of CSV that a spreadsheet shows as they are meant; the file begins with `MARK`."""

    separator: Separator

    MARK = b"\xef\xbb\xbf"  # without it Excel takes UTF-8 for the alphabet of its computer's region
    CONTENT_TYPE = "text/csv; charset=utf-8"

    def lines(self, rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
        """Each row as a line, the mark before the first. Times become those of TIME_ZONE; see `zoned`."""
        writer = csv.writer(_Echo(), delimiter=self.separator.character)
        yield self.MARK
        for row in rows:
            line: str = writer.writerow(map(self._cell, row))
            yield line.encode("utf-8", "replace")

    def _cell(self, value: Any) -> Any:
        if isinstance(value, str):
            return f"'{value}" if _LOSES_DIGITS.fullmatch(value) else safe_cell(value)
        if isinstance(value, datetime):
            return f"{timezone.localtime(value, timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"
        if isinstance(value, float):
            # A region with semicolons has decimal commas: 12.5 would become the twelfth of May.
            point = "," if self.separator == Separator.SEMICOLON else "."
            return f"{value:.10g}".replace(".", point)
        return value


def zoned(heading: str) -> str:
    """The heading of a column of times, with the zone that they are in."""
    return f"{heading} ({settings.TIME_ZONE})"


def file_name(*parts: str) -> str:
    """A name for a CSV that every system takes, made of the parts that are not empty."""
    words = (" ".join(_NO_FILE_NAME.sub(" ", part).split()).strip(" .") for part in parts)
    short = (word.encode()[:_PART_BYTES_MAX].decode(errors="ignore").strip() for word in words)
    return "-".join(filter(None, short)) + ".csv"


def download(chunks: Iterator[bytes], *, filename: str, content_type: str) -> StreamingHttpResponse:
    """An attachment of these bytes. Under ASGI a plain iterator would be read to its end before the first byte left."""
    answer = StreamingHttpResponse(_made_by_turns(chunks), content_type=content_type)
    answer.headers["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return answer


async def _made_by_turns(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await database_sync_to_async(next)(chunks, None)) is not None:
        yield chunk


def in_chunks(lines: Iterable[bytes], size: int = 500) -> Iterator[bytes]:
    """The lines, `size` of them at a time."""
    remaining = iter(lines)
    while chunk := b"".join(islice(remaining, size)):
        yield chunk


def safe_cell(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet might run. Numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_BEGINS):
        return f"'{value}"
    return value
