"""UPDATE and DELETE: Django's query tree straight to `update_many` and `delete_many`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db import IntegrityError
from django.db.models.expressions import ColPairs, DatabaseDefault
from django.db.models.sql.compiler import SQLDeleteCompiler as DjangoDeleteCompiler
from django.db.models.sql.compiler import SQLUpdateCompiler as DjangoUpdateCompiler
from django.db.models.sql.query import Query
from django.db.models.sql.subqueries import DeleteQuery
from pymongo import UpdateOne

from coursehub.mongo.converters import as_stored
from coursehub.mongo.errors import NOT_NULL, translated
from coursehub.mongo.query.select import SQLCompiler
from coursehub.mongo.types import AnyField, Document, Pipeline
from coursehub.mongo.write.command_log import shown
from coursehub.mongo.write.inserts import SQLInsertCompiler
from coursehub.mongo.write.passthrough import stored_type

__all__ = ["SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]

_IDS_PER_COMMAND = 100_000  # 12 bytes each and some more, in a command of at most 16 MB
_WRITES_PER_COMMAND = 10_000
_DELETE = "DELETE FROM db.{}.delete_many({})"  # debug tools look at the first word

# SQL casts what is assigned to the column's type; the server would keep the type of the computed value.
_CASTS = {
    **dict.fromkeys(("int", "long"), "$toLong"),
    "double": "$toDouble",
    "decimal": "$toDecimal",
}


@dataclass
class _Computed:
    """A value that the server computes from the row."""

    field: AnyField
    expression: Any


class _RowsByKey:
    """Mixin: the documents that the query's WHERE selects, when that takes more than a filter."""

    def _stages(self) -> Pipeline:
        self.where = self.query.where  # Django's set-up may have replaced it meanwhile
        stages: Pipeline = self.row_pipeline()
        return stages

    def _table(self) -> Any:
        return self.connection.collection(self.query.get_meta().db_table)

    def _keys(self, stages: Pipeline) -> Iterator[Document]:
        """Filters that name the selected documents by their `_id`."""
        rows = self._table().aggregate([*stages, {"$project": {"_id": True}}], allowDiskUse=True)
        while chunk := [row["_id"] for row in islice(rows, _IDS_PER_COMMAND)]:
            yield {"_id": {"$in": chunk}}


