"""Integer keys: one counter per table, in Djongo's `__schema__` collection.

A table's document is `{name, fields: {column: {type_code}}, auto: {field_names: [column], seq: last number}}`.
Numbers are drawn outside any session: inside one, the counter would make all concurrent inserts conflict.
A number that was drawn is spent, whatever becomes of the insert.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import AutoField, Field
from pymongo import ReturnDocument
from pymongo.database import Database

SCHEMA = "__schema__"


def is_sequence(field: Field) -> bool:
    """Whether the column's numbers come from the table's counter (Djongo's ObjectIdField is no such column)."""
    return isinstance(field, AutoField) and field.get_internal_type() != "ObjectIdField"


def draw(database: Database, table: str, column: str, count: int) -> int:
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


def start(database: Database, table: str, column: str) -> None:
    """Give `table` a counter for `column` that stands at the highest number in use, if it has none yet."""
    highest = database[table].find_one({column: {"$type": "number"}}, {column: True}, sort=[(column, -1)])
    database[SCHEMA].update_one(
        {"name": table},
        {"$set": {"auto.field_names": [column]}, "$max": {"auto.seq": int(highest[column]) if highest else 0}},
        upsert=True,
    )


def raise_to(database: Database, table: str, number: int) -> None:
    """Numbers up to `number` are in use: the counter never gives them out."""
    database[SCHEMA].update_one({"name": table, "auto": {"$exists": True}}, {"$max": {"auto.seq": number}})


def reset(database: Database, tables: Iterable[str]) -> None:
    """Begin at 1 again in `tables`, which are empty."""
    names = list(tables)
    if names:
        database[SCHEMA].update_many({"name": {"$in": names}, "auto": {"$exists": True}}, {"$set": {"auto.seq": 0}})
