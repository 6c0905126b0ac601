"""Conditions of indexes and constraints as filters of partial indexes.

The server takes only equality, ranges, $in, $type, $and and $or there, so a negation is pushed down to
the comparisons: `not equal` becomes `less or greater`, which is false for NULL, as in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from django.db import NotSupportedError
from django.db.models import Model, Q, lookups
from django.db.models.expressions import Col
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, OR, WhereNode

from coursehub.mongo.types import AnyField, Document

# The least value of each BSON type: `{column: {$gte: least}}` holds for every value but NULL, and unlike
# `$type` the query planner sees that an equality implies it, so a partial index still serves searches.
_LEAST: dict[str, Any] = {
    "string": "",
    **dict.fromkeys(("int", "long", "double", "decimal"), float("-inf")),
    "bool": False,
    "date": datetime(1, 1, 1),
    "binData": b"",
    "objectId": ObjectId(b"\0" * 12),
}
_ALL_TYPES_BUT_NULL = (
    *("double", "string", "object", "array", "binData", "objectId", "bool", "date"),
    *("regex", "int", "timestamp", "long", "decimal", "minKey", "maxKey"),
)
_RANGES = {
    lookups.GreaterThan: ("$gt", "$lte"),
    lookups.GreaterThanOrEqual: ("$gte", "$lt"),
    lookups.LessThan: ("$lt", "$gte"),
    lookups.LessThanOrEqual: ("$lte", "$gt"),
}


def partial_filter(
    model: type[Model], condition: Q, connection: Any, altered: Mapping[str, AnyField] | None = None
) -> Document:
    """`condition` as a partialFilterExpression.

    Raises NotSupportedError, naming the part, for what a partial index cannot express.
    """
    where = Query(model=model, alias_cols=False).build_where(condition)
    return _Translation(connection, altered or {}).node(where, negated=False)


def not_null(field: AnyField, connection: Any) -> Document:
    """The filter for documents that have a value in `field`'s column, fit for a partial index."""
    column: Any = field.column
    least = _LEAST.get(field.db_parameters(connection)["type"])
    return {column: {"$type": list(_ALL_TYPES_BUT_NULL)} if least is None else {"$gte": least}}


class _Translation:
    def __init__(self, connection: Any, altered: Mapping[str, AnyField]) -> None:
        self.connection, self.altered = connection, altered

    def node(self, node: Any, *, negated: bool) -> Document:
        if not isinstance(node, WhereNode):
            return self.lookup(node, negated=negated)
        negated ^= node.negated
        parts = [self.node(child, negated=negated) for child in node.children]
        if node.connector not in (AND, OR):
            raise NotSupportedError(f"{node.connector} in the condition of an index")
        joined = "$or" if (node.connector == OR) != negated else "$and"
        return parts[0] if len(parts) == 1 else {joined: parts}

    def lookup(self, lookup: Any, *, negated: bool) -> Document:
        if isinstance(lookup, Col):  # a boolean column as it stands
            return self._equal(lookup.target, True, negated=negated)
        if not isinstance(getattr(lookup, "lhs", None), Col) or hasattr(lookup.rhs, "resolve_expression"):
            raise NotSupportedError(f"{type(lookup).__name__} of an expression in the condition of an index")
        field = self.altered.get(lookup.lhs.target.name, lookup.lhs.target)
        if isinstance(lookup, lookups.IsNull):
            return {field.column: None} if bool(lookup.rhs) != negated else not_null(field, self.connection)
        if isinstance(lookup, lookups.In):
            return self._one_of(field, lookup, negated=negated)
        value = lookup.get_db_prep_lookup(lookup.rhs, self.connection)[1][0]
        if isinstance(lookup, lookups.Exact):
            return self._equal(field, value, negated=negated)
        for kind, (plain, opposite) in _RANGES.items():
            if isinstance(lookup, kind):
                return {field.column: {opposite if negated else plain: value}}
        raise NotSupportedError(f"{type(lookup).__name__} in the condition of an index")

    def _equal(self, field: AnyField, value: Any, *, negated: bool) -> Document:
        column: Any = field.column
        if not negated:
            return {column: {"$eq": value}}
        return {"$or": [{column: {"$lt": value}}, {column: {"$gt": value}}]}

    def _one_of(self, field: AnyField, lookup: Any, *, negated: bool) -> Document:
        values = [field.get_db_prep_value(value, self.connection) for value in lookup.rhs if value is not None]
        column: Any = field.column
        if not negated:
            return {column: {"$in": values}}
        return {"$and": [self._equal(field, value, negated=True) for value in values]}
