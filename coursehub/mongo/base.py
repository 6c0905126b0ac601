"""The connection: Djongo's wrapper with its own clients, cursors and transactions made right."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.client import BaseDatabaseClient
from django.utils.asyncio import async_unsafe
from djongo import base as djongo_base

# Django would import the compilers with a thread's first query; a child forked in that moment never gets past it.
from coursehub.mongo import compiler as _compiler  # noqa: F401
from coursehub.mongo.checks import DatabaseValidation
from coursehub.mongo.client import shared_database
from coursehub.mongo.creation import DatabaseCreation
from coursehub.mongo.cursor import Cursor
from coursehub.mongo.ddl.schema import DatabaseSchemaEditor
from coursehub.mongo.errors import Database, translated
from coursehub.mongo.features import DatabaseFeatures
from coursehub.mongo.introspection import DatabaseIntrospection
from coursehub.mongo.operations import DatabaseOperations
from coursehub.mongo.sessions import SessionCollection, SessionDatabase, commit_with_retries
from coursehub.mongo.types import Document

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection
    from pymongo.database import Database as MongoDatabase

logger = logging.getLogger("django.db.backends")


class DatabaseWrapper(djongo_base.DatabaseWrapper):
    """A thread's view of one MongoDB database; the MongoClient behind it is shared by the process.

    `OPTIONS["transactions"]` makes `atomic()` a multi-document transaction (needs a replica set). Without it
    `atomic()` is accepted, and undoes nothing.
    """

    display_name = "MongoDB"
    data_types = {
        **djongo_base.DatabaseWrapper.data_types,
        "JSONField": "object",
        "PositiveBigIntegerField": "long",
        "SmallAutoField": "int",
    }
    data_types_suffix = {**djongo_base.DatabaseWrapper.data_types_suffix, "SmallAutoField": "AUTOINCREMENT"}
    # Only printed, in `str(queryset.query)`; without them Django cannot print a text search by a column.
    pattern_esc = "{}"
    pattern_ops = {
        "contains": "LIKE {}",
        "icontains": "iLIKE {}",
        "startswith": "LIKE {}",
        "istartswith": "iLIKE {}",
        "endswith": "LIKE {}",
        "iendswith": "iLIKE {}",
    }

    Database = Database
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = BaseDatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations
    validation_class = DatabaseValidation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.connection: Any  # the pymongo database; None while this wrapper is closed
        self.session: ClientSession | None = None
        self._collections: dict[str, Collection[Document]] = {}
        self._pid = os.getpid()
        super().__init__(*args, **kwargs)

    # --- Connecting -----------------------------------------------------------------------------

    @property
    def transactions_enabled(self) -> bool:
        """Whether `atomic()` is a transaction of the server."""
        return bool(self.settings_dict["OPTIONS"].get("transactions", False))

    def check_settings(self) -> None:
        super().check_settings()
        if self.settings_dict["TIME_ZONE"] not in (None, "UTC"):
            raise ImproperlyConfigured("MongoDB's dates are instants in UTC: a connection cannot have a TIME_ZONE.")

    def get_connection_params(self) -> dict[str, Any]:
        """The keywords of MongoClient: `CLIENT` of the settings, as it stands."""
        return dict(self.settings_dict.get("CLIENT") or {})

    def get_new_connection(self, conn_params: dict[str, Any]) -> MongoDatabase[Document]:
        return shared_database(self.settings_dict)

    def plain_database(self) -> MongoDatabase[Document]:
        """The pymongo database, outside any open transaction; needs no open connection, so any thread may ask."""
        return shared_database(self.settings_dict)

    def init_connection_state(self) -> None:
        """Nothing to set: MongoDB keeps no state per connection, and logging is the project's affair."""

    @async_unsafe
    def ensure_connection(self) -> None:
        if self.connection is not None and self._pid != os.getpid():
            # A fork's child: sockets and session are the parent's, which goes on using them.
            self.connection = None
            self.session = None
        super().ensure_connection()

    def connect(self) -> None:
        self._pid = os.getpid()
        super().connect()

    def is_usable(self) -> bool:
        """Always: the client finds its server again by itself."""
        return True

    def _close(self) -> None:
        # The client stays open: other threads use it.
        self._end_session(commit=False)

    # --- What the compilers use -----------------------------------------------------------------

    @property
    def database(self) -> MongoDatabase[Document]:
        """The pymongo database, outside any open transaction."""
        self.ensure_connection()
        database: MongoDatabase[Document] = self.connection
        return database

    def collection(self, name: str) -> Collection[Document] | SessionCollection:
        """The collection of a table; inside a transaction its calls join it.

        Raises TransactionManagementError in an `atomic()` block that has failed already.
        """
        self.ensure_connection()
        if self.needs_rollback:
            self.validate_no_broken_transaction()
        session = self.open_session()
        collection = self._collections.get(name)
        if collection is None or collection.database is not self.connection:
            collection = self._collections[name] = self.connection[name]
        return collection if session is None else SessionCollection(collection, session)

    def joined_database(self) -> MongoDatabase[Document] | SessionDatabase:
        """The database whose collections are those of `collection()`; what Djongo's managers work on."""
        self.ensure_connection()
        session = self.open_session()
        database: MongoDatabase[Document] = self.connection
        return database if session is None else SessionDatabase(database, session)

    @contextmanager
    def logged(self, text: str | Callable[[], str], params: Any = None) -> Iterator[None]:
        """Context: the command run inside appears in `queries_log` when that is on.

        `text` begins with SELECT, INSERT INTO, UPDATE or DELETE (debug tools look at the first word); a
        callable is only called when the text is needed.
        """
        if not self.queries_logged:
            yield
            return
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            shown = text() if callable(text) else text
            self.queries_log.append({"sql": shown, "time": f"{seconds:.3f}"})
            details = {"duration": seconds, "sql": shown, "params": params, "alias": self.alias}
            logger.debug("(%.3f) %s; args=%s; alias=%s", seconds, shown, params, self.alias, extra=details)

    # --- The cursor, for raw SQL and Djongo's managers -------------------------------------------

    def create_cursor(self, name: str | None = None) -> Cursor:
        return Cursor(self)

    # --- Transactions ---------------------------------------------------------------------------

    def open_session(self) -> ClientSession | None:
        """The session of the open transaction, begun by the first command inside it; None outside."""
        if self.session is None and not self.autocommit and self.transactions_enabled:
            self.session = self.connection.client.start_session()
            self.session.start_transaction()
        return self.session

    def _set_autocommit(self, autocommit: bool) -> None:
        if autocommit:
            self._end_session(commit=True)

    def _start_transaction_under_autocommit(self) -> None:
        """The transaction begins with its first command; defined so that Django does not log a BEGIN."""

    def _commit(self) -> None:
        self._end_session(commit=True)

    def _rollback(self) -> None:
        self._end_session(commit=False)

    def _end_session(self, *, commit: bool) -> None:
        session, self.session = self.session, None
        if session is None or self._pid != os.getpid():
            return
        with session, translated():  # leaving the session aborts what is not committed
            if commit:
                commit_with_retries(session)

    def _savepoint_allowed(self) -> bool:
        # Without transactions nothing is ever undone, so an inner block that fails leaves the outer one as
        # it was; with them the server has no savepoints, and the outer block is lost.
        return self.in_atomic_block and not self.transactions_enabled

    def _savepoint(self, sid: str) -> None:
        """Nothing to mark, see `_savepoint_allowed`."""

    def _savepoint_rollback(self, sid: str) -> None:
        """Nothing to undo, see `_savepoint_allowed`."""

    def _savepoint_commit(self, sid: str) -> None:
        """Nothing to release, see `_savepoint_allowed`."""
