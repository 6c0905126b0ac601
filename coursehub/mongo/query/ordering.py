"""ORDER BY as $sort. NULL sorts before everything, as on the server."""

from typing import Any

from django.db.models.expressions import ColPairs, OrderBy, Ref

from coursehub.mongo.expressions.values import is_literal, present
from coursehub.mongo.types import Pipeline


def sort_stages(compiler: Any, orders: list[OrderBy]) -> Pipeline:
    """Stages that bring the documents into order; what is not a field is computed first."""
    computed: dict[str, Any] = {}
    keys: dict[str, int] = {}
    for order in _single_columns(orders):
        path = compiler.field_path(order.expression)
        if path is None:
            value = compiler.output(order.expression)
            if value is None or is_literal(value):
                continue  # a constant orders nothing
            path = compiler.scope.new_name("s")
            computed[path] = value
        direction = -1 if order.descending else 1
        if (order.nulls_first and order.descending) or (order.nulls_last and not order.descending):
            name = compiler.scope.new_name("s")
            computed[name] = {"$cond": [present(computed.get(path, f"${path}")), 1, 0]}
            keys[name] = 1 if order.nulls_first else -1
        keys.setdefault(path, direction)
    if not keys:
        return []
    fields = [{"$addFields": computed}] if computed else []
    return [*compiler.scope.take_prelude(), *fields, {"$sort": keys}]


def _single_columns(orders: list[OrderBy]) -> list[OrderBy]:
    """A composite key orders by each of its columns in turn."""
    result = []
    for order in orders:
        source = order.expression.source if isinstance(order.expression, Ref) else order.expression
        if isinstance(source, ColPairs):
            result += [OrderBy(column, descending=order.descending) for column in source]
        else:
            result.append(order)
    return result
