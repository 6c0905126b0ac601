"""Raw SQL through Djongo's own translator."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson import Decimal128, ObjectId
from django.db import DatabaseError, NotSupportedError
from djongo.base import DjongoClient
from djongo.sql2mongo.query import Query
from pymongo.errors import PyMongoError

from coursehub.mongo.ddl.sequences import SCHEMA
from coursehub.mongo.errors import as_django_error
from coursehub.mongo.sql import dialect
from coursehub.mongo.sql.raw_text import Statement

dialect.install()

# Djongo compares with `{column: value}`, so a dict or a pattern would be an operator.
_PLAIN = (str, int, float, bytes, datetime.date, datetime.time, decimal.Decimal, Decimal128, ObjectId)


@dataclass
class Result:
    """What a statement left: rows to fetch, or a number of rows written."""

    rows: Iterator[tuple[Any, ...]] = field(default_factory=lambda: iter(()))
    description: list[tuple[Any, ...]] | None = None
    rowcount: int = -1
    lastrowid: Any = None


def execute(connection: Any, sql: str, params: Sequence[Any] | Mapping[str, Any] | None) -> Result:
    """Run one SELECT, INSERT, UPDATE or DELETE on `connection` (a DatabaseWrapper); joins the open transaction.

    Values come as parameters. Raises NotSupportedError for what Djongo is known to answer wrongly (see
    raw_text.py), DatabaseError for what it cannot read, IntegrityError and others as the ORM does.
    """
    database = connection.joined_database()

    def columns_of(table: str) -> list[str]:
        schema = database[SCHEMA].find_one({"name": table}, {"fields": True}) or {}
        return list(schema.get("fields", {}))

    statement = Statement(sql, columns_of)
    text, values = statement.with_positions(params)
    values = [_adapted(connection, value) for value in values]
    try:
        tables = DjongoClient(database, enforce_schema=False)
        query = Query(connection.database.client, database, tables, text, values)
        if statement.kind == "SELECT":
            return _selected(query)
        rowcount = len(query._query._values) if statement.kind == "INSERT" else query.count()
        return Result(rowcount=rowcount, lastrowid=query.last_row_id)
    except Exception as error:
        raise _explained(error, text) from None  # Djongo's own text would show the parameters


def _adapted(connection: Any, value: Any) -> Any:
    """A parameter for the database. Raises NotSupportedError for what Djongo would take for an operator."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if value is not None and not isinstance(value, _PLAIN):
        raise NotSupportedError(f"Raw SQL takes plain values as parameters, not {type(value).__name__}.")
    return connection.ops.adapt_unknown_value(value)


def _selected(query: Query) -> Result:
    select = query._query
    columns = (select.distinct or select.selected_columns).sql_tokens
    names = [column.alias or column.column for column in columns]
    rows = list(query)
    return Result(iter(rows), [(name, *[None] * 6) for name in names], len(rows))


def _explained(error: BaseException, sql: str) -> Exception:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PyMongoError):
            return as_django_error(cause)
        cause = cause.__cause__
    return DatabaseError(f"Djongo's SQL dialect cannot read this ({type(error).__name__}): {sql}")
