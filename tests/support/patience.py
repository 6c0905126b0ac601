"""How long a promise in seconds may take on the machine as it is."""

import os

from tests.support.environment import WORKER


def promised(seconds: float) -> float:
    """`seconds` are promised on a machine that does nothing else; on a busy one it takes as many times as long as
    processes wait for each processor. Of several processes of tests each waits for the others, at the least."""
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(waiting, 2.0 if WORKER else 1.0)
