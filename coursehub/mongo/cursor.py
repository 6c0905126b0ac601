"""The cursor: the way to collections for Djongo's managers, and raw SQL in Djongo's dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from coursehub.mongo.errors import translated
from coursehub.mongo.types import Document

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

    from coursehub.mongo.base import DatabaseWrapper
    from coursehub.mongo.sessions import SessionCollection, SessionDatabase
    from coursehub.mongo.sql.raw import Result


class Cursor:
    """A DB-API cursor over `connection`; nothing is passed through to the database by attribute."""

    arraysize = 1

    def __init__(self, connection: DatabaseWrapper) -> None:
        self._connection = connection
        self._result: Result | None = None

    # --- Collections ----------------------------------------------------------------------------

    @property
    def db_conn(self) -> Database[Document] | SessionDatabase:
        """The database as Djongo's managers expect it; its collections join the open transaction."""
        return self._connection.joined_database()

    def collection(self, table: str) -> Collection[Document] | SessionCollection:
        """The collection of a table; joins the open transaction."""
        return self._connection.collection(table)

    # --- Raw SQL --------------------------------------------------------------------------------

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """One entry per selected column, its name first; None when the statement gave no rows."""
        return self._result.description if self._result else None

    @property
    def rowcount(self) -> int:
        """Rows written or fetched; -1 when it is not known."""
        return self._result.rowcount if self._result else -1

    @property
    def lastrowid(self) -> Any:
        return self._result.lastrowid if self._result else None

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> None:
        """Run one statement of Djongo's SQL dialect. Raises DatabaseError for what it cannot express."""
        from coursehub.mongo.sql import raw  # sqlparse and Djongo's translator are loaded by those who use them

        with translated():
            self._result = raw.execute(self._connection, str(sql), params)

    def executemany(self, sql: str, param_list: Sequence[Sequence[Any]]) -> None:
        for params in param_list:
            self.execute(sql, params)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows(), None)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        rows = self._rows()
        return [row for _, row in zip(range(size), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows()

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        return self._result.rows if self._result else iter(())

    def close(self) -> None:
        """Drop the rows that were not fetched."""
        self._result = None

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
