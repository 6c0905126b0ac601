"""Expressions of the query tree: columns, values, arithmetic, CASE, casts, ordering's inner parts."""

import re
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import DatabaseError
from django.db.models import expressions as e
from django.db.models import lookups as l
from django.db.models.aggregates import Aggregate, Avg, Count, Max, Min, StdDev, Sum, Variance
from django.db.models.fields.composite import CompositePrimaryKey
from django.db.models.sql.compiler import PositionRef
from django.db.models.sql.query import Query
from django.db.models.sql.where import WhereNode

from coursehub.mongo.expressions import bits, where
from coursehub.mongo.expressions.dispatch import Registry, not_supported
from coursehub.mongo.expressions.lookups import internal_type
from coursehub.mongo.expressions.subqueries import COLUMN_TEXT
from coursehub.mongo.expressions.values import literal, power, strict
from coursehub.mongo.types import Document

EXPRESSIONS = Registry()
expression_for = EXPRESSIONS.register
INTEGERS = {"IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField", "AutoField"}
INTEGERS |= {"PositiveBigIntegerField", "PositiveSmallIntegerField", "BigAutoField", "SmallAutoField"}


@expression_for(e.Col)
def column(compiler: Any, node: e.Col) -> Any:
    if isinstance(node.target, CompositePrimaryKey):
        raise not_supported("A composite primary key")
    return compiler.scope.column(node)


@expression_for(e.Ref, PositionRef)
def reference(compiler: Any, node: e.Ref) -> Any:
    return compiler.scope.reference(node)


@expression_for(e.ResolvedOuterRef)
def outer_reference(compiler: Any, node: e.ResolvedOuterRef) -> Any:
    return node.as_sql(compiler, compiler.connection)  # always raises: the queryset was not used as a subquery


@expression_for(e.Value)
def value(compiler: Any, node: e.Value) -> Any:
    return literal(stored_value(compiler, node))


def stored_value(compiler: Any, node: e.Value) -> Any:
    """The constant in the form in which its field is stored."""
    field = node._output_field_or_none
    if field is None:
        return node.value
    prepare = field.get_db_prep_save if node.for_save else field.get_db_prep_value
    return prepare(node.value, connection=compiler.connection)


@expression_for(e.ExpressionWrapper)
def wrapper(compiler: Any, node: "e.ExpressionWrapper[Any]") -> Any:
    return compiler.expression(node.expression)


@expression_for(e.DatabaseDefault)
def database_default(compiler: Any, node: e.DatabaseDefault) -> Any:
    return compiler.expression(node.expression)


@expression_for(e.NegatedExpression, WhereNode, e.Exists)
@EXPRESSIONS.register_family(l.Lookup)
def truth_value(compiler: Any, node: Any) -> Any:
    """A condition as a value: true, false, or NULL where it is neither."""
    holds = where.definite_test(compiler, node, True)
    if where.never_null(node):
        return holds
    fails = where.definite_test(compiler, node, False)
    return {"$cond": [holds, True, {"$cond": [fails, False, None]}]}


@expression_for(e.Subquery, Query)
def subquery(compiler: Any, node: Any) -> Any:
    return compiler.scalar_subquery(node)


@expression_for(Aggregate)
def other_aggregate(compiler: Any, node: Aggregate) -> Any:
    raise not_supported(node)


@expression_for(Avg, Count, Max, Min, StdDev, Sum, Variance)
def aggregate(compiler: Any, node: Aggregate) -> Any:
    return compiler.scope.aggregate(node)


@expression_for(e.Case)
def case(compiler: Any, node: e.Case) -> Any:
    branches = []
    default = node.default
    for when in node.cases:
        try:
            test = where.test(compiler, when.condition, True)
        except EmptyResultSet:
            continue
        except FullResultSet:
            default = when.result
            break
        branches.append({"case": test, "then": compiler.operand(when.result)})
    otherwise = compiler.operand(default)
    return {"$switch": {"branches": branches, "default": otherwise}} if branches else otherwise


ARITHMETIC = {"+": "$add", "-": "$subtract", "*": "$multiply", "/": "$divide", "%%": "$mod", "^": "$pow"}


