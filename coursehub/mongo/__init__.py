"""The database engine `coursehub.mongo`: Djongo's model fields, managers and documents on a current Django.

Public names:

- `outside_transaction(model_or_table_name)`: a plain collection that never joins an open transaction;
- `client_for(using)`: the process-wide MongoClient of a connection.

Nothing here needs configured settings at import time: `coursehub.mongo.replica_set` is used without Django.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.models import Model
    from pymongo import MongoClient
    from pymongo.collection import Collection
    from pymongo.database import Database

__all__ = ["client_for", "outside_transaction"]


def outside_transaction(model_or_table_name: type[Model] | str, using: str = "default") -> Collection:
    """The collection of a model (or of a table name) that never joins an open transaction.

    For what must hold whatever becomes of the caller's `atomic()` block: claims, leases, use counts,
    pacing slots, audit. Documents are plain dicts, dates naive UTC. Same MongoClient as the ORM, safe to
    call from any thread and from a running event loop (the calls on the collection still block).
    """
    table = model_or_table_name if isinstance(model_or_table_name, str) else model_or_table_name._meta.db_table
    return _database(using)[table]


def client_for(using: str = "default") -> MongoClient:
    """The MongoClient that the connection `using` works with; shared, never close it."""
    return _database(using).client


def _database(using: str) -> Database:
    """By the settings alone: asking `connections` for a wrapper would bind one to the running event loop's thread."""
    from django.db import connections

    from .client import shared_database

    return shared_database(connections.settings[using])
