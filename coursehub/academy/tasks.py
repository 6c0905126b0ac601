"""Telling whoever waits what a kind of answer means: what was not told, or may have come too late, is told (again)."""

from coursehub import queue
from coursehub.academy import answers


def tick() -> None:
    """Ring for every kind whose meaning has still to be told."""
    for key in answers.due_to_tell():
        queue.enqueue(tell, key)


def tell(kind_key: str) -> str:
    """Tell what this kind means."""
    return f"{kind_key}: {'told' if answers.tell(kind_key) else 'nothing to tell'}"
