"""`python -m bench.contestants NAME URI`: answers one line of JSON for each that it is given.

In `{"operation", "first", "calls"}`, out `{"milliseconds": [...], "answer"}` or `{"error"}`: the calls are numbered
from `first` on, `answer` is the last one's. Says `{"versions": {...}}` when it is ready, ends when stdin does.
"""

import gc
import json
import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version

from .operations import Operation

TURN_SECONDS = 0.3  # no call begins after that, so that the slow do not make the others wait for minutes
PACKAGES = ("django", "pymongo", "djongo", "django-mongodb-backend")


def main(contestant: str, uri: str) -> None:
    """Take turns until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not an answer
    operations = contest(contestant, uri)
    print(json.dumps({"versions": versions()}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(
            json.dumps(turn(operations[asked["operation"]], asked["first"], asked["calls"])), file=answers, flush=True
        )


def contest(contestant: str, uri: str) -> dict[str, Operation]:
    """The contestant's operations, on a database of its own that is ready."""
    if contestant == "raw":
        from .raw import Raw

        return Raw(uri, contestant).operations()
    from .orm import Orm

    return Orm(contestant, uri, contestant).operations()


def turn(operation: Operation, first: int, calls: int) -> dict:
    """Time each call; of a slow operation fewer than asked for, but at least one."""
    milliseconds, result = [], None
    gc.collect()
    ends = time.perf_counter() + TURN_SECONDS
    try:
        for number in range(first, first + calls):
            if milliseconds and time.perf_counter() > ends:
                break
            prepared = operation.prepare(number)
            began = time.perf_counter()
            result = operation.call(number, prepared)
            milliseconds.append((time.perf_counter() - began) * 1000)
        return {"milliseconds": milliseconds, "answer": operation.answer(result)}
    except Exception as error:  # a contestant may not be able to: that is a result
        return {"error": f"{type(error).__name__}: {error}".partition("\n")[0].strip()}


def versions() -> dict[str, str]:
    """What this environment has of the packages that count."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
