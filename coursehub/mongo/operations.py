"""What Django asks of a database's dialect. The compilers do the work; SQL text only serves printing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bson.decimal128 import Decimal128
from django.conf import settings
from django.db.models.expressions import Col
from djongo import operations as djongo_operations

from coursehub.mongo import converters
from coursehub.mongo.ddl import sequences
from coursehub.mongo.errors import translated
from coursehub.mongo.types import Pipeline


class FlushCommand(str):
    """One step of a flush: prints as text, knows its table."""

    __slots__ = ("reset_sequence", "table")

    def __new__(cls, table: str, *, reset_sequence: bool) -> FlushCommand:
        text = f"db.{table}.delete_many({{}})"
        command = super().__new__(cls, f"{text}, sequence reset" if reset_sequence else text)
        command.table, command.reset_sequence = table, reset_sequence
        return command


class DatabaseOperations(djongo_operations.DatabaseOperations):
    """Names the compilers, converts values, flushes tables."""

    compiler_module = "coursehub.mongo.compiler"
    explain_prefix = "EXPLAIN"
    cast_char_field_without_max_length = "string"

    def max_name_length(self) -> int:
        return 120

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        return max(len(objs), 1)  # pymongo splits batches by the server's own limits

    def pk_default_value(self) -> None:
        return None

    # --- Values ---------------------------------------------------------------------------------

    def adapt_datefield_value(self, value: Any) -> Any:
        return converters.date_to_bson(value)

    def adapt_datetimefield_value(self, value: Any) -> Any:
        return converters.datetime_to_bson(value)

    def adapt_timefield_value(self, value: Any) -> Any:
        return converters.time_to_bson(value)

    def adapt_decimalfield_value(
        self, value: Any, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Decimal128 | None:
        return converters.decimal_to_bson(value)

    def adapt_json_value(self, value: Any, encoder: type[json.JSONEncoder] | None) -> Any:
        return converters.json_to_bson(value, encoder)

    def get_db_converters(self, expression: Any) -> list[Callable[..., Any]]:
        kind = expression.output_field.get_internal_type()
        if kind == "DateTimeField" and not settings.USE_TZ:
            return []
        if kind in converters.ALWAYS:
            return [converters.ALWAYS[kind]]
        if kind not in converters.COMPUTED:
            return []
        if not isinstance(expression, Col):
            return [converters.COMPUTED[kind]]
        if kind == "DecimalField":
            return [converters.column_decimal_from_bson(expression.output_field.decimal_places)]
        return []

    # --- Flush and sequences --------------------------------------------------------------------

    def sql_flush(
        self, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[FlushCommand]:
        return [FlushCommand(table, reset_sequence=reset_sequences) for table in tables]

    def execute_sql_flush(self, sql_list: Iterable[FlushCommand]) -> None:
        """Empty the tables. One aggregation finds those with rows, as most have none and a delete costs more."""
        commands = list(sql_list)
        database = self.connection.database
        with translated(), self.connection.logged("DELETE FROM all tables"):
            for table in _tables_with_rows(database, [command.table for command in commands]):
                self.connection.collection(table).delete_many({})
            sequences.reset(database, [command.table for command in commands if command.reset_sequence])

    # --- Text, for printing queries only --------------------------------------------------------

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        return "%s"

    def regex_lookup(self, lookup_type: str) -> str:
        return "%s REGEXP BINARY %s" if lookup_type == "regex" else "%s REGEXP %s"

    def format_for_duration_arithmetic(self, sql: str) -> str:
        return sql

    def subtract_temporals(
        self, internal_type: str, lhs: tuple[Any, ...], rhs: tuple[Any, ...]
    ) -> tuple[str, tuple[Any, ...]]:
        (lhs_sql, lhs_params), (rhs_sql, rhs_params) = lhs, rhs
        return f"({lhs_sql} - {rhs_sql})", (*lhs_params, *rhs_params)

    def date_extract_sql(self, lookup_type: str, sql: str, params: Any) -> tuple[str, Any]:
        return f"EXTRACT({lookup_type.upper()} FROM {sql})", params

    def datetime_extract_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return self.date_extract_sql(lookup_type, sql, params)

    def time_extract_sql(self, lookup_type: str, sql: str, params: Any) -> tuple[str, Any]:
        return self.date_extract_sql(lookup_type, sql, params)

    def date_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> tuple[str, Any]:
        return f"TRUNC({lookup_type.upper()}, {sql})", params

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return self.date_trunc_sql(lookup_type, sql, params)

    def time_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> tuple[str, Any]:
        return self.date_trunc_sql(lookup_type, sql, params)

    def datetime_cast_date_sql(self, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return f"DATE({sql})", params

    def datetime_cast_time_sql(self, sql: str, params: Any, tzname: str | None) -> tuple[str, Any]:
        return f"TIME({sql})", params


def _tables_with_rows(database: Any, tables: Sequence[str]) -> list[str]:
    """Those of `tables` that hold a document, by one round trip."""
    if not tables:
        return []
    nothing: Pipeline = [{"$limit": 1}, {"$match": {"_id": {"$in": []}}}]
    probes = [{"$unionWith": {"coll": table, "pipeline": _one_named(table)}} for table in tables]
    return [row["table"] for row in database[sequences.SCHEMA].aggregate([*nothing, *probes])]


def _one_named(table: str) -> Pipeline:
    return [{"$limit": 1}, {"$project": {"_id": 0, "table": {"$literal": table}}}]
