"""Integer keys: one counter per table, in Djongo's `__schema__` collection.

A table's document is `{name, fields: {column: {type_code}}, auto: {field_names: [column], seq: last number}}`.
Numbers are drawn outside any session: inside one, the counter would make all concurrent inserts conflict.
A number that was drawn is spent, whatever becomes of the insert.

A process that inserts row after row draws ahead, so that most inserts cost no second round trip. What it has not used
within a second is dropped: numbers have gaps, as in any SQL database, and follow time to the second.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import AutoField
from pymongo import ReturnDocument
from pymongo.database import Database

from coursehub.mongo.types import AnyField, Document

SCHEMA = "__schema__"
_KEPT_SECONDS = 1.0
_MOST_AHEAD = 50


@dataclass
class _Block:
    """Numbers drawn ahead: from `first` to `last`, of a draw that was for `size` numbers."""

    first: int
    last: int
    size: int
    until: float  # by time.monotonic()


_Key = tuple[int, str, str]  # a client (they are never closed), a database's name, a table
_blocks: dict[_Key, _Block] = {}
_lock = threading.Lock()


def is_sequence(field: AnyField) -> bool:
    """Whether the column's numbers come from the table's counter (Djongo's ObjectIdField is no such column)."""
    return isinstance(field, AutoField) and field.get_internal_type() != "ObjectIdField"


def numbers(database: Database[Document], table: str, column: str, count: int) -> list[int]:
    """`count` new numbers for `column` of `table`, ascending; no other thread or process has or gets them."""
    key = _key(database, table)
    with _lock:
        block = _blocks.get(key)
        if block is None or time.monotonic() > block.until:
            taken, size = [], 1
        else:
            # The last draw was used up, or nearly, within its second: more are wanted soon.
            taken, size = list(range(block.first, min(block.first + count, block.last + 1))), block.size * 2
            block.first += len(taken)
    missing = count - len(taken)
    if missing:
        size = min(size, _MOST_AHEAD)
        first = draw(database, table, column, missing + size - 1)
        taken += range(first, first + missing)
        kept = _Block(first + missing, first + missing + size - 2, size, time.monotonic() + _KEPT_SECONDS)
        with _lock:
            _blocks[key] = kept  # what another thread has drawn meanwhile is a gap
    return taken


def _key(database: Database[Document], table: str) -> _Key:
    return id(database.client), database.name, table


def _forget(database: Database[Document], table: str) -> None:
    with _lock:
        _blocks.pop(_key(database, table), None)


def _forget_parents_blocks() -> None:
    """The parent goes on giving them out; and one of its threads may have held the lock when the process forked."""
    global _lock
    _lock = threading.Lock()
    _blocks.clear()


os.register_at_fork(after_in_child=_forget_parents_blocks)


def draw(database: Database[Document], table: str, column: str, count: int) -> int:
    """The first of `count` consecutive new numbers for `column` of `table`, in one round trip."""
    while True:
        drawn = database[SCHEMA].find_one_and_update(
            {"name": table, "auto": {"$exists": True}},
            {"$inc": {"auto.seq": count}},
            projection={"auto.seq": True},
            return_document=ReturnDocument.AFTER,
        )
        if drawn is not None:
            return int(drawn["auto"]["seq"]) - count + 1
        start(database, table, column)


def start(database: Database[Document], table: str, column: str) -> None:
    """Give `table` a counter for `column` that stands at the highest number in use, if it has none yet."""
    _forget(database, table)
    highest = database[table].find_one({column: {"$type": "number"}}, {column: True}, sort=[(column, -1)])
    database[SCHEMA].update_one(
        {"name": table},
        {"$set": {"auto.field_names": [column]}, "$max": {"auto.seq": int(highest[column]) if highest else 0}},
        upsert=True,
    )


def raise_to(database: Database[Document], table: str, number: int) -> None:
    """Numbers up to `number` are in use: the counter never gives them out."""
    database[SCHEMA].update_one({"name": table, "auto": {"$exists": True}}, {"$max": {"auto.seq": number}})
    with _lock:
        block = _blocks.get(_key(database, table))
        if block is not None:
            block.first = max(block.first, number + 1)


def reset(database: Database[Document], tables: Iterable[str]) -> None:
    """Begin at 1 again in `tables`, which are empty."""
    names = list(tables)
    for table in names:
        _forget(database, table)
    if names:
        database[SCHEMA].update_many({"name": {"$in": names}, "auto": {"$exists": True}}, {"$set": {"auto.seq": 0}})