class SQLUpdateCompiler(_RowsByKey, SQLCompiler, DjangoUpdateCompiler):
    """Returns the number of rows that the WHERE selected, as SQL does."""

    def execute_sql(self, result_type: str) -> int:
        """Write, first in the query's own table, then in its parents' tables."""
        try:
            row_count = self._update()
        except EmptyResultSet:
            row_count = None
        is_empty = row_count is None
        for query in self.query.get_related_updates():
            related_count = query.get_compiler(self.using).execute_sql(result_type)
            if is_empty and related_count:
                row_count, is_empty = related_count, False
        return row_count or 0

    def pre_sql_setup(self, *args: Any, **kwargs: Any) -> Any:
        return DjangoUpdateCompiler.pre_sql_setup(self)

    def _update(self) -> int | None:
        """Rows selected; None if there is nothing to assign in this table."""
        self.pre_sql_setup()
        if not self.query.values:
            return None
        assignments = dict(self._assignment(*entry) for entry in self.query.values)
        stages = self._stages()
        if not any(isinstance(value, _Computed) for value in assignments.values()):
            return self._write(stages, {"$set": assignments})
        values = {column: self._server_value(value) for column, value in assignments.items()}
        computing = self.scope.take_prelude()
        if not computing:
            return self._write(stages, [{"$set": values}])
        return self._write_each([*stages, *computing], values)

    # --- Values ---------------------------------------------------------------------------------

    def _assignment(self, field: AnyField, model: Any, value: Any) -> tuple[str | None, Any]:
        """The column, and what it becomes: a value for the database, or a _Computed."""
        if type(value) is stored_type(field):
            return field.column, value
        if hasattr(value, "resolve_expression"):
            value = value.resolve_expression(self.query, allow_joins=False, for_save=True)
            self._refuse_unusable(field, value)
        elif hasattr(value, "prepare_database_save"):
            if not field.remote_field:
                raise TypeError(
                    f"Tried to update field {field} with a model instance, {value!r}. "
                    f"Use a value compatible with {field.__class__.__name__}."
                )
            value = value.prepare_database_save(field)
        value = field.get_db_prep_save(value, connection=self.connection)
        if isinstance(value, DatabaseDefault):
            value = value.expression
        if hasattr(value, "as_sql"):
            return field.column, _Computed(field, value)
        if value is None and not field.null:
            raise IntegrityError(f"{NOT_NULL}: {model._meta.db_table}.{field.column}")
        return field.column, as_stored(field, value)

    def _refuse_unusable(self, field: AnyField, value: Any) -> None:
        if value.contains_aggregate:
            raise FieldError(f"Aggregate functions are not allowed in this query ({field.name}={value!r}).")
        if value.contains_over_clause:
            raise FieldError(f"Window expressions are not allowed in this query ({field.name}={value!r}).")
        if isinstance(value, ColPairs):
            raise FieldError(
                f"Composite primary keys expressions are not allowed in this query ({field.name}=F('pk'))."
            )

    def _server_value(self, value: Any) -> Any:
        """The aggregation expression of an assignment; a NULL that the column refuses makes the update fail."""
        if not isinstance(value, _Computed):
            return {"$literal": value}
        field = value.field
        computed = self._cast(field, self.operand(value.expression))
        if field.null:
            return {"$ifNull": [computed, None]}
        refusal = {"$concat": [f"{NOT_NULL}: {field.model._meta.db_table}.{field.column}, row ", {"$toString": "$_id"}]}
        return {"$ifNull": [computed, {"$toInt": refusal}]}

    def _cast(self, field: AnyField, computed: Any) -> Any:
        type_code = field.db_parameters(self.connection)["type"]
        if field.get_internal_type() == "DateField":
            return {"$dateTrunc": {"date": computed, "unit": "day"}}
        if type_code not in _CASTS:
            return computed
        cast = {_CASTS[type_code]: computed}
        return {"$round": [cast, field.decimal_places]} if type_code == "decimal" else cast

    # --- Writing --------------------------------------------------------------------------------

    def _write(self, stages: Pipeline, change: Document | Pipeline) -> int:
        """`update_many` with the WHERE as its filter, or by keys when the WHERE takes more than a filter."""
        condition = _as_filter(stages)
        with translated(), self._logged(condition, change):
            filters = self._keys(stages) if condition is None else [condition]
            return sum(self._table().update_many(each, change).matched_count for each in filters)

    def _write_each(self, stages: Pipeline, values: dict[str, Any]) -> int:
        """Compute the new values in an aggregation, as an update cannot look into other tables; then write them."""
        selected = 0
        names = {f"v{number}": column for number, column in enumerate(values)}
        projected = {name: values[column] for name, column in names.items()}
        with translated(), self._logged(None, projected):
            rows = self._table().aggregate([*stages, {"$project": projected}], allowDiskUse=True)
            while chunk := list(islice(rows, _WRITES_PER_COMMAND)):
                changes = [{column: row.get(name) for name, column in names.items()} for row in chunk]
                writes = [
                    UpdateOne({"_id": row["_id"]}, {"$set": new}) for row, new in zip(chunk, changes, strict=True)
                ]
                selected += self._table().bulk_write(writes, ordered=False).matched_count
        return selected

    def _logged(self, condition: Document | None, change: Any) -> Any:
        table = self.query.get_meta().db_table
        return self.connection.logged(lambda: f"UPDATE db.{table}.update_many({shown(condition, change)})")


class SQLDeleteCompiler(_RowsByKey, SQLCompiler, DjangoDeleteCompiler):
    """Returns the number of rows deleted."""

    def execute_sql(self, result_type: str) -> int:
        self.query.get_initial_alias()
        if self.query.where.contains_aggregate:
            return self._delete_groups(result_type)
        try:
            stages = self._stages()
        except EmptyResultSet:
            return 0
        condition, table = _as_filter(stages), self.query.get_meta().db_table
        with translated(), self.connection.logged(lambda: _DELETE.format(table, shown(condition))):
            filters = self._keys(stages) if condition is None else [condition]
            return sum(self._table().delete_many(each).deleted_count for each in filters)

    def _delete_groups(self, result_type: str) -> int:
        """A condition on aggregates: the keys come from a grouping subquery."""
        keys = self.query.clone()
        keys.__class__ = Query
        keys.clear_select_clause()
        keys.select = (self.query.model._meta.pk.get_col(self.query.get_initial_alias()),)
        by_keys = DeleteQuery(self.query.model)
        by_keys.add_filter("pk__in", keys)
        deleted: int = by_keys.get_compiler(self.using).execute_sql(result_type)
        return deleted


def _as_filter(stages: Pipeline) -> Document | None:
    """The stages as one filter, if they are no more than that."""
    if not stages:
        return {}
    return stages[0]["$match"] if len(stages) == 1 and "$match" in stages[0] else None
