"""Creating and dropping indexes on the server so that repeating a step is harmless."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from coursehub.mongo.ddl.indexes import PRIMARY_KEY, IndexSpec
from coursehub.mongo.types import Document

_INDEX_OPTIONS_CONFLICT, _INDEX_KEY_SPECS_CONFLICT = 85, 86


class IndexBuilder:
    """The indexes of one collection."""

    def __init__(self, collection: Collection[Document]) -> None:
        self.collection = collection

    def create(self, spec: IndexSpec) -> None:
        """Create the index; satisfied with one of another name over the same keys with the same rules.

        Raises pymongo's DuplicateKeyError when rows break a unique index.
        """
        options: dict[str, Any] = {"name": spec.name}
        if spec.unique:
            options["unique"] = True
        if spec.partial is not None:
            options["partialFilterExpression"] = spec.partial
        try:
            self.collection.create_index(list(spec.keys), **options)
        except OperationFailure as error:
            if error.code not in (_INDEX_OPTIONS_CONFLICT, _INDEX_KEY_SPECS_CONFLICT):
                raise
            existing = self._existing()
            if spec.name == PRIMARY_KEY and PRIMARY_KEY in existing:
                # The key moved to another column.
                self.collection.drop_index(PRIMARY_KEY)
                self.collection.create_index(list(spec.keys), **options)
            elif not any(spec.same_index(other) for other in existing.values()):
                raise

    def drop(self, spec: IndexSpec, still_wanted: Sequence[IndexSpec]) -> None:
        """Drop the index if it is there, then create again what else was served by it."""
        for name, existing in self._existing().items():
            if name == spec.name or (not spec.explicit and existing.same_index(spec)):
                self.collection.drop_index(name)
                for other in still_wanted:
                    if other.same_index(existing):
                        self.create(other)
                return

    def drop_covering(self, column: str) -> None:
        """Drop all indexes that have `column` among their keys."""
        for name, existing in self._existing().items():
            if any(key == column for key, _ in existing.keys):
                self.collection.drop_index(name)

    def _existing(self) -> dict[str, IndexSpec]:
        return {
            name: IndexSpec(
                name,
                tuple((column, int(direction)) for column, direction in info["key"]),
                unique=bool(info.get("unique", False)),
                partial=info.get("partialFilterExpression"),
            )
            for name, info in self.collection.index_information().items()
            if all(direction in (1, -1) for _, direction in info["key"]) and name != "_id_"
        }
