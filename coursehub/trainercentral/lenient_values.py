"""Lenient reading of single values: the API gives numbers, booleans and times as strings, or as themselves.

No function here raises: what cannot be read is the empty value.
"""

import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_000  # the end of year 9999, the last that datetime can say

_TOO_LARGE = 10**15
_MOST_DIGITS = 40


def document(body: bytes) -> Any:
    """The JSON value in `body`, or None. Fractions stay Decimal, so that no id is ever rounded."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def text(value: Any) -> str:
    """A string or a number as text, of whole numbers all digits and no point; anything else is ''."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MOST_DIGITS and value == int(value):
        return str(int(value))  # an id that came as 3.000094000002000004e18, or as 12.0
    try:
        return str(value).strip()
    except ValueError:  # an integer beyond Python's limit of digits
        return ""


def number(value: Any, default: float = 0.0) -> float:
    """A finite number, given as one or as a string."""
    try:
        read = float(text(value))
    except (ValueError, OverflowError):
        return default
    return read if math.isfinite(read) else default


def whole(value: Any) -> int | None:
    """A whole number of up to 15 digits, given as one or as a string; fractions are cut off."""
    try:
        read = Decimal(text(value))
        return int(read) if abs(read) < _TOO_LARGE else None
    except (ValueError, ArithmeticError):
        return None


def percent(value: Any) -> float:
    """A percentage, kept within 0 and 100."""
    return min(max(number(value), 0.0), 100.0)


def moment_ms(value: Any) -> int | None:
    """Epoch milliseconds; None when not set ("-1"), missing or outside the calendar."""
    read = number(value, -1.0)
    if not 0 < read <= _LATEST_MS:
        return None
    return whole(value)


def moment(value: Any) -> datetime | None:
    """Epoch milliseconds as an aware datetime; None as in `moment_ms`."""
    milliseconds = moment_ms(value)
    return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)


def rows(answer: Any, key: str) -> list[dict[str, Any]] | None:
    """The objects in the list `answer[key]` (a single object counts as a list of one); None without that key."""
    found = answer.get(key) if isinstance(answer, dict) else None
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        return None
    return [row for row in found if isinstance(row, dict)]


def first(row: dict[str, Any], *keys: str) -> str:
    """The text under the first of `keys` that has any: resources carry their id twice."""
    return next((found for key in keys if (found := text(row.get(key)))), "")
