"""The database engine `coursehub.mongo`: Djongo's model fields, managers and documents on a current Django.

Public names:

- `outside_transaction(model_or_table_name)`: a plain collection that never joins an open transaction;
- `client_for(using)`: the process-wide MongoClient of a connection;
- `refuse_inside_atomic(what)`: for what must not happen inside `atomic()`;
- `draw_numbers(model, count)`: integer keys for rows that are inserted past the ORM;
- `is_write_conflict(error)`: whether trying again is all that an error of a transaction asks for.

Nothing here needs configured settings at import time: `coursehub.mongo.replica_set` is used without Django.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from pymongo.errors import PyMongoError

from coursehub.mongo.types import Document

if TYPE_CHECKING:
    from django.db.models import Model
    from pymongo import MongoClient
    from pymongo.collection import Collection
    from pymongo.database import Database

__all__ = ["client_for", "draw_numbers", "is_write_conflict", "outside_transaction", "refuse_inside_atomic"]


def outside_transaction(model_or_table_name: type[Model] | str, using: str = "default") -> Collection[Document]:
    """The collection of a model (or of a table name) that never joins an open transaction.

    For what must hold whatever becomes of the caller's `atomic()` block: claims, leases, use counts,
    pacing slots, audit. Documents are plain dicts, dates aware (UTC), as the ORM gives them. Same MongoClient
    as the ORM, safe to call from any thread and from a running event loop (the calls on the collection still block).
    """
    table = model_or_table_name if isinstance(model_or_table_name, str) else model_or_table_name._meta.db_table
    database = _database(using)
    return database.get_collection(table, database.codec_options.with_options(tz_aware=True, tzinfo=UTC))


def draw_numbers(model: type[Model], count: int, using: str = "default") -> range:
    """`count` integer keys of `model`, ascending; nobody else has or gets them. One round trip."""
    from coursehub.mongo.ddl.sequences import draw

    first = draw(_database(using), model._meta.db_table, model._meta.pk.column, count)
    return range(first, first + count)


def client_for(using: str = "default") -> MongoClient[Document]:
    """The MongoClient that the connection `using` works with; shared, never close it."""
    return _database(using).client


def refuse_inside_atomic(what: str, using: str = "default") -> None:
    """Raise RuntimeError, naming `what`, when this thread is inside an `atomic()` block.

    For network calls above all: a transaction would stay open as long as the call lasts, and undoing it
    would not undo the call. Refused with transactions off too, so that switching them on surprises nobody.
    """
    from django.db import connections

    if connections[using].in_atomic_block:
        raise RuntimeError(f"{what} inside atomic(): do it after the commit (transaction.on_commit).")


def is_write_conflict(error: BaseException) -> bool:
    """Whether the server ended a transaction because another one wrote the same row; it may be tried again."""
    cause = error.__cause__
    return isinstance(cause, PyMongoError) and cause.has_error_label("TransientTransactionError")


def _database(using: str) -> Database[Document]:
    """By the settings alone: asking `connections` for a wrapper would bind one to the running event loop's thread."""
    from django.db import connections

    from coursehub.mongo.client import shared_database

    return shared_database(connections.settings[using])
