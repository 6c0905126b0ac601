"""What a cell of a workbook says, as the text of a CSV's cell. Pure."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

LINE_BREAK = "\u2028"  # within a cell, so that each row of a sheet is one line of text
_ODD = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85]")
_BREAKS = re.compile("\r\n|[\n\r\x0b\x0c\x85]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_EXACT = 2**53  # up to here every whole number is a float of its own


def text_of(value: Any) -> str:
    """Text as it is, on one line; a date in ISO form, without a time at midnight; a number with all its digits."""
    if isinstance(value, str):
        return _on_one_line(value) if _ODD.search(value) else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("seconds")
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _on_one_line(text: str) -> str:
    return _CONTROL.sub(" ", _BREAKS.sub(LINE_BREAK, text.rstrip("\r\n")))


def _number(value: float) -> str:
    """As Excel shows it in a cell that is wide enough: 15 digits of what has a fraction, never an exponent."""
    if value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else _plain(repr(value))
    return _plain(f"{value:.15g}")


def _plain(number: str) -> str:
    """Without an exponent; what is no number stays ("nan")."""
    if "e" not in number:
        return number.removesuffix(".0")
    plain = f"{Decimal(number):f}"
    return plain if len(plain) <= 40 else number


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
