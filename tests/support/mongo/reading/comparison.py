"""One example of the comparison with SQLite: random rows, random queries, equal answers."""

import random

from .chains import chain
from .rows import fill
from .tables import REFERENCE

_QUERIES_PER_EXAMPLE = 3  # filling the tables costs more than a query


def compare(chance: random.Random) -> None:
    """Raises AssertionError unless both databases give the same rows, in the same order where the query says one."""
    fill(chance)
    for _ in range(_QUERIES_PER_EXAMPLE):
        query = chain(chance)
        found, expected = query.rows("default"), query.rows(REFERENCE)
        assert found == expected, f"{found} and not {expected} for {query}"
