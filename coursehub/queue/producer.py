"""Ringing: how a task comes into the queue, and how a worker runs it."""

import logging
import time
from collections.abc import Callable
from functools import cache, partial
from uuid import UUID

from django.db import transaction
from django.utils.module_loading import import_string
from pymongo import timeout

from coursehub.queue.broker import Broker
from coursehub.queue.turns import USUAL, Turn

ENQUEUE_SECONDS_MAX = 3

logger = logging.getLogger(__name__)
# It tells each task three times; what failed we log ourselves.
logging.getLogger("django-q").setLevel(logging.WARNING)


def enqueue(task: Callable[..., object] | str, *ids: str | int | UUID, turn: Turn = USUAL) -> None:
    """Have a worker call `task` (a function of a module, or its dotted path) with `ids`, soon: when it is its turn.

    Inside `atomic()` it rings when the block is committed, so the worker sees what was written. A task that
    waits already, with the same ids, is not added again. Raises TypeError for anything but ids (text,
    numbers, UUIDs, which arrive as text), ValueError for a function without a path of its own, and pymongo's
    error when MongoDB does not answer within 3 s: then nothing was rung, and a registered tick must find it.
    """
    path = task if isinstance(task, str) else _path_of(task)
    for value in ids:
        if not isinstance(value, (str, int, UUID)):
            raise TypeError(f"a task takes ids only, {path} was given a {type(value).__name__}")
    arguments = [str(value) if isinstance(value, UUID) else value for value in ids]
    transaction.on_commit(partial(ring, path, *arguments, turn=turn))


def _path_of(function: Callable[..., object]) -> str:
    path = f"{function.__module__}.{function.__qualname__}"
    if "<" in path or function.__module__ == "__main__":
        raise ValueError(f"a worker cannot import {path}")
    return path


def ring(path: str, *arguments: str | int, only_for_worker: str | None = None, turn: Turn = USUAL) -> None:
    """Ring now, whatever transaction is open. Raises pymongo's error."""
    # Loads django-q2's models, which are not ready yet where this module is imported.
    from django_q.tasks import async_task

    # What django-q2 hands on to a broker is these two labels, of which it makes no other use here.
    options = {"group": str(turn)} | ({"cluster": only_for_worker} if only_for_worker else {})
    with timeout(ENQUEUE_SECONDS_MAX):
        async_task(run, path, *arguments, task_name=path, broker=_process_broker(), **options)


@cache
def _process_broker() -> Broker:
    """The one broker object; async_task would build another for each task."""
    return Broker()


def run(path: str, *arguments: str | int) -> str:
    """Called by django-q2's worker: run the task, and report every error ourselves.

    To django-q2 each task so succeeds, and it stores neither results nor, for ever, failures. Only a
    time-out passes (it is no Exception): after it django-q2 replaces the worker's process.
    """
    started = time.monotonic()
    try:
        said = import_string(path)(*arguments)
    except Exception:
        logger.exception("task %s%s failed", path, arguments)
        return "failed"
    logger.debug("task %s%s: %s (%.3f s)", path, arguments, said, time.monotonic() - started)
    return "done"


def heartbeat() -> None:
    """The task that proves that tasks pass through a group; that it passed is all there is to it."""
