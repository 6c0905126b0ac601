"""The day that a cell names, as spreadsheets write days in many languages. Pure."""

import re
import unicodedata
from datetime import date
from functools import cache

from babel.dates import get_month_names

WANTED = "write it as 2027-12-31."
_TIME = re.compile(r"[ T,]+\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?")
_YEAR_FIRST = re.compile(r"(\d{4})([-./]|\s*[年년]\s*)(\d{1,2})([-./]|\s*[月월]\s*)(\d{1,2})\s*[日일]?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4}|\d{2})")
_DAY, _MONTH, _YEAR = (
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|[º.])?",
    r"(?P<month>[^\W\d]{3,}\.?)",
    r"(?P<year>\d{4}|\d{2})",
)
_BETWEEN = r"[\s.,/-]*(?:de\s+|of\s+)?"
_WITH_A_WORD = (
    re.compile(rf"(?:[^\W\d]+\.?,?\s+)?{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}(?:\s*[^\W\d]\.?)?"),
    re.compile(rf"(?:[^\W\d]+\.?,\s+)?{_MONTH}[\s.-]*{_DAY},?[\s-]+{_YEAR}"),
    re.compile(rf"(?P<year>\d{{4}})\.?{_BETWEEN}{_MONTH}{_BETWEEN}(?P<day>\d{{1,2}})\.?"),
)
_LONGEST = 100  # characters of a day; what is longer is none, and takes long to look at
_SERIAL = re.compile(r"\d{5}([.,]\d+)?")
_LOCALES = (
    "en", "de", "de_AT", "fr", "es", "pt", "it", "nl", "pl", "tr", "sv", "nb", "da", "fi", "cs", "sk", "hu", "ro",
    "ru", "uk", "bg", "el", "hr", "sl", "lt", "lv", "et", "ca",
)  # fmt: skip


def day_in(cell: str, *, day_first: bool | None = None) -> tuple[date | None, str]:
    """The day, and what is wrong with the cell in one sentence ("" when nothing is).

    `day_first` says how 04/05/2027 is meant; None: nobody said, so such a cell is refused.
    """
    text = _without_time(cell)
    try:
        if found := _YEAR_FIRST.fullmatch(text):
            return date(int(found[1]), int(found[3]), int(found[5])), ""
        if parts := _parted(text):
            return _in_order(cell, *parts, day_first=day_first)
        if day := _with_a_word(text):
            return day, ""
    except (ValueError, OverflowError):
        return None, f"There is no day “{cell[:40]}”: {WANTED}"
    if _SERIAL.fullmatch(cell):
        return None, f"“{cell}” is Excel's number of a day: format the column as a date, or {WANTED}"
    return None, f"“{cell[:40]}” is no date: {WANTED}"


def order_in(cell: str) -> bool | None:
    """Whether the cell alone shows that days stand first (31/12/2027) or months do (12/31/2027); None: neither."""
    parts = _parted(_without_time(cell))
    if parts is None or parts[1] == ".":
        return None
    one, _, two, _ = parts
    return True if one > 12 >= two else False if two > 12 >= one else None


def is_in_doubt(cell: str) -> bool:
    """Whether the cell may be two days, as 04/05/2027 may."""
    parts = _parted(_without_time(cell))
    return parts is not None and parts[1] != "." and max(parts[0], parts[2]) <= 12 and parts[0] != parts[2]


def _without_time(cell: str) -> str:
    found = _TIME.search(cell) if ":" in cell and len(cell) <= _LONGEST else None
    return cell[: found.start()] if found and found.end() == len(cell) else cell


def _with_a_word(text: str) -> date | None:
    """Of "31 December 2027" in any of the languages. Raises ValueError for a day that is not."""
    for pattern in _WITH_A_WORD if any(map(str.isalpha, text)) else ():
        found = pattern.fullmatch(text)
        if found and (month := _months().get(_folded(found["month"]))):
            return date(_year(found["year"]), month, int(found["day"]))
    return None


def _parted(cell: str) -> tuple[int, str, int, int] | None:
    found = _YEAR_LAST.fullmatch(cell)
    return (int(found[1]), found[2], int(found[3]), _year(found[4])) if found else None


def _in_order(
    cell: str, one: int, mark: str, two: int, year: int, *, day_first: bool | None
) -> tuple[date | None, str]:
    if mark == "." or one > 12 or one == two:
        return date(year, two, one), ""
    if two > 12:
        return date(year, one, two), ""
    if day_first is None:
        return None, f"“{cell[:40]}” may be two days, with the day or the month first: {WANTED}"
    return (date(year, two, one) if day_first else date(year, one, two)), ""


def _year(text: str) -> int:
    return int(text) if len(text) > 2 else 2000 + int(text)


@cache
def _months() -> dict[str, int]:
    """Folded name, long or short, -> number of the month. A word of two months in two languages is left out."""
    found: dict[str, int] = {}
    doubtful: set[str] = set()
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    if found.setdefault(_folded(name), number) != number:
                        doubtful.add(_folded(name))
    return {name: number for name, number in found.items() if name not in doubtful} | {"sept": 9}


def _folded(word: str) -> str:
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", word.casefold())))
