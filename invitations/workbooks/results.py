"""One sheet of a workbook back, each value as it was, with columns of ours behind: in constant memory."""

import io
import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from xlsxwriter import Workbook as NewWorkbook
from xlsxwriter.worksheet import Worksheet

from invitations.workbooks.cells import text_of
from invitations.workbooks.sheets import Workbook, rows_of

LONGEST_TEXT = 32_767  # of a cell in Excel
FIRST_YEAR = 1900  # that Excel knows
_FORMATS = {
    datetime: "yyyy-mm-dd hh:mm:ss",
    date: "yyyy-mm-dd",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}
_AS_TEXT = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
Ours = tuple[int, list[Any]]


def write(source: BinaryIO, made: BinaryIO, *, workbook_bytes: int, sheet: int, folder: str) -> None:
    """`source`: the uploaded workbook of that many bytes, then lines of JSON: a row's number, and our cells for it.

    Of our cells {"at": ISO} is a moment without a zone. What is written on the way is put into `folder`.
    """
    uploaded = Workbook.opened(io.BytesIO(source.read(workbook_bytes)))
    found = uploaded.sheet(sheet)
    ours = _ours(source)
    first = next(ours, None)
    width = max((len(cells) for at, cells in enumerate(rows_of(found), 1) if first and at >= first[0]), default=0)
    book = NewWorkbook(made, {"constant_memory": True, "tmpdir": folder, **_AS_TEXT})
    sheet_made = book.add_worksheet("Results")
    put = _Cells(sheet_made, {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()})
    for at, cells in enumerate(rows_of(found), 1):
        for column, value in enumerate(cells):
            put(at - 1, column, value)
        while first and first[0] < at:
            first = next(ours, None)
        if first and first[0] == at:
            for column, value in enumerate(first[1], width):
                put(at - 1, column, value)
    book.close()


def _ours(source: BinaryIO) -> Iterator[Ours]:
    for line in source:
        at, cells = json.loads(line)
        yield at, [datetime.fromisoformat(cell["at"]) if isinstance(cell, dict) else cell for cell in cells]


class _Cells:
    """Writes a value as what it is: never as a formula or a link."""

    def __init__(self, sheet: Worksheet, formats: dict[type, Any]) -> None:
        self._sheet, self._formats = sheet, formats

    def __call__(self, row: int, column: int, value: Any) -> None:
        if value == "":
            return
        kind = type(value)
        if kind is bool:
            self._sheet.write_boolean(row, column, value)
        elif kind in (int, float) and math.isfinite(value):
            self._sheet.write_number(row, column, value)
        elif kind in self._formats and getattr(value, "year", FIRST_YEAR) >= FIRST_YEAR:
            self._sheet.write_datetime(row, column, value, self._formats[kind])
        else:
            self._sheet.write_string(row, column, (value if kind is str else text_of(value))[:LONGEST_TEXT])
