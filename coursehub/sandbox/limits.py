"""The API's rate limit: so many calls per minute and path, then a lock."""

from collections import deque
from email.utils import formatdate

from coursehub.sandbox.http import Refused
from coursehub.sandbox.storage import Journal
from coursehub.sandbox.switches import Switches

WINDOW_MS = 60_000
CODE = "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED"


class RateLimit:
    """Sliding windows in memory, filled again from the call log after a start; locks in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._windows: dict[str, deque[int]] = {}
        self._locked_until: dict[str, int] = {}

    def start_afresh(self) -> None:
        """No call counted, nothing locked."""
        self._windows, self._locked_until = {}, {}
        self._journal.remember("locks", {})

    def load(self, now_ms: int) -> None:
        """Take up windows and locks where the journal has them."""
        self._windows, self._locked_until = {}, self._journal.recall("locks", {})
        recent = "SELECT endpoint, at_ms FROM calls WHERE n > ? AND at_ms > ? AND status != 401 ORDER BY n"
        newest = self._journal.execute("SELECT coalesce(max(n), 0) FROM calls").fetchone()[0]
        for endpoint, at_ms in self._journal.execute(recent, (newest - 10_000, now_ms - WINDOW_MS)):
            self._windows.setdefault(endpoint, deque()).append(at_ms)

    def count(self, endpoint: str, now_ms: int, switches: Switches) -> None:
        """Count one call. Raises Refused when it is one too many."""
        most = switches.calls_per_minute
        if not most:
            return
        locked_until = self._locked_until.get(endpoint, 0)
        window = self._windows.setdefault(endpoint, deque())
        if now_ms < locked_until:
            if switches.lockout_prolongs:
                locked_until = self._lock(endpoint, now_ms, switches)
            raise self._refusal(locked_until - now_ms, switches, now_ms)
        while window and window[0] <= now_ms - WINDOW_MS:
            window.popleft()
        if len(window) >= most:
            window.clear()
            raise self._refusal(self._lock(endpoint, now_ms, switches) - now_ms, switches, now_ms)
        window.append(now_ms)

    def _lock(self, endpoint: str, now_ms: int, switches: Switches) -> int:
        until = self._locked_until[endpoint] = now_ms + switches.lockout_seconds * 1000
        self._journal.remember("locks", self._locked_until)
        return until

    @staticmethod
    def _refusal(wait_ms: int, switches: Switches, now_ms: int) -> Refused:
        seconds = -(-wait_ms // 1000)
        message = (
            f"Cannot execute more than {switches.calls_per_minute} requests per API in 1 minutes. "
            f"Try again after {-(-seconds // 60)} minutes."
        )
        if switches.rate_limit_style == "429":
            return Refused(429, CODE, message, retry_after=retry_after(seconds, switches, now_ms))
        return Refused(400, CODE, message)


def retry_after(seconds: int, switches: Switches, now_ms: int) -> str:
    """The header, in the style that the switch `retry_after_style` names."""
    values = {"seconds": str(seconds), "absurd": "999999999", "constant": "1", "none": ""}
    style = switches.retry_after_style
    ahead_ms = {"date": seconds * 1000, "past": -60_000}.get(style, 0)
    return values[style] if style in values else http_date(now_ms + ahead_ms, switches)


def http_date(now_ms: int, switches: Switches) -> str:
    """A moment as headers give it, by the clock that the switch `date_skew_seconds` puts off."""
    return formatdate(now_ms / 1000 + switches.date_skew_seconds, usegmt=True)
