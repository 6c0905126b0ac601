"""INSERT: objects to documents, integer keys from the table's counter, conflicts ignored or updated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson.decimal128 import Decimal128
from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault, Value
from django.db.models.sql.compiler import SQLInsertCompiler as DjangoInsertCompiler
from pymongo.errors import BulkWriteError

from coursehub.mongo.converters import as_stored
from coursehub.mongo.ddl import sequences
from coursehub.mongo.errors import translated
from coursehub.mongo.query.select import SQLCompiler
from coursehub.mongo.types import AnyField, Document
from coursehub.mongo.write.command_log import shown
from coursehub.mongo.write.conflicts import insert_ignoring, insert_or_update, stored_documents
from coursehub.mongo.write.passthrough import stored_type


class SQLInsertCompiler(SQLCompiler, DjangoInsertCompiler):
    """Inserts a batch in one command, and returns what the database decided (keys, defaults)."""

    def execute_sql(self, returning_fields: Sequence[AnyField] | None = None) -> list[tuple[Any, ...]]:
        """Write the query's objects; a row of `returning_fields` for each, as read from the database.

        A batch is all or nothing: what was written of a failing one is deleted again. Raises
        IntegrityError for duplicates and for None in a NOT NULL column.
        """
        options = self.query.get_meta()
        documents = self._documents(self.query.fields)
        if not documents:
            return []
        with translated():
            self._number(documents)
            with self.connection.logged(lambda: f"INSERT INTO db.{options.db_table}.insert_many({shown(documents)})"):
                documents = self._write(documents, read_back=bool(returning_fields))
        if not returning_fields:
            return []
        rows = [tuple(document.get(field.column) for field in returning_fields) for document in documents]
        converters = self.get_converters([field.get_col(options.db_table) for field in returning_fields])
        return list(self.apply_converters(rows, converters)) if converters else rows

    # --- Values ---------------------------------------------------------------------------------

    def _documents(self, fields: Sequence[AnyField]) -> list[Document]:
        """A document per object, without the keys that are still to be drawn."""
        columns: list[tuple[AnyField, str, type | None, Any, bool, bool]] = [
            (field, field.attname, stored_type(field), field.column, *_about_none(field)) for field in fields
        ]
        documents: list[Document] = []
        expressions: list[tuple[Document, AnyField, Any]] = []
        for instance in self.query.objs:
            document: Document = {}
            for field, attribute, unchanged, column, may_be_none, stays_none in columns:
                if unchanged is not None and type(value := getattr(instance, attribute)) is unchanged:
                    document[column] = value
                    continue
                value = self.pre_save_val(field, instance)
                if value is not None or not stays_none:
                    value = self._prepared(field, value)
                    if hasattr(value, "as_sql"):
                        expressions.append((document, field, value))
                if value is None and not may_be_none:
                    self._refuse_null(field)
                document[column] = value
            documents.append(document)
        self._evaluate(expressions)
        return documents

    def _prepared(self, field: AnyField, value: Any) -> Any:
        """The value as it is stored; an expression if the server has to compute it."""
        value = self.prepare_value(field, value)
        if isinstance(value, DatabaseDefault):
            value = value.expression
        if isinstance(value, Value):
            value = (value._output_field_or_none or field).get_db_prep_save(value.value, self.connection)
        return as_stored(field, value) if isinstance(value, Decimal128) else value

    def _evaluate(self, expressions: list[tuple[Document, AnyField, Any]]) -> None:
        """Let the server compute all expressions of the batch in one round trip, into their documents."""
        if not expressions:
            return
        computed = {f"e{number}": self._computation(node) for number, (_, _, node) in enumerate(expressions)}
        with translated():
            pipeline = [{"$documents": [{}]}, {"$project": {"_id": 0, **computed}}]
            (answer,) = self.connection.database.aggregate(pipeline)
        for number, (document, field, _) in enumerate(expressions):
            column: Any = field.column
            value = document[column] = answer.get(f"e{number}")
            if value is None and not field.null:
                self._refuse_null(field)

    def _computation(self, node: Any) -> Any:
        try:
            return self.expression(node)
        except EmptyResultSet:
            return {"$literal": None}

    def _refuse_null(self, field: AnyField) -> None:
        raise IntegrityError(f"NOT NULL constraint failed: {self.query.get_meta().db_table}.{field.column}")

    def _number(self, documents: list[Document]) -> None:
        """Draw a number for each document without one; the counter never falls behind explicit numbers."""
        options = self.query.get_meta()
        auto_field = options.concrete_model._meta.auto_field
        if auto_field is None or not sequences.is_sequence(auto_field):
            return
        database, table, column = self.connection.database, options.db_table, auto_field.column
        without = [document for document in documents if document.get(column) is None]
        if without:
            drawn = sequences.numbers(database, table, column, len(without))
            for number, document in zip(drawn, without, strict=True):
                document[column] = number
        if len(without) < len(documents):
            sequences.raise_to(database, table, max(document[column] for document in documents))

    # --- Writing --------------------------------------------------------------------------------

    def _write(self, documents: list[Document], *, read_back: bool) -> list[Document]:
        """Insert; returns the documents as they are stored if `read_back` asks for that."""
        collection = self.connection.collection(self.query.get_meta().db_table)
        if self.query.on_conflict == OnConflict.UPDATE:
            targets = [field.column for field in self.query.unique_fields]
            insert_or_update(self, collection, documents, targets)
            return stored_documents(collection, documents, targets) if read_back else documents
        if self.query.on_conflict == OnConflict.IGNORE:
            insert_ignoring(self, collection, documents)
        elif len(documents) == 1:
            collection.insert_one(documents[0])
        else:
            self._insert_all(collection, documents)
        return documents

    def _insert_all(self, collection: Any, documents: list[Document]) -> None:
        try:
            collection.insert_many(documents)
        except BulkWriteError as error:
            if self.connection.session is None:
                written = documents[: error.details["nInserted"]]
                collection.delete_many({"_id": {"$in": [document["_id"] for document in written]}})
            raise


def _about_none(field: AnyField) -> tuple[bool, bool]:
    """Whether the column takes None, and whether None is stored as it is: preparing it costs most of a wide row."""
    return field.null or sequences.is_sequence(field), type(field).__module__ == "django.db.models.fields"
