"""Database functions on values and numbers."""

from collections.abc import Callable
from typing import Any

from django.db.models import functions as f

from coursehub.mongo.expressions.nodes import expression_for
from coursehub.mongo.expressions.values import literal, power, present, strict
from coursehub.mongo.types import Document


def simple(cls: type, build: Callable[..., Any]) -> None:
    """Register a function that is NULL when an argument is."""

    def translate(compiler: Any, node: Any) -> Any:
        return strict([compiler.operand(argument) for argument in node.get_source_expressions()], build)

    expression_for(cls)(translate)


@expression_for(f.Coalesce)
def coalesce(compiler: Any, node: f.Coalesce) -> Any:
    return {"$ifNull": [*(compiler.operand(argument) for argument in node.get_source_expressions())]}


@expression_for(f.NullIf)
def null_if(compiler: Any, node: f.NullIf) -> Any:
    value, unwanted = (compiler.operand(argument) for argument in node.get_source_expressions())
    return {"$cond": [{"$and": [present(value), {"$eq": [value, unwanted]}]}, None, value]}


@expression_for(f.Greatest)
def greatest(compiler: Any, node: f.Greatest) -> Any:
    return {"$max": [compiler.operand(argument) for argument in node.get_source_expressions()]}


@expression_for(f.Least)
def least(compiler: Any, node: f.Least) -> Any:
    return {"$min": [compiler.operand(argument) for argument in node.get_source_expressions()]}


@expression_for(f.Random)
def random(compiler: Any, node: f.Random) -> Document:
    return {"$rand": {}}


@expression_for(f.Pi)
def pi(compiler: Any, node: f.Pi) -> Any:
    return literal(3.141592653589793)


@expression_for(f.Round)
def round_to(compiler: Any, node: f.Round) -> Any:
    """Halves go away from zero, as in SQL; the server's own $round goes to the even neighbour."""
    operands = [compiler.operand(argument) for argument in node.get_source_expressions()]
    return strict(operands, _half_away_from_zero)


def _half_away_from_zero(number: Any, places: Any) -> Document:
    factor = power({"$toDecimal": 10}, places)
    scaled = {"$multiply": [{"$abs": {"$toDecimal": number}}, factor]}
    rounded = {"$divide": [{"$floor": {"$add": [scaled, {"$toDecimal": "0.5"}]}}, factor]}
    signed = {"$cond": [{"$lt": [number, 0]}, {"$multiply": [-1, rounded]}, rounded]}
    return {
        "$switch": {"branches": [_back(number, signed, name) for name in ("int", "long", "double")], "default": signed}
    }


def _back(number: Any, result: Any, name: str) -> Document:
    return {"case": {"$eq": [{"$type": number}, name]}, "then": {"$convert": {"input": result, "to": name}}}


def _guarded(operator: str, allowed: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """NULL outside of the function's domain, where the server would end the whole query."""
    return lambda x: {"$cond": [allowed(x), {operator: x}, None]}


def _modulo(dividend: Any, divisor: Any) -> Document:
    return {"$cond": [{"$eq": [divisor, 0]}, None, {"$mod": [dividend, divisor]}]}


def _sign(x: Any) -> Document:
    return {"$cmp": [x, 0]}


def _cotangent(x: Any) -> Document:
    return {"$cond": [{"$eq": [{"$tan": x}, 0]}, None, {"$divide": [1, {"$tan": x}]}]}


def _logarithm(base: Any, x: Any) -> Document:
    # The server's own $log is wrong for Decimal128.
    allowed = {"$and": [{"$gt": [base, 0]}, {"$ne": [base, 1]}, {"$gt": [x, 0]}]}
    return {"$cond": [allowed, {"$divide": [{"$ln": x}, {"$ln": base}]}, None]}


def _unit_interval(x: Any) -> Document:
    return {"$and": [{"$gte": [x, -1]}, {"$lte": [x, 1]}]}


for cls, operator in {
    **{f.Abs: "$abs", f.ATan: "$atan", f.Ceil: "$ceil", f.Cos: "$cos", f.Degrees: "$radiansToDegrees"},
    **{f.Exp: "$exp", f.Floor: "$floor", f.Radians: "$degreesToRadians", f.Sin: "$sin", f.Tan: "$tan"},
}.items():
    simple(cls, lambda x, operator=operator: {operator: x})

simple(f.ACos, _guarded("$acos", _unit_interval))
simple(f.ASin, _guarded("$asin", _unit_interval))
simple(f.ATan2, lambda y, x: {"$atan2": [y, x]})
simple(f.Cot, _cotangent)
simple(f.Ln, _guarded("$ln", lambda x: {"$gt": [x, 0]}))
simple(f.Log, _logarithm)
simple(f.Mod, _modulo)
simple(f.Power, power)
simple(f.Sign, _sign)
simple(f.Sqrt, _guarded("$sqrt", lambda x: {"$gte": [x, 0]}))
