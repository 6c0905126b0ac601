"""How often what was called, and the call log, which is also the journal's record of every call."""

from collections import Counter
from typing import Any

from coursehub.sandbox.storage import Journal

KEPT_CALLS = 100_000
CALL_COLUMNS = ("n", "at_ms", "took_ms", "endpoint", "status", "detail")


class Counters:
    """Counts in memory, backed by the call log. Methods that count must run inside a journal transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._last_call = 0
        self._oldest_call = 1
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.invitations: dict[tuple[str, str], int] = {}  # that were acted upon
        self.posts: dict[tuple[str, str], int] = {}  # that reached the endpoint, acted upon or not
        self.last_call_ms = 0

    @property
    def last_call(self) -> int:
        """The number of the newest call; numbers are never used twice, not even after a reset."""
        return self._last_call

    def start_afresh(self) -> None:
        """Everything to zero; the log is empty."""
        for table in ("calls", "invitations"):
            self._journal.execute(f"DELETE FROM {table}")  # noqa: S608  (names from the line above)
        self.by_endpoint, self.by_status, self.invitations, self.posts = Counter(), Counter(), {}, {}
        self._oldest_call = self._last_call + 1
        self._store_totals()

    def load(self) -> None:
        """The totals as they were when the log was last cut, and what was logged since."""
        kept = self._journal.recall("totals")
        self._last_call, self._oldest_call = kept["last_call"], kept["oldest_call"]
        self.by_endpoint, self.by_status = Counter(kept["by_endpoint"]), Counter(kept["by_status"])
        self.last_call_ms = kept["last_call_ms"]
        since = "SELECT n, at_ms + took_ms, endpoint, status FROM calls WHERE n > ? ORDER BY n"
        for row in self._journal.execute(since, (self._last_call,)):
            self._tally(*row)
        rows = list(self._journal.execute("SELECT course_id, email, count, posted FROM invitations"))
        self.invitations = {(course_id, email): count for course_id, email, count, _ in rows if count}
        self.posts = {(course_id, email): posted for course_id, email, _, posted in rows}

    def count_call(self, arrived_ms: int, acted_ms: int, endpoint: str, status: int, detail: str) -> None:
        """Log one call. Status 0: it gets no answer."""
        number = self._last_call + 1
        row = (number, arrived_ms, acted_ms - arrived_ms, endpoint, status, detail)
        self._journal.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)", row)
        self._tally(number, acted_ms, endpoint, status)
        if number - self._oldest_call >= 2 * KEPT_CALLS:
            self._oldest_call = number - KEPT_CALLS
            self._journal.execute("DELETE FROM calls WHERE n < ?", (self._oldest_call,))
            self._store_totals()

    def count_invitation(self, course_id: str, email: str, at_ms: int) -> None:
        """Count one invitation that was acted upon; `course_id` is empty for the academy alone."""
        self.invitations[course_id, email] = self.invitations.get((course_id, email), 0) + 1
        self._store_invitation(course_id, email, at_ms)

    def count_post(self, course_id: str, email: str, at_ms: int) -> None:
        """Count one call that reached the endpoint, whether it is acted upon or not."""
        self.posts[course_id, email] = self.posts.get((course_id, email), 0) + 1
        self._store_invitation(course_id, email, at_ms)

    def _store_invitation(self, course_id: str, email: str, at_ms: int) -> None:
        key = course_id, email
        row = (*key, self.invitations.get(key, 0), at_ms, self.posts.get(key, 0))
        self._journal.execute("INSERT OR REPLACE INTO invitations VALUES (?, ?, ?, ?, ?)", row)

    def recent_calls(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` calls, newest last: the first ones after number `after`, or the newest of all if it is < 0."""
        columns = f"SELECT {', '.join(CALL_COLUMNS)} FROM calls"  # noqa: S608  (names from above)
        if after < 0:
            found = list(self._journal.execute(f"{columns} ORDER BY n DESC LIMIT ?", (limit,)))[::-1]
        else:
            found = list(self._journal.execute(f"{columns} WHERE n > ? ORDER BY n LIMIT ?", (after, limit)))
        return [dict(zip(CALL_COLUMNS, row, strict=True)) for row in found]

    def recent_invitations(self, limit: int) -> list[dict[str, Any]]:
        """The invitations sent last, newest first; each stands for an e-mail."""
        query = "SELECT course_id, email, count, last_ms FROM invitations WHERE count > 0 ORDER BY last_ms DESC LIMIT ?"
        rows = self._journal.execute(query, (limit,))
        return [dict(zip(("course", "email", "count", "last_ms"), row, strict=True)) for row in rows]

    def _tally(self, number: int, acted_ms: int, endpoint: str, status: int) -> None:
        self._last_call, self.last_call_ms = number, acted_ms
        self.by_endpoint[endpoint] += 1
        self.by_status[str(status)] += 1

    def _store_totals(self) -> None:
        totals = {"last_call": self._last_call, "oldest_call": self._oldest_call, "last_call_ms": self.last_call_ms}
        self._journal.remember("totals", {**totals, "by_endpoint": self.by_endpoint, "by_status": self.by_status})
