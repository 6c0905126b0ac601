"""The data of the contest: 10,000 rows of 16 columns (the key is the sixteenth), 100 categories."""

import datetime
import random
from collections.abc import Iterator
from typing import Any

ROWS, CATEGORIES, KINDS = 10_000, 100, 20
INDEXED = ("slug", "b", "kind", "category")
_WORDS = ("course", "learner", "token", "batch", "lease", "invite", "member", "refresh", "queue", "audit", "trainer")
_EPOCH = datetime.datetime(2026, 1, 5, 9, 0)


def rows() -> Iterator[dict[str, Any]]:
    """The rows without their keys, the same at each call; `category` is a number from 0 on.

    Each kind has 500 rows, each `b` one, and one text in a hundred has a "Needle".
    """
    chance = random.Random(20260105)  # noqa: S311 - the same for everybody
    numbers = list(range(ROWS))
    chance.shuffle(numbers)
    for number in range(ROWS):
        words = chance.choices(_WORDS, k=12)
        if number % 100 == 7:
            words[5] = "Needle"
        yield {
            "slug": f"row-{number}",
            "title": f"Row {number} {words[0]}",
            "text": " ".join(words),
            "kind": f"kind-{number % KINDS}",
            "note": None,
            "a": number,
            "b": numbers[number],
            "c": chance.randrange(1000),
            "flag": number % 40 < 20,
            "active": number % 3 == 0,
            "score": chance.random(),
            "weight": chance.random() * 100,
            "day": datetime.datetime(2026, 1, 1) + datetime.timedelta(days=number % 300),
            "created": _EPOCH + datetime.timedelta(seconds=number),
            "category": number % CATEGORIES,
        }
