"""What changing a column does to the rows that exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.backends.base.schema import _related_non_m2m_objects

from coursehub.mongo.ddl import sequences
from coursehub.mongo.types import AnyField

if TYPE_CHECKING:
    from coursehub.mongo.ddl.schema import DatabaseSchemaEditor

Step = tuple[str, Callable[[], Any]]

# To what the server converts the values of a column that gets this type; types not named here keep their
# values as they are.
_CONVERSIONS = {
    "string": "string",
    "int": "long",
    "long": "long",
    "double": "double",
    "decimal": "decimal",
    "bool": "bool",
    "date": "date",
    "objectId": "objectId",
}


class ColumnChange:
    """One column becoming another: its name, type, NOT NULL, and the counter behind it."""

    def __init__(self, editor: DatabaseSchemaEditor, table: str, old: AnyField, new: AnyField) -> None:
        self.editor, self.table, self.old, self.new = editor, table, old, new

    def steps(self) -> Iterator[Step]:
        """What to do, in order; each may be repeated."""
        table, old, new = self.table, self.old.column, self.new.column
        if old != new:
            yield f"RENAME COLUMN {table}.{old} TO {new}", self._rename
        if conversion := self._conversion(self.old, self.new):
            yield f"CONVERT COLUMN {table}.{new} TO {conversion}", lambda: self._convert(table, new, conversion)
            yield from self._conversions_of_references(conversion)
        if self.old.null and not self.new.null:
            yield f"SET NOT NULL {table}.{new}", self._refuse_nulls
        if old != new or self._record_of(self.old) != self._record_of(self.new):
            yield f"ALTER SCHEMA {table}.{new}", self._record

    def _rename(self) -> None:
        old, new = self.old.column, self.new.column
        self._rows(self.table).update_many({old: {"$exists": True}}, {"$rename": {old: new}})
        schema = self._rows(sequences.SCHEMA)
        schema.update_one({"name": self.table}, {"$unset": {f"fields.{old}": ""}})
        schema.update_one({"name": self.table, "auto.field_names": old}, {"$set": {"auto.field_names.$": new}})

    def _conversion(self, old: AnyField, new: AnyField) -> str | None:
        """The server's name of the new type if values must be converted."""
        connection = self.editor.connection
        before, after = (_CONVERSIONS.get(field.db_parameters(connection)["type"]) for field in (old, new))
        return after if before and after and before != after else None

    def _convert(self, table: str, column: str, to: str) -> None:
        self._rows(table).update_many(
            {column: {"$ne": None}}, [{"$set": {column: {"$convert": {"input": f"${column}", "to": to}}}}]
        )

    def _conversions_of_references(self, to: str) -> Iterator[Step]:
        """Foreign keys hold the same values, so they change along with a key."""
        if not (self.old.unique and self.new.unique):
            return
        for _, relation in _related_non_m2m_objects(self.old, self.new):
            table, column = relation.related_model._meta.db_table, relation.field.column
            yield (
                f"CONVERT COLUMN {table}.{column} TO {to}",
                lambda table=table, column=column: self._convert(table, column, to),
            )

    def _refuse_nulls(self) -> None:
        rows, column = self._rows(self.table), self.new.column
        default = self.editor.effective_default(self.new)
        if default is not None:
            rows.update_many({column: None}, {"$set": {column: default}})
        elif rows.find_one({column: None}, {"_id": True}):
            raise IntegrityError(f"NOT NULL constraint failed: {self.table}.{column}")

    def _record_of(self, field: AnyField) -> tuple[str | None, bool]:
        return field.db_parameters(self.editor.connection)["type"], sequences.is_sequence(field)

    def _record(self) -> None:
        column = self.new.column
        type_code, is_sequence = self._record_of(self.new)
        schema = self._rows(sequences.SCHEMA)
        schema.update_one({"name": self.table}, {"$set": {f"fields.{column}": {"type_code": type_code}}}, upsert=True)
        if is_sequence:
            sequences.start(self.editor.database, self.table, column)
        else:
            schema.update_one({"name": self.table, "auto.field_names": column}, {"$unset": {"auto": ""}})

    def _rows(self, table: str) -> Any:
        return self.editor.database[table]
