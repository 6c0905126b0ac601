"""Collections and databases whose calls join an open transaction."""

from __future__ import annotations

from functools import partial
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from coursehub.mongo.ddl.sequences import SCHEMA
from coursehub.mongo.types import Document

# What the server accepts inside a transaction; all other calls go beside it.
_JOINING = frozenset(
    {
        *("find", "find_one", "aggregate", "count_documents", "distinct"),
        *("insert_one", "insert_many", "update_one", "update_many", "replace_one", "delete_one", "delete_many"),
        *("find_one_and_update", "find_one_and_replace", "find_one_and_delete", "bulk_write"),
    }
)
_COMMIT_ATTEMPTS = 3


class SessionCollection:
    """A pymongo collection in a session. Documents written through it belong to the transaction."""

    def __init__(self, collection: Collection[Document], session: ClientSession) -> None:
        self._collection, self._session = collection, session

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._collection, name)
        return partial(attribute, session=self._session) if name in _JOINING else attribute


class SessionDatabase:
    """A pymongo database that hands out collections in a session; counters stay outside (see sequences.py)."""

    def __init__(self, database: Database[Document], session: ClientSession) -> None:
        self._database, self._session = database, session

    def __getitem__(self, name: str) -> Collection[Document] | SessionCollection:
        collection = self._database[name]
        return collection if name == SCHEMA else SessionCollection(collection, self._session)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def commit_with_retries(session: ClientSession) -> None:
    """Commit; asks again when the answer was lost, which the server allows for a commit.

    Raises pymongo's error when the transaction failed, or when its fate stays unknown.
    """
    for attempt in range(1, _COMMIT_ATTEMPTS + 1):
        try:
            session.commit_transaction()
        except PyMongoError as error:
            if attempt == _COMMIT_ATTEMPTS or not error.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return
