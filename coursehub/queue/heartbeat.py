"""Signs of life: single bytes that a group writes into a pipe to its supervisor, and how they are judged.

A pipe, because it needs nothing that can be down, is private to the group, and ends exactly when the last
process of the group has died.
"""

import os
from contextlib import suppress
from enum import Enum

SILENCE_SECONDS = 20
# A first start on a busy machine imports everything from a cold disk.
START_SECONDS = 60


class Sign(Enum):
    """What a process of the group says."""

    GUARD = b"g"  # the guard has looked after its children
    BUSY = b"b"  # it has, and every worker is in the middle of a task, none of them beyond its time
    TICK = b"t"  # the ticker has gone round
    MONGODB_AWAY = b"x"  # it has, and MongoDB cannot be reached: nothing can pass
    TASK_PASSED = b"d"  # a task went from the queue through a worker to the monitor


class Signs:
    """The group's end of the pipe; inherited by its children."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def send(self, sign: Sign) -> None:
        """Never waits and never fails: a full pipe holds signs enough, a broken one means we die anyway."""
        with suppress(OSError):
            os.write(self._descriptor, sign.value)


class SilenceWatch:
    """Judges whether a group lives, by the seconds since the last sign of each of its three duties."""

    def __init__(self, now: float) -> None:
        self._started_at, self._running = now, False
        self._last = dict.fromkeys(("guard", "ticker", "tasks"), now)

    def note(self, signs: bytes, now: float) -> None:
        """Signs were read at `now` (monotonic seconds)."""
        if not self._running and Sign.GUARD.value in signs:
            self._running = True
            self._last = dict.fromkeys(self._last, now)
        proofs = {
            "guard": (Sign.GUARD, Sign.BUSY),
            "ticker": (Sign.TICK, Sign.MONGODB_AWAY),
            # The two excuses: a heartbeat cannot pass before a worker is free, nor without MongoDB.
            "tasks": (Sign.TASK_PASSED, Sign.BUSY, Sign.MONGODB_AWAY),
        }
        for duty, its_proofs in proofs.items():
            if any(sign.value in signs for sign in its_proofs):
                self._last[duty] = now

    def verdict(self, now: float) -> str:
        """Empty while the group may live, else the reason to end it."""
        if not self._running:
            return f"it did not start within {START_SECONDS} s" if now - self._started_at > START_SECONDS else ""
        silent = [duty for duty, last in self._last.items() if now - last > SILENCE_SECONDS]
        return f"no sign of its {' and '.join(silent)} for {SILENCE_SECONDS} s" if silent else ""
