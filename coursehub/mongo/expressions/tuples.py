"""Conditions on several columns at once (composite keys), taken apart into conditions on one."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Q
from django.db.models import lookups as l
from django.db.models.expressions import ColPairs, Exists, Subquery
from django.db.models.fields import tuple_lookups as t
from django.db.models.fields.related_lookups import get_normalized_value
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, OR, WhereNode

from coursehub.mongo.expressions.dispatch import not_supported

# For each ordering: how a leading column differs, and how the last one may.
ORDERINGS = {
    "gt": (l.GreaterThan, l.GreaterThan),
    "gte": (l.GreaterThan, l.GreaterThanOrEqual),
    "lt": (l.LessThan, l.LessThan),
    "lte": (l.LessThan, l.LessThanOrEqual),
}


def is_tuple_lookup(node: Any) -> bool:
    return isinstance(getattr(node, "lhs", None), ColPairs | t.Tuple)


def expanded(compiler: Any, lookup: l.Lookup) -> Any:
    """An equal condition on single columns. Raises EmptyResultSet, NotSupportedError."""
    columns = list(lookup.lhs)
    if isinstance(lookup, l.IsNull):
        wanted = lookup.rhs
        return WhereNode([l.IsNull(column, wanted) for column in columns], connector=OR if wanted else AND)
    if isinstance(lookup, l.In):
        return _one_of(compiler, lookup, columns)
    if isinstance(lookup.rhs, Query) or (not lookup.rhs_is_direct_value() and not isinstance(lookup.rhs, ColPairs)):
        raise not_supported(lookup, "several columns against a subquery")
    values = _values(lookup.rhs, lookup) if lookup.rhs_is_direct_value() else tuple(lookup.rhs)
    if lookup.lookup_name == "exact":
        return _equal(columns, values)
    if lookup.lookup_name not in ORDERINGS:
        raise not_supported(lookup)
    return _ordered(lookup.lookup_name, columns, values)


def _values(values: Any, lookup: l.Lookup) -> tuple[Any, ...]:
    """One value for each column, whether a model instance or a sequence was given."""
    return tuple(values) if isinstance(values, list | tuple) else get_normalized_value(values, lookup.lhs)


def _equal(columns: list[Any], values: Any) -> WhereNode:
    return WhereNode([l.Exact(column, value) for column, value in zip(columns, values, strict=True)], connector=AND)


def _ordered(name: str, columns: list[Any], values: Any) -> WhereNode:
    leading, last = ORDERINGS[name]
    pairs = list(zip(columns, values, strict=True))
    options: list[Any] = []
    for number, (column, value) in enumerate(pairs):
        lookup = last if number == len(pairs) - 1 else leading
        same: list[Any] = [l.Exact(earlier, known) for earlier, known in pairs[:number]]
        same.append(lookup(column, value))
        options.append(WhereNode(same, connector=AND))
    return WhereNode(options, connector=OR)


def _one_of(compiler: Any, lookup: Any, columns: list[Any]) -> Any:
    if isinstance(lookup.rhs, Query | Subquery):
        query = lookup.rhs.query if isinstance(lookup.rhs, Subquery) else lookup.rhs
        return _in_subquery(compiler, query, columns)
    if not lookup.rhs_is_direct_value():
        raise not_supported(lookup, "several columns against an expression")
    tuples = [_values(values, lookup) for values in lookup.rhs]
    options: list[Any] = [_equal(columns, values) for values in tuples if None not in values]
    if not options:
        raise EmptyResultSet
    return WhereNode(options, connector=OR)


def _in_subquery(compiler: Any, query: Query, columns: list[Any]) -> Exists:
    selected = query.get_compiler(connection=compiler.connection).get_select()[0]
    inner = [column for node, *_ in selected for column in (node if isinstance(node, ColPairs) else [node])]
    query = query.clone()
    query.add_q(Q(*(l.Exact(outer, own) for outer, own in zip(columns, inner, strict=True))))
    return Exists(query)
