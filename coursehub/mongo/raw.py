"""Raw SQL through Djongo's own translator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database


@dataclass
class Result:
    """What a statement left: rows to fetch, or a number of rows written."""

    rows: Iterator[tuple] = field(default_factory=lambda: iter(()))
    description: list[tuple] | None = None
    rowcount: int = -1
    lastrowid: Any = None


def execute(database: Database, sql: str, params: Sequence[Any] | None) -> Result:
    raise NotImplementedError
