"""The sandbox's two clocks: the server's, and the one its learners live by.

The server's clock (tokens, limits, times in answers) is the machine's, optionally advanced or run
faster. The learners' clock follows it at the pace of the switch `progress_speed`, and rests while
the sandbox is down, so that a demo started again the next day still has something to show.
Both are exact functions of what the journal keeps: no background task, nothing to lose.
"""

import time
from bisect import bisect_right

from coursehub.sandbox.storage import Journal


class Clock:
    """Milliseconds since the epoch on the server's clock, and their translation to learners' time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._anchor_real_ms = self._anchor_ms = 0.0
        self._seen_ms = 0.0  # the latest moment that the journal vouches for
        self.speed = 1.0
        # Stretches of learners' life: (server ms, learner ms, pace), ascending. Before the first
        # one both clocks are the same.
        self._stretches: list[tuple[float, float, float]] = []
        self._learner_starts: list[float] = []

    def start_afresh(self, pace: float) -> None:
        """Real time, at `pace` for the learners from now on."""
        self._anchor_real_ms = self._anchor_ms = time.time() * 1000
        self.speed = 1.0
        self._stretches = [(self._anchor_ms, self._anchor_ms, pace)]
        self._store()

    def load(self) -> None:
        """Take up the clocks where the journal has them."""
        kept = self._journal.recall("clock")
        self._anchor_real_ms, self._anchor_ms, self.speed = kept["anchor"]
        self._seen_ms = kept["seen_ms"]
        self._stretches = [tuple(stretch) for stretch in kept["stretches"]]
        self._learner_starts = [stretch[1] for stretch in self._stretches]

    def rest_since(self, last_seen_ms: float) -> None:
        """Let the learners have rested from `last_seen_ms` (server clock) until now."""
        pace = self._stretches[-1][2]
        last_seen_ms = max(last_seen_ms, self._seen_ms)
        at_rest = self.learner_ms(last_seen_ms)
        self._stretches += [(last_seen_ms, at_rest, 0.0), (max(self.now_ms(), last_seen_ms), at_rest, pace)]
        self._store()

    def now_ms(self) -> int:
        """The server's time."""
        return int(self._now())

    def learner_ms(self, server_ms: float) -> float:
        """Learners' time at a moment of the server's."""
        start_ms, learner_start_ms, pace = self._stretches[-1]
        if server_ms < start_ms:
            index = bisect_right(self._stretches, (server_ms, float("inf"))) - 1
            if index < 0:
                return server_ms
            start_ms, learner_start_ms, pace = self._stretches[index]
        return learner_start_ms + (server_ms - start_ms) * pace

    def server_ms(self, learner_ms: float) -> int:
        """The moment of the server's clock at which learners' time was `learner_ms`."""
        index = bisect_right(self._learner_starts, learner_ms) - 1
        if index < 0:
            return int(learner_ms)
        start_ms, learner_start_ms, pace = self._stretches[index]
        return int(start_ms + (learner_ms - learner_start_ms) / pace) if pace else int(start_ms)

    def advance(self, seconds: float) -> None:
        """Jump forward; the learners live through the time as well."""
        self._anchor(self._now() + seconds * 1000)

    def run_at(self, speed: float) -> None:
        """Run the server's clock (and so the learners') at `speed` from now on."""
        self._anchor(self._now())
        self.speed = speed
        self._store()

    def set_pace(self, pace: float) -> None:
        """Let the learners live at `pace` x the server's time from now on."""
        now = self._now()
        if pace != self._stretches[-1][2]:
            self._stretches.append((now, self.learner_ms(now), pace))
            self._store()

    def _now(self) -> float:
        return self._anchor_ms + (time.time() * 1000 - self._anchor_real_ms) * self.speed

    def _anchor(self, now: float) -> None:
        self._anchor_ms, self._anchor_real_ms = now, time.time() * 1000
        self._store()

    def _store(self) -> None:
        self._learner_starts = [stretch[1] for stretch in self._stretches]
        self._seen_ms = self._now()
        anchor = [self._anchor_real_ms, self._anchor_ms, self.speed]
        kept = {"anchor": anchor, "seen_ms": self._seen_ms, "stretches": self._stretches}
        self._journal.remember("clock", kept)
