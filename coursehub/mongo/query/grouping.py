"""GROUP BY: Django's aggregates as accumulators of $group."""

from collections.abc import Callable
from typing import Any

from django.db.models.aggregates import Aggregate, Avg, Count, Max, Min, StdDev, Sum, Variance
from django.db.models.expressions import Col, ColPairs, Star

from coursehub.mongo.expressions import where
from coursehub.mongo.expressions.dispatch import Registry, not_supported
from coursehub.mongo.expressions.lookups import internal_type
from coursehub.mongo.expressions.values import present
from coursehub.mongo.types import Document

ACCUMULATORS = Registry()
accumulator_for = ACCUMULATORS.register


def accumulate(compiler: Any, node: Aggregate, add: Callable[[Document], str]) -> Any:
    """Note what $group must collect for `node` (through `add`); returns the expression of its value afterwards.

    To be called with the compiler's scope on the rows that are grouped.
    """
    return ACCUMULATORS.find(node)(compiler, node, add)


def _argument(compiler: Any, node: Aggregate) -> Any:
    """The aggregated expression; NULL on rows that the aggregate's filter leaves out."""
    source, *more = node.source_expressions
    if more or isinstance(source, ColPairs):
        raise not_supported(f"{type(node).__name__} over several columns")
    operand = 1 if isinstance(source, Star) else compiler.operand(source)
    if node.filter is None:
        return operand
    return {"$cond": [where.definite_test(compiler, node.filter), operand, None]}


def _is_own_key(compiler: Any, source_expressions: list[Any]) -> bool:
    """Whether this is the primary key, which every row has: to ask each row would take longer than all the rest."""
    node = source_expressions[0]
    return (
        len(source_expressions) == 1
        and isinstance(node, Col)
        and node.target.primary_key
        and node.alias == compiler.base_alias
        and compiler.scope.is_of_rows
    )


def _distinct(operand: Any, add: Callable[[Document], str]) -> str:
    """The set of values that are not NULL."""
    return "$" + add({"$addToSet": {"$cond": [present(operand), operand, "$$REMOVE"]}})


@accumulator_for(Count)
def count(compiler: Any, node: Count, add: Callable[[Document], str]) -> Any:
    if not node.distinct and node.filter is None and _is_own_key(compiler, node.source_expressions):
        return "$" + add({"$sum": 1})
    operand = _argument(compiler, node)
    if node.distinct:
        return {"$size": _distinct(operand, add)}
    return "$" + add({"$sum": 1 if operand == 1 else {"$cond": [present(operand), 1, 0]}})


@accumulator_for(Sum)
def total(compiler: Any, node: Sum, add: Callable[[Document], str]) -> Any:
    """NULL when there is nothing to add up, which $sum alone would call 0."""
    operand = _argument(compiler, node)
    if node.distinct:
        values = _distinct(operand, add)
        return {"$cond": [{"$eq": [values, []]}, None, {"$sum": values}]}
    counted = "$" + add({"$sum": {"$cond": [present(operand), 1, 0]}})
    return {"$cond": [{"$eq": [counted, 0]}, None, "$" + add({"$sum": operand})]}


@accumulator_for(Avg)
def average(compiler: Any, node: Avg, add: Callable[[Document], str]) -> Any:
    operand = _argument(compiler, node)
    mean = {"$avg": _distinct(operand, add)} if node.distinct else "$" + add({"$avg": operand})
    if internal_type(node) == "DurationField":
        return {"$toLong": {"$round": mean}}
    return mean


@accumulator_for(Max)
def largest(compiler: Any, node: Max, add: Callable[[Document], str]) -> Any:
    return "$" + add({"$max": _argument(compiler, node)})


@accumulator_for(Min)
def smallest(compiler: Any, node: Min, add: Callable[[Document], str]) -> Any:
    return "$" + add({"$min": _argument(compiler, node)})


def _deviation(compiler: Any, node: Any, add: Callable[[Document], str]) -> str:
    operator = "$stdDevSamp" if node.function.endswith("SAMP") else "$stdDevPop"
    return "$" + add({operator: _argument(compiler, node)})


@accumulator_for(StdDev)
def standard_deviation(compiler: Any, node: StdDev, add: Callable[[Document], str]) -> Any:
    return _deviation(compiler, node, add)


@accumulator_for(Variance)
def variance(compiler: Any, node: Variance, add: Callable[[Document], str]) -> Any:
    return {"$pow": [_deviation(compiler, node, add), 2]}


EMPTY_VALUES = {"$sum": 0, "$addToSet": []}


def empty_group(accumulators: dict[str, Document]) -> Document:
    """What $group would give for no rows at all, if it gave anything: SQL's aggregates then still have one row."""
    return {name: {"$literal": EMPTY_VALUES.get(next(iter(acc)))} for name, acc in accumulators.items()}
