"""How one learner gets through one course: a pure function of (seed, course, e-mail, time).

Nobody's progress is stored or advanced by a task: it is looked up. That makes it reproducible and
costs a `kill -9` nothing.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass
from hashlib import blake2b
from math import inf

MINUTE_MS = 60_000.0
DAY_MS = 24 * 60 * MINUTE_MS
NEVER_ACCEPT = 0.04
STALL = 0.20
STAGES = 10


@dataclass(frozen=True, slots=True)
class Journey:
    """Milestones in learners' milliseconds since the invitation."""

    accepts_ms: float
    stage_starts_ms: tuple[float, ...]  # when 0, 10, ... 100 percent are reached
    stalls_at_percent: int  # 100: gets to the end

    def accepted(self, elapsed_ms: float) -> bool:
        """Whether the invitation has been accepted."""
        return elapsed_ms >= self.accepts_ms

    def percent(self, elapsed_ms: float) -> int:
        """0 to 100."""
        stage = bisect_right(self.stage_starts_ms, elapsed_ms) - 1
        if stage < 0:
            return 0
        if stage >= STAGES:
            return min(100, self.stalls_at_percent)
        start, end = self.stage_starts_ms[stage], self.stage_starts_ms[stage + 1]
        return min(stage * 10 + int((elapsed_ms - start) / (end - start) * 10), self.stalls_at_percent)

    def reached_ms(self, percent: int) -> float:
        """When `percent` was reached; 0 percent counts from the acceptance."""
        if percent == 0:
            return self.accepts_ms
        stage, tenths = divmod(percent, 10)
        start = self.stage_starts_ms[stage]
        return start if tenths == 0 else start + (self.stage_starts_ms[stage + 1] - start) * tenths / 10


def chance(*what: object) -> random.Random:
    """A source of chance that depends on `what` alone."""
    digest = blake2b("|".join(map(str, what)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311  (a model, not a secret)


def journey(seed: int, course_id: str, email: str) -> Journey:
    """The way of the learner with this folded e-mail address through this course."""
    dice = chance("journey", seed, course_id, email)
    if dice.random() < NEVER_ACCEPT:
        return Journey(inf, (inf,) * (STAGES + 1), 100)
    # Half accept within eight hours, a few within minutes, some need days.
    accepts = min(dice.lognormvariate(6.2, 1.6) * MINUTE_MS, 20 * DAY_MS)
    starts = accepts + min(dice.lognormvariate(5.0, 1.5) * MINUTE_MS, 10 * DAY_MS)
    duration = dice.lognormvariate(0.0, 0.5) * 28 * DAY_MS
    shares = [dice.gammavariate(2.0, 1.0) + 0.1 for _ in range(STAGES)]
    stages = [starts]
    for share in shares:
        stages.append(stages[-1] + duration * share / sum(shares))
    stalls_at = dice.randrange(5, 95) if dice.random() < STALL else 100
    return Journey(accepts, tuple(stages), stalls_at)
