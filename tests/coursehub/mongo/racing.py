"""Calls that begin in the same moment."""

import threading
import time
from collections.abc import Callable
from typing import Any

AT_ONCE = 8
LONGEST_SECONDS = 5.0


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What calls return, or raise, that begin in the same moment; one that takes over 5 s has raised TimeoutError."""
    from django.db import connection

    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait()
        began = time.monotonic()
        try:
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()
        if time.monotonic() - began > LONGEST_SECONDS:
            results[number] = TimeoutError(f"{time.monotonic() - began:.1f} s")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
