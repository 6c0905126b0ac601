"""The indexes that a model wants, as data: what migrations create, compare and drop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Index, Model, UniqueConstraint
from django.db.models.expressions import OrderBy

from coursehub.mongo.ddl.partial import not_null, partial_filter
from coursehub.mongo.types import AnyField, Document

PRIMARY_KEY = "__primary_key__"


@dataclass(frozen=True)
class IndexSpec:
    """One index. `explicit`: its name is the programmer's; else it is found by what it covers."""

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    partial: Any = None
    explicit: bool = False

    def same_index(self, other: IndexSpec) -> bool:
        """Whether the server would refuse to have both."""
        return (self.keys, self.unique, self.partial) == (other.keys, other.unique, other.partial)


class ModelIndexes:
    """The indexes of one model; `altered` replaces fields by name, as while a field is being changed.

    `name_for(table, columns, suffix)` makes names; `connection` knows the columns' types.
    """

    def __init__(
        self,
        model: type[Model],
        connection: Any,
        name_for: Callable[[str, Sequence[str], str], str],
        altered: Mapping[str, AnyField] | None = None,
    ) -> None:
        self.meta, self.connection, self.name_for = model._meta, connection, name_for
        self.model, self.altered = model, altered or {}

    def all(self) -> list[IndexSpec]:
        """Every index that the model wants."""
        wanted = [
            spec for field in self.meta.local_fields for spec in self.of_field(self.altered.get(field.name, field))
        ]
        if getattr(self.meta.pk, "columns", None) and len(self.meta.pk.columns) > 1:
            wanted.append(self._spec(self.meta.pk.columns, PRIMARY_KEY, unique=True))
        wanted += [self.together(names, unique=True) for names in self.meta.unique_together]
        wanted += [spec for index in self.meta.indexes if (spec := self.of_index(index))]
        wanted += [spec for constraint in self.meta.constraints if (spec := self.of_constraint(constraint))]
        return wanted

    def of_field(self, field: AnyField) -> list[IndexSpec]:
        """The index that `field` itself asks for: key, unique or plain."""
        if field.column is None or field.db_parameters(self.connection)["type"] is None or field.column == "_id":
            return []
        if field.primary_key:
            return [IndexSpec(PRIMARY_KEY, ((field.column, 1),), unique=True)]
        if field.unique:
            name = self.name_for(self.meta.db_table, [field.column], "_uniq")
            return [IndexSpec(name, ((field.column, 1),), unique=True, partial=self._not_null([field]))]
        if field.db_index:
            return [IndexSpec(self.name_for(self.meta.db_table, [field.column], ""), ((field.column, 1),))]
        return []

    def together(self, names: Sequence[str], *, unique: bool) -> IndexSpec:
        """The index of an entry of `unique_together` (or the older `index_together`)."""
        fields = [self._field(name) for name in names]
        columns = [field.column for field in fields]
        name = self.name_for(self.meta.db_table, columns, "_uniq" if unique else "_idx")
        return self._spec(columns, name, unique=unique, partial=self._not_null(fields) if unique else None)

    def of_index(self, index: Index) -> IndexSpec | None:
        """The index of `Meta.indexes`; None for one over expressions, which MongoDB does not have."""
        ordered = [(self._field(name), -1 if order == "DESC" else 1) for name, order in index.fields_orders]
        ordered = ordered or self._plain_columns(index.expressions)
        if not ordered:
            return None
        keys = tuple((field.column, direction) for field, direction in ordered)
        return IndexSpec(index.name, keys, partial=self._condition(index.condition), explicit=True)

    def of_constraint(self, constraint: Any) -> IndexSpec | None:
        """The index of a UniqueConstraint; None for other constraints, which the server cannot hold."""
        if not isinstance(constraint, UniqueConstraint) or constraint.deferrable or constraint.include:
            return None
        ordered = [(self._field(name), 1) for name in constraint.fields] or self._plain_columns(constraint.expressions)
        if not ordered:
            return None
        parts = [self._condition(constraint.condition)]
        if constraint.nulls_distinct is not False:
            parts.append(self._not_null([field for field, _ in ordered]))
        return IndexSpec(
            constraint.name,
            tuple((field.column, direction) for field, direction in ordered),
            unique=True,
            partial=all_of(parts),
            explicit=True,
        )

    def _plain_columns(self, expressions: Sequence[Any]) -> list[tuple[AnyField, int]]:
        """The columns and directions of expressions that are no more than columns; empty if one is more."""
        found = []
        for expression in expressions:
            direction = -1 if getattr(expression, "descending", False) else 1
            column = expression.expression if isinstance(expression, OrderBy) else expression
            if not isinstance(column, F):
                return []
            found.append((self._field(column.name), direction))
        return found

    def _field(self, name: str) -> AnyField:
        field = self.meta.get_field(name)
        return self.altered.get(field.name, field)

    def _spec(self, columns: Sequence[str], name: str, **options: Any) -> IndexSpec:
        return IndexSpec(name, tuple((column, 1) for column in columns), **options)

    def _not_null(self, fields: Sequence[AnyField]) -> Document | None:
        return all_of([not_null(field, self.connection) for field in fields if field.null])

    def _condition(self, condition: Any) -> Document | None:
        return partial_filter(self.model, condition, self.connection, self.altered) if condition is not None else None


def all_of(filters: Sequence[Document | None]) -> Document | None:
    """The conjunction of those that are not None; None when there are none."""
    parts = [part for part in filters if part is not None]
    if len(parts) <= 1:
        return parts[0] if parts else None
    return {"$and": parts}
