"""Waiting for what is to come, and how long a promise in seconds may take on the machine as it is."""

import os
import time
from collections.abc import Callable


def promised(seconds: float) -> float:
    """`seconds` are promised on a machine that does nothing else; on a busy one it takes as many times as long as
    processes wait for each processor. Of several processes of tests each waits for the others, at the least."""
    from tests.support.environment import WORKER  # sets the environment of tests, which measurements that wait have not

    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(waiting, 2.0 if WORKER else 1.0)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Returns after how many seconds `condition` was true; fails the test after `seconds`."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - started
