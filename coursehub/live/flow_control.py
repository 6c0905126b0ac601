"""Telling a slow reader: what one client was sent and has not acknowledged.

The server writes to a socket without backpressure, so acknowledgements are the only way to know
whether a client still reads. All times are seconds of a monotonic clock.
"""

from collections import deque

MAX_CHANGES = 200
MAX_SECONDS = 5.0
# A client that has not caught up by then is not slow but gone.
GIVE_UP_SECONDS = 10.0
# What a thin line carries. A large snapshot is not late while it may still be on its way.
SLOWEST_BYTES_PER_SECOND = 50_000


class Outstanding:
    """The frames sent to one client and not yet acknowledged, oldest first."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, float]] = deque()  # revision, and when it has arrived even by a thin line

    def sent(self, revision: int, now: float, size_bytes: int = 0) -> None:
        self._frames.append((revision, now + size_bytes / SLOWEST_BYTES_PER_SECOND))

    def acknowledged(self, revision: int) -> None:
        """Everything up to `revision` arrived."""
        while self._frames and self._frames[0][0] <= revision:
            self._frames.popleft()

    def is_slow(self, now: float) -> bool:
        """Nothing more should be sent for now; once it is over, a snapshot makes up for what was not."""
        return len(self._frames) >= MAX_CHANGES or self._age_seconds(now) >= MAX_SECONDS

    def is_hopeless(self, now: float) -> bool:
        """The client should be closed."""
        return self._age_seconds(now) >= GIVE_UP_SECONDS

    def _age_seconds(self, now: float) -> float:
        return now - self._frames[0][1] if self._frames else 0.0
