"""The sheets of a workbook and their rows, as calamine reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from invitations.parsing.errors import FileRefused
from invitations.workbooks.archive import DAMAGED, PROTECTED

MOST_COLUMNS = 1_000
MOST_SHEETS = 1_000
LONGEST_NAME = 200  # of a sheet; Excel allows 31 characters
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
TOO_MANY_SHEETS = (
    f"This workbook has more than {MOST_SHEETS:,} sheets: copy the list into a new workbook, and upload that file."
)
EMPTY = "The workbook is empty."


@dataclass(frozen=True)
class Workbook:
    """The worksheets in the order in which they are offered: visible ones first, hidden ones last."""

    book: CalamineWorkbook
    worksheets: list[SheetMetadata]

    @classmethod
    def opened(cls, file: BinaryIO) -> "Workbook":
        """Raises FileRefused."""
        try:
            book = CalamineWorkbook.from_filelike(file)
        except PasswordError as error:
            raise FileRefused(PROTECTED) from error
        except CalamineError as error:
            raise FileRefused(DAMAGED) from error
        found = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        if len(found) > MOST_SHEETS:
            raise FileRefused(TOO_MANY_SHEETS)
        return cls(book, sorted(found, key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible))

    @property
    def names(self) -> list[str]:
        return [sheet.name[:LONGEST_NAME] for sheet in self.worksheets]

    def sheet(self, number: int) -> CalamineSheet:
        """The sheet of that number, from 1 on. Raises FileRefused."""
        try:
            sheet = self.book.get_sheet_by_name(self.worksheets[number - 1].name)
        except CalamineError as error:
            raise FileRefused(DAMAGED) from error
        if sheet.end is not None and sheet.end[1] >= MOST_COLUMNS:
            raise FileRefused(
                f"The sheet “{sheet.name[:60]}” has more than {MOST_COLUMNS:,} columns: copy the list into a new "
                "workbook, and upload that file."
            )
        return sheet

    def first_with_addresses(self) -> tuple[int, CalamineSheet]:
        """The first sheet that holds an address, else the first that holds anything. Raises FileRefused."""
        filled = 0
        for number in range(1, len(self.worksheets) + 1):
            sheet = self.sheet(number)
            if any(map(_holds_address, rows_of(sheet))):
                return number, sheet
            if not filled and sheet.start is not None:
                filled = number
            del sheet  # one in memory at a time
        if not filled:
            raise FileRefused(EMPTY)
        return filled, self.sheet(filled)


def rows_of(sheet: CalamineSheet) -> Iterator[list[Any]]:
    """Every row from the sheet's first on, cells from its first column on, without what is empty behind the last."""
    if sheet.start is None:
        return
    indent = [""] * sheet.start[1]
    for row in sheet.iter_rows():
        cells = indent + row
        while cells and cells[-1] == "":
            cells.pop()
        yield cells


def _holds_address(cells: list[Any]) -> bool:
    return any(isinstance(cell, str) and "@" in cell and _ADDRESS.search(cell) for cell in cells)
