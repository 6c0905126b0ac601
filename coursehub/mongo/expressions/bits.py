"""Bit operators on 64-bit integers by exact decimal arithmetic: servers before 6.3 have none of their own."""

from collections.abc import Callable
from typing import Any

from bson.decimal128 import Decimal128

from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.values import is_literal, literal, strict
from coursehub.mongo.types import Document

_WORD = 2**64
_SIGN = 2**63
_BITS = [{"weight": Decimal128(str(2**bit)), "above": Decimal128(str(2 ** (bit + 1)))} for bit in range(64)]
_BITWISE: dict[str, Callable[[Document, Document], Document]] = {
    "&": lambda left, right: {"$and": [left, right]},
    "|": lambda left, right: {"$or": [left, right]},
    "#": lambda left, right: {"$ne": [left, right]},
}
OPERATORS = {*_BITWISE, "<<", ">>"}


def operation(operator: str, sides: list[Any]) -> Any:
    """`left <operator> right` for integers in two's complement; NULL if a side is.

    A result of << beyond 64 bits fails on the server (DataError). Raises NotSupportedError for a shift by
    anything but a plain number from 0 to 63.
    """
    if None in sides:
        return None
    if operator in _BITWISE:
        return strict(sides, lambda left, right: _bitwise(_BITWISE[operator], left, right))
    left, places = sides
    number = places["$literal"] if is_literal(places) else None
    if type(number) is not int or not 0 <= number < 64:
        raise not_supported(f"The operator {operator}", "its right side must be a number from 0 to 63")
    factor = literal(Decimal128(str(2**number)))
    if operator == "<<":
        return strict([left], lambda x: {"$toLong": {"$multiply": [{"$toDecimal": x}, factor]}})
    return strict([left], lambda x: {"$toLong": {"$floor": {"$divide": [{"$toDecimal": x}, factor]}}})


def _bitwise(combine: Callable[[Document, Document], Document], left: Any, right: Any) -> Document:
    chosen = combine(_is_set("$$left"), _is_set("$$right"))
    weights = {"$map": {"input": literal(_BITS), "as": "bit", "in": {"$cond": [chosen, "$$bit.weight", 0]}}}
    return {
        "$let": {
            "vars": {"left": _unsigned(left), "right": _unsigned(right)},
            "in": {"$let": {"vars": {"word": {"$sum": weights}}, "in": _signed("$$word")}},
        }
    }


def _is_set(word: str) -> Document:
    return {"$gte": [{"$mod": [word, "$$bit.above"]}, "$$bit.weight"]}


def _unsigned(number: Any) -> Document:
    """The 64 bits of a number, read as a number without sign; too large for a long."""
    word = {"$toDecimal": number}
    return {"$cond": [{"$lt": [number, 0]}, {"$add": [word, literal(Decimal128(str(_WORD)))]}, word]}


def _signed(word: str) -> Document:
    negative = {"$gte": [word, literal(Decimal128(str(_SIGN)))]}
    return {"$toLong": {"$cond": [negative, {"$subtract": [word, literal(Decimal128(str(_WORD)))]}, word]}}
