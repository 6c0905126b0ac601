"""Readers of environment variables that reject nonsense.

Every variable may also come from a file named by `NAME_FILE` (container secrets). A value that
cannot be read stops the start with one sentence; the sentence names the variable, never its value.
"""

import os
import re
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY = re.compile(rf"({'|'.join(WEEKDAYS)}) ([0-9]{{2}}:[0-9]{{2}})")


def text(name: str, default: str = "") -> str:
    """The value of `name`, or the content of the file that `name`_FILE names, or the default.

    An empty value counts as not set, so that Compose may pass variables through.
    """
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "").strip() or default
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read.") from error


def boolean(name: str, default: bool = False) -> bool:
    """Exactly `true` or `false`."""
    return _parse(name, default, {"true": True, "false": False}.__getitem__, "true or false")


def whole(name: str, default: int, minimum: int = 0) -> int:
    """A whole number of at least `minimum`."""
    return _parse(name, default, _at_least(int, minimum), f"a whole number of at least {minimum}")


def number(name: str, default: float, minimum: float = 0.0) -> float:
    """A number of at least `minimum`."""
    return _parse(name, default, _at_least(float, minimum), f"a number of at least {minimum}")


def share(name: str, default: float) -> float:
    """A number between 0 and 1, neither of the two included."""
    return _parse(name, default, _between_0_and_1, "a number between 0 and 1, such as 0.2")


def choice(name: str, options: tuple[str, ...]) -> str:
    """One of `options`; the first is the default."""
    return _parse(name, options[0], lambda value: options[options.index(value)], " or ".join(options))


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list, trimmed, without empty items."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def weekly(name: str, default: str) -> str:
    """A moment of each week, such as `mon 09:00`; `weekday_and_time` reads it."""

    def convert(value: str) -> str:
        weekday_and_time(value)
        return value

    return _parse(name, default, convert, 'a day and a time such as "mon 09:00"')


def weekday_and_time(text: str) -> tuple[int, time]:
    """(0 for Monday, time on the wall) of `mon 09:00`. Raises ValueError."""
    found = _WEEKLY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return WEEKDAYS.index(found[1]), time.fromisoformat(found[2])


def _at_least(kind: Callable[[str], T], minimum: T) -> Callable[[str], T]:
    def convert(value: str) -> T:
        converted = kind(value)
        if not converted >= minimum:  # type: ignore[operator]  # NaN fails this too
            raise ValueError
        return converted

    return convert


def _between_0_and_1(value: str) -> float:
    converted = float(value)
    if not 0 < converted < 1:
        raise ValueError
    return converted


def _parse(name: str, default: T, convert: Callable[[str], T], wanted: str) -> T:
    value = text(name)
    if not value:
        return default
    try:
        return convert(value)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name} must be {wanted}.") from error
