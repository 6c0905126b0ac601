"""How long a throttled answer asks to wait."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_AGAIN_AFTER = re.compile(r"(?:after|again in|wait|wait for)\s+(\d{1,4})\s*(second|sec|minute|min|hour)", re.IGNORECASE)
_UNIT_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600}
_LONGEST_WAIT_SECONDS = 86_400.0  # beyond a day a wait is taken for nonsense
_LEAST_SECONDS = 1.0


def wait_seconds(headers: Mapping[str, str], message: str) -> float | None:
    """Their Retry-After, else the "after N minutes" of their message; at least a second. None without either."""
    seconds = retry_after_seconds(headers.get("retry-after", ""), headers.get("date", ""))
    spoken = _AGAIN_AFTER.search(message)
    if seconds is None and spoken:
        seconds = min(float(spoken[1]) * _UNIT_SECONDS[spoken[2].lower()], _LONGEST_WAIT_SECONDS)
    return None if seconds is None else max(seconds, _LEAST_SECONDS)


def retry_after_seconds(header: str, date: str = "") -> float | None:
    """A Retry-After of seconds (fractions too) or of a moment, which counts from the server's own `date` header.

    None when it is absent, in the past, longer than a day, or no such thing.
    """
    try:
        seconds = float(header)
    except ValueError:
        moment = _moment(header)
        if moment is None:
            return None
        seconds = (moment - (_moment(date) or datetime.now(UTC))).total_seconds()
        seconds = seconds if seconds > 0 else -1.0
    return seconds if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_WAIT_SECONDS else None


def _moment(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
