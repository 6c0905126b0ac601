"""Single values of a record: read rightly, or named as unreadable, and never zero for want of understanding.

Each function takes a value as JSON gave it, returns None for one that is not given ("", null, "-1" of
a time), and raises Unreadable for one that is given and makes no sense.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from coursehub.trainercentral import lenient_values

Read = TypeVar("Read")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Epoch seconds have ten digits, milliseconds thirteen. What is below 1973 as either is no moment of this API.
_LEAST_SECONDS, _LEAST_MS, _MOST_MS = 10**8, 10**11, 253_402_300_799_000
_NOT_SET = "-1"
# A hundredth too much is rounding; more is not a percentage.
_MOST_PERCENT = 101
_MOST_COUNTED = 10**9
_SAMPLE_LENGTH = 20


class Unreadable(ValueError):
    """A value is given, and this client does not understand it."""


class FieldReader:
    """Reads the fields of one row; `unreadable` names those, as the record calls them, that could not be read.

    `samples` are their values, for people: short, and left out where they might name somebody.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row
        self._unreadable: dict[str, str] = {}

    @property
    def unreadable(self) -> tuple[str, ...]:
        return tuple(self._unreadable)

    @property
    def samples(self) -> tuple[str, ...]:
        return tuple(self._unreadable.values())

    def read(self, name: str, key: str, function: Callable[[Any], Read | None]) -> Read | None:
        """What `function` makes of the value under `key`; None when that is not given or unreadable."""
        try:
            return function(self._row.get(key))
        except Unreadable:
            self._unreadable[name] = _sample(self._row.get(key))
            return None


def number(value: Any) -> float | None:
    """A finite number. A comma may stand for the point, a percent sign and blanks are passed over."""
    written = _text(value).removesuffix("%").strip()
    if not written:
        return None
    try:
        read = float(written.replace(",", ".") if written.count(",") == 1 and "." not in written else written)
    except (ValueError, OverflowError) as error:
        raise Unreadable from error
    if not math.isfinite(read):
        raise Unreadable
    return read


def percent(value: Any) -> float | None:
    """A percentage from 0 to 100; "-1" is not set."""
    read = number(value)
    if read is None or _text(value) == _NOT_SET:
        return None
    if not 0 <= read <= _MOST_PERCENT:
        raise Unreadable
    return min(read, 100.0)


def whole(value: Any) -> int | None:
    """A whole number from 0; "3.0" is one."""
    read = number(value)
    if read is None or _text(value) == _NOT_SET:
        return None
    if not 0 <= read <= _MOST_COUNTED or read != int(read):
        raise Unreadable
    return int(read)


def moment_ms(value: Any) -> int | None:
    """Epoch milliseconds, out of milliseconds, seconds (fractions too) or an ISO 8601 text (UTC unless it says)."""
    written = _text(value)
    if written in ("", "0", _NOT_SET):
        return None
    try:
        read = Decimal(written)
    except ArithmeticError:
        return _iso_ms(written)
    if not read.is_finite() or not _LEAST_SECONDS <= read <= _MOST_MS:
        raise Unreadable
    return int(read if read >= _LEAST_MS else read * 1000)


def moment(value: Any) -> datetime | None:
    """As `moment_ms`, as an aware datetime."""
    milliseconds = moment_ms(value)
    return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)


def _iso_ms(written: str) -> int:
    try:
        read = datetime.fromisoformat(written)
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        since = read - _EPOCH
    except (ValueError, OverflowError) as error:
        raise Unreadable from error
    milliseconds = since // timedelta(milliseconds=1)
    if not _LEAST_SECONDS * 1000 <= milliseconds <= _MOST_MS:
        raise Unreadable
    return milliseconds


def _sample(value: Any) -> str:
    """A value as it may be shown: of one line, at most 20 characters, and nothing that looks like an address."""
    if isinstance(value, dict | list | bool):
        return type(value).__name__
    shown = "".join(letter if letter.isprintable() else " " for letter in lenient_values.text(value))
    return "" if "@" in shown else shown[:_SAMPLE_LENGTH]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable
    return lenient_values.text(value)


class PercentColumn:
    """Whether the percentages of an academy's lists are fractions of 1, told by whole pages and not by one value.

    One object per academy; safe to share between threads, since it only remembers what was seen.
    """

    def __init__(self) -> None:
        self._above_one = False  # once seen, "0.42" is less than half a percent for good
        self._fractions = False

    def reader(self, rows: Iterable[Mapping[str, Any]]) -> Callable[[Any], float | None]:
        """The function that reads the percentages of this page."""
        return self._read_fraction if self._is_fraction(list(rows)) else percent

    def _is_fraction(self, rows: list[Mapping[str, Any]]) -> bool:
        values = [(value, row) for row in rows if (value := _unsigned(row)) is not None]
        if any(value > 1 for value, _ in values):
            self._above_one = True
        if self._above_one:
            return False
        begun = [(value, row) for value, row in values if value > 0]
        votes = sum(_lessons_speak_for_fraction(value, row) for value, row in begun)
        if votes < 0:
            return False
        if votes > 0 or any(value < 1 for value, _ in begun):
            self._fractions = True
        return self._fractions

    def _read_fraction(self, value: Any) -> float | None:
        read = percent(value)
        return read if read is None or "%" in _text(value) else round(read * 100, 6)


def _unsigned(row: Mapping[str, Any]) -> float | None:
    """The row's percentage, unless its sign says what it is, or nothing can be read."""
    value = row.get("completionPercentage")
    try:
        return None if isinstance(value, str) and "%" in value else percent(value)
    except Unreadable:
        return None


def _lessons_speak_for_fraction(value: float, row: Mapping[str, Any]) -> int:
    """1 when the lessons done fit the value as a fraction, -1 when they fit it as a percentage, 0 without any."""
    try:
        done, total = whole(row.get("completedLesson")), whole(row.get("totalLesson"))
    except Unreadable:
        return 0
    if done is None or not total:
        return 0
    share = done / total
    as_fraction, as_percent = abs(value - share), abs(value / 100 - share)
    return (as_fraction < as_percent) - (as_fraction > as_percent)
