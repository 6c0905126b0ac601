"""Data definition straight on pymongo: collections, indexes, and what Djongo records in `__schema__`.

The server has no transactions for it, so every step may be repeated: a migration that died half-way is run
again and finds some of its work done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import IntegrityError, NotSupportedError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Index, Model, Value
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from coursehub.mongo.converters import as_stored
from coursehub.mongo.ddl import sequences
from coursehub.mongo.ddl.alterations import ColumnChange
from coursehub.mongo.ddl.index_builder import IndexBuilder
from coursehub.mongo.ddl.indexes import IndexSpec, ModelIndexes
from coursehub.mongo.errors import translated
from coursehub.mongo.types import AnyField, Document

logger = logging.getLogger("django.db.backends.schema")
_NAMESPACE_NOT_FOUND = 26


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    """Django's schema editor, without SQL. `sqlmigrate` shows the commands that would run."""

    @property
    def database(self) -> Database[Document]:
        database: Database[Document] = self.connection.database
        return database

    def run(self, text: str, action: Callable[[], Any]) -> None:
        """Do `action`, or only note `text` when Django merely asks what would be done."""
        if self.collect_sql:
            self.collected_sql.append(text)
            return
        logger.debug("%s; (params %r)", text, None, extra={"sql": text, "params": None})
        with translated(), self.connection.logged(text):
            action()

    def indexes_of(self, model: type[Model], altered: dict[str, AnyField] | None = None) -> ModelIndexes:
        return ModelIndexes(model, self.connection, self._create_index_name, altered)

    # --- Tables ---------------------------------------------------------------------------------

    def create_model(self, model: type[Model]) -> None:
        table = model._meta.db_table
        fields = [field for field in model._meta.local_fields if self._is_column(field)]
        self.run(f"CREATE TABLE {table}", lambda: self._create_collection(table))
        self.run(f"CREATE SCHEMA {table}", lambda: self._record_columns(table, fields))
        self._create_indexes(model, self.indexes_of(model).all())
        for field in model._meta.local_many_to_many:
            if _through(field)._meta.auto_created:
                self.create_model(_through(field))

    def delete_model(self, model: type[Model]) -> None:
        for field in model._meta.local_many_to_many:
            if _through(field)._meta.auto_created:
                self.delete_model(_through(field))
        table = model._meta.db_table
        self.run(f"DROP TABLE {table}", lambda: self.database.drop_collection(table))
        self.run(f"DROP SCHEMA {table}", lambda: self.database[sequences.SCHEMA].delete_one({"name": table}))

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        if old_db_table == new_db_table:
            return
        self.run(f"RENAME TABLE {old_db_table} TO {new_db_table}", lambda: self._rename(old_db_table, new_db_table))

    def _create_collection(self, table: str) -> None:
        schema = self.database[sequences.SCHEMA]
        schema.create_index("name", unique=True)
        schema.create_index("auto")
        try:
            self.database.create_collection(table)
        except CollectionInvalid:
            if self.connection.settings_dict.get("ENFORCE_SCHEMA"):
                raise

    def _record_columns(self, table: str, fields: Iterable[AnyField]) -> None:
        columns = {f"fields.{field.column}": self._column_record(field) for field in fields if field.column != "_id"}
        self.database[sequences.SCHEMA].update_one({"name": table}, {"$set": {"name": table, **columns}}, upsert=True)
        for field in fields:
            if sequences.is_sequence(field):
                sequences.start(self.database, table, field.column)

    def _rename(self, old: str, new: str) -> None:
        try:
            self.database[old].rename(new)
        except OperationFailure as error:
            if error.code != _NAMESPACE_NOT_FOUND or new not in self.database.list_collection_names():
                raise
        self.database[sequences.SCHEMA].update_one({"name": old}, {"$set": {"name": new}})

    # --- Columns --------------------------------------------------------------------------------

    def add_field(self, model: type[Model], field: AnyField) -> None:
        if field.many_to_many and _through(field)._meta.auto_created:
            self.create_model(_through(field))
        elif self._is_column(field):
            table, column = model._meta.db_table, field.column
            self.run(f"ADD COLUMN {table}.{column}", lambda: self._fill_new_column(table, field))
            self.run(f"ADD SCHEMA {table}.{column}", lambda: self._record_columns(table, [field]))
            self._create_indexes(model, self.indexes_of(model).of_field(field))

    def remove_field(self, model: type[Model], field: AnyField) -> None:
        if field.many_to_many and _through(field)._meta.auto_created:
            self.delete_model(_through(field))
        elif self._is_column(field):
            table, column = model._meta.db_table, field.column
            builder = IndexBuilder(self.database[table])
            self.run(f"DROP INDEXES OF {table}.{column}", lambda: builder.drop_covering(column))
            self.run(f"DROP COLUMN {table}.{column}", lambda: self._drop_column(table, column))

    def _alter_field(
        self,
        model: type[Model],
        old_field: AnyField,
        new_field: AnyField,
        old_type: str,
        new_type: str,
        old_db_params: dict[str, Any],
        new_db_params: dict[str, Any],
        strict: bool = False,
    ) -> None:
        names = {field.name for field in model._meta.local_fields}
        name = old_field.name if old_field.name in names else new_field.name
        old, new = (
            [spec for spec in self.indexes_of(model, {name: field}).all() if _covers(spec, field)]
            for field in (old_field, new_field)
        )
        self._drop_indexes(model, [spec for spec in old if spec not in new])
        change = ColumnChange(self, model._meta.db_table, old_field, new_field)
        for text, action in change.steps():
            self.run(text, action)
        self._create_indexes(model, [spec for spec in new if spec not in old])

    def _is_column(self, field: AnyField) -> bool:
        return field.column is not None and field.db_parameters(self.connection)["type"] is not None

    def _column_record(self, field: AnyField) -> dict[str, str | None]:
        return {"type_code": field.db_parameters(self.connection)["type"]}

    def _fill_new_column(self, table: str, field: AnyField) -> None:
        column: Any = field.column
        missing = {column: {"$exists": False}}
        default = self._database_default(field) if field.has_db_default() else self.effective_default(field)
        if default is None and not field.null and self.database[table].find_one(missing, {"_id": True}):
            raise IntegrityError(f"NOT NULL constraint failed: {table}.{field.column}")
        self.database[table].update_many(missing, {"$set": {column: as_stored(field, default)}})

    def _database_default(self, field: AnyField) -> Any:
        if not isinstance(field._db_default_expression, Value):
            raise NotSupportedError(f"{field}: the default of a column must be a plain value on MongoDB.")
        return field.get_db_prep_save(field._db_default_expression.value, self.connection)

    def _drop_column(self, table: str, column: str) -> None:
        self.database[table].update_many({column: {"$exists": True}}, {"$unset": {column: ""}})
        schema = self.database[sequences.SCHEMA]
        schema.update_one({"name": table}, {"$unset": {f"fields.{column}": ""}})
        schema.update_one({"name": table, "auto.field_names": column}, {"$unset": {"auto": ""}})

    # --- Indexes and constraints ----------------------------------------------------------------

    def add_index(self, model: type[Model], index: Index) -> None:
        self._create_indexes(model, _present([self.indexes_of(model).of_index(index)]))

    def remove_index(self, model: type[Model], index: Index) -> None:
        self._drop_indexes(model, _present([self.indexes_of(model).of_index(index)]))

    def add_constraint(self, model: type[Model], constraint: Any) -> None:
        self._create_indexes(model, _present([self.indexes_of(model).of_constraint(constraint)]))

    def remove_constraint(self, model: type[Model], constraint: Any) -> None:
        self._drop_indexes(model, _present([self.indexes_of(model).of_constraint(constraint)]))

    def alter_unique_together(self, model: type[Model], old_unique_together: Any, new_unique_together: Any) -> None:
        self._alter_together(model, old_unique_together, new_unique_together, unique=True)

    def alter_index_together(self, model: type[Model], old_index_together: Any, new_index_together: Any) -> None:
        self._alter_together(model, old_index_together, new_index_together, unique=False)

    def _alter_together(self, model: type[Model], old: Any, new: Any, *, unique: bool) -> None:
        olds, news = ({tuple(names) for names in entries} for entries in (old, new))
        indexes = self.indexes_of(model)
        self._drop_indexes(model, [indexes.together(names, unique=unique) for names in olds - news])
        self._create_indexes(model, [indexes.together(names, unique=unique) for names in news - olds])

    def _create_indexes(self, model: type[Model], specs: Sequence[IndexSpec]) -> None:
        builder = IndexBuilder(self.database[model._meta.db_table])
        for spec in specs:
            self.run(_described("CREATE", spec, model), lambda spec=spec: builder.create(spec))

    def _drop_indexes(self, model: type[Model], specs: Sequence[IndexSpec]) -> None:
        builder = IndexBuilder(self.database[model._meta.db_table])
        for spec in specs:
            # Two wishes for the same keys share one index, which then has to stay.
            still_wanted = [other for other in self.indexes_of(model).all() if other.name != spec.name]
            self.run(_described("DROP", spec, model), lambda spec=spec, rest=still_wanted: builder.drop(spec, rest))


def _through(field: Any) -> Any:
    """The model of a many-to-many field's own table."""
    return field.remote_field.through


def _present(specs: Iterable[IndexSpec | None]) -> list[IndexSpec]:
    return [spec for spec in specs if spec is not None]


def _covers(spec: IndexSpec, field: AnyField) -> bool:
    """Whether a change of `field` can change the index: by its keys, or by its condition."""
    return any(column == field.column for column, _ in spec.keys) or repr(field.column) in repr(spec.partial)


def _described(verb: str, spec: IndexSpec, model: type[Model]) -> str:
    keys = ", ".join(f"{column} {'ASC' if direction == 1 else 'DESC'}" for column, direction in spec.keys)
    condition = f" WHERE {spec.partial}" if spec.partial else ""
    unique = "UNIQUE " if spec.unique else ""
    return f"{verb} {unique}INDEX {spec.name} ON {model._meta.db_table} ({keys}){condition}"