@expression_for(e.CombinedExpression)
def combined(compiler: Any, node: e.CombinedExpression) -> Any:
    sides = [compiler.operand(node.lhs), compiler.operand(node.rhs)]
    if node.connector in bits.OPERATORS and {internal_type(node.lhs), internal_type(node.rhs)} <= {*INTEGERS, ""}:
        return bits.operation(node.connector, sides)
    operator = ARITHMETIC.get(node.connector)
    if operator is None:
        raise not_supported(f"The operator {node.connector}")
    if node.connector in ("/", "%%"):
        return _division(node, operator, sides)
    if node.connector == "^":
        return strict(sides, power)
    return None if None in sides else {operator: sides}


def _division(node: e.CombinedExpression, operator: str, sides: list[Any]) -> Any:
    """NULL when dividing by zero; between integers the quotient is an integer, as in SQL."""
    whole = node.connector == "/" and {internal_type(node.lhs), internal_type(node.rhs)} <= INTEGERS

    def divide(dividend: Any, divisor: Any) -> Any:
        result: Document = {operator: [dividend, divisor]}
        if whole:
            result = {"$toLong": {"$trunc": result}}
        return {"$cond": [{"$eq": [divisor, 0]}, None, result]}

    return strict(sides, divide)


@expression_for(e.DurationExpression)
def duration_arithmetic(compiler: Any, node: e.DurationExpression) -> Any:
    """Durations are stored as microseconds, dates know milliseconds."""
    sides = [compiler.operand(node.lhs), compiler.operand(node.rhs)]
    types = [internal_type(node.lhs), internal_type(node.rhs)]
    if node.connector in ("*", "/"):
        return _scaled_duration(node, types, sides)
    if node.connector not in ("+", "-"):
        raise not_supported(f"The operator {node.connector} on durations")
    if {"DateField", "DateTimeField", "TimeField"}.isdisjoint(types):
        return None if None in sides else {ARITHMETIC[node.connector]: sides}
    sides = [_milliseconds(side) if name == "DurationField" else side for side, name in zip(sides, types, strict=True)]
    return None if None in sides else {ARITHMETIC[node.connector]: sides}


def _milliseconds(microseconds: Any) -> Any:
    return None if microseconds is None else {"$toLong": {"$floor": {"$divide": [microseconds, 1000]}}}


def _scaled_duration(node: e.DurationExpression, types: list[str], sides: list[Any]) -> Any:
    if not set(types) <= INTEGERS | {"DurationField", "DecimalField", "FloatField"}:
        raise DatabaseError(f"Invalid arguments for operator {node.connector}.")

    def scale(left: Any, right: Any) -> Any:
        if node.connector == "*":
            return {"$toLong": {"$round": {"$multiply": [left, right]}}}
        quotient = {"$toLong": {"$round": {"$divide": [left, right]}}}
        return {"$cond": [{"$eq": [right, 0]}, None, quotient]}

    return strict(sides, scale)


@expression_for(e.TemporalSubtraction)
def temporal_subtraction(compiler: Any, node: e.TemporalSubtraction) -> Any:
    sides = [compiler.operand(node.lhs), compiler.operand(node.rhs)]
    return strict(sides, lambda later, earlier: {"$multiply": [{"$subtract": [later, earlier]}, {"$literal": 1000}]})


@expression_for(e.RawSQL)
def raw_sql(compiler: Any, node: e.RawSQL) -> Any:
    """Only `"table"."column"` (Django's own prefetch_related writes it), a bare column and constants are understood."""
    text = node.sql.strip()
    if text == "%s" and len(node.params) == 1:
        return literal(node.params[0])
    meta = compiler.query.get_meta()
    if not node.params and len(compiler.active_aliases) == 1 and text in {f.column for f in meta.local_concrete_fields}:
        return f"${compiler.scope.raw_path(compiler.base_alias, text)}"
    if re.fullmatch(r"\(?-?\d+\)?", text) and not node.params:
        return literal(int(text.strip("()")))
    if re.fullmatch(r"'([^'%\\]|%%)*'", text) and not node.params:
        return literal(text[1:-1].replace("%%", "%"))
    if text.upper() == "CURRENT_TIMESTAMP" and not node.params:
        return "$$NOW"
    found = COLUMN_TEXT.fullmatch(text)
    alias = found and found["table"]
    if node.params or not found or not alias or alias not in compiler.query.alias_map:
        raise not_supported("extra() or RawSQL", "it is SQL text")
    path = compiler.scope.raw_path(alias, found["column"])
    return f"${path}"
