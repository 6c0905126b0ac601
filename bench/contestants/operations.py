"""What is measured, by name; a contestant has one `Operation` for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _nothing(number: int) -> None:
    """No preparation."""


@dataclass
class Operation:
    """`call(number, prepared)` is timed; `prepare(number)` before and `answer(result)` after it are not.

    Answers must be the same of all contestants: who reads less, or the wrong rows, is not faster.
    """

    call: Callable[[int, Any], Any]
    answer: Callable[[Any], Any]
    prepare: Callable[[int], Any] = _nothing


def slugs(objects: list) -> list[str]:
    """Answer of a list of rows, which must have all their columns at hand."""
    return [one["slug"] if isinstance(one, dict) else one.slug for one in objects]


def joined_slugs(objects: list) -> list[list[str]]:
    """Answer of rows with their categories."""
    if objects and isinstance(objects[0], dict):
        return [[one["slug"], one["category"]["name"]] for one in objects]
    return [[one.slug, one.category.name] for one in objects]
