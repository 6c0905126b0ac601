"""`bulk_create(ignore_conflicts=True)` and `bulk_create(update_conflicts=True)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import ProgrammingError
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from coursehub.mongo.ddl.indexes import IndexSpec
from coursehub.mongo.errors import has_only_duplicate_keys
from coursehub.mongo.types import Document

_KEYS_PER_QUERY = 1_000


def insert_ignoring(compiler: Any, collection: Any, documents: list[Document]) -> None:
    """Insert what no unique index refuses."""
    if compiler.connection.session is not None:
        _insert_where_absent(compiler, collection, documents)
        return
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not has_only_duplicate_keys(error):
            raise


def _insert_where_absent(compiler: Any, collection: Any, documents: list[Document]) -> None:
    """In a transaction any error of the server would end it, so conflicts are looked for, not run into."""
    keys = _unique_keys(compiler)
    writes = []
    for document in documents:
        wanted = [equal for spec in keys if (equal := _equal_keys(document, [column for column, _ in spec.keys], spec))]
        condition: Document = {"$or": wanted} if wanted else {"_id": {"$in": []}}
        writes.append(UpdateOne(condition, {"$setOnInsert": document}, upsert=True))
    collection.bulk_write(writes)


def insert_or_update(compiler: Any, collection: Any, documents: list[Document], targets: Sequence[str]) -> None:
    """Insert; a row that has a document's values in the columns `targets` gets its `update_fields` instead.

    Raises ProgrammingError when no unique index covers `targets`.
    """
    if not any({column for column, _ in spec.keys} == set(targets) for spec in _unique_keys(compiler)):
        raise ProgrammingError(f"No unique constraint covers exactly these columns: {', '.join(targets)}")
    updated = [field.column for field in compiler.query.update_fields]
    writes = []
    for document in documents:
        changes = {column: document[column] for column in updated}
        kept = {column: value for column, value in document.items() if column not in changes}
        writes.append(UpdateOne(_identity(document, targets), {"$set": changes, "$setOnInsert": kept}, upsert=True))
    collection.bulk_write(writes)


def stored_documents(collection: Any, documents: list[Document], targets: Sequence[str]) -> list[Document]:
    """What is stored for each of `documents` after `insert_or_update`, in their order."""
    stored: dict[tuple[Any, ...], Document] = {}
    for start in range(0, len(documents), _KEYS_PER_QUERY):
        chunk = documents[start : start + _KEYS_PER_QUERY]
        for document in collection.find({"$or": [_identity(document, targets) for document in chunk]}):
            stored[_key(document, targets)] = document
    return [stored.get(_key(document, targets), document) for document in documents]


def _unique_keys(compiler: Any) -> list[IndexSpec]:
    model = compiler.query.get_meta().concrete_model
    editor = compiler.connection.schema_editor(collect_sql=True)
    return [spec for spec in editor.indexes_of(model).all() if spec.unique]


def _equal_keys(document: Document, columns: Sequence[str], spec: IndexSpec) -> Document | None:
    """The filter for rows that collide with `document` in a unique index; None if NULL keeps it out of that."""
    if any(document.get(column) is None for column in columns) and spec.partial is not None:
        return None
    same = _identity(document, columns)
    return same if spec.partial is None else {"$and": [same, spec.partial]}


def _identity(document: Document, columns: Sequence[str]) -> Document:
    return {column: {"$eq": document.get(column)} for column in columns}


def _key(document: Document, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(repr(document.get(column)) for column in columns)
