"""Small builders of aggregation expressions, with SQL's rule that NULL in gives NULL out."""

from collections.abc import Callable
from itertools import count
from typing import Any

from coursehub.mongo.types import Document

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_variable_numbers = count()


def literal(value: Any) -> Any:
    """The value itself, never a field path or an operator, whatever text it is."""
    return None if value is None else {"$literal": value}


def is_literal(expression: Any) -> bool:
    return isinstance(expression, dict) and "$literal" in expression


def present(expression: Any) -> Document:
    """True unless NULL (or missing, which is the same to us)."""
    return {"$gt": [expression, None]}


def strict(operands: list[Any], build: Callable[..., Any]) -> Any:
    """`build(*operands)`, or NULL when one of them is NULL. Long operands are evaluated once, through $let."""
    names, variables, guards = [], {}, []
    for operand in operands:
        if operand is None:
            return None
        if is_literal(operand):
            names.append(operand)
            continue
        name = operand
        if not isinstance(operand, str):
            # Numbered over the whole process: an inner $let must not hide the variable of an outer one.
            variable = f"x{next(_variable_numbers)}"
            variables[variable], name = operand, f"$${variable}"
        names.append(name)
        guards.append(present(name))
    result = build(*names)
    if guards:
        condition = guards[0] if len(guards) == 1 else {"$and": guards}
        result = {"$cond": [condition, result, None]}
    return {"$let": {"vars": variables, "in": result}} if variables else result


def power(base: Any, exponent: Any) -> Document:
    """`base` to the `exponent`; the server takes a Decimal128 to the power of 0 for 0."""
    return {"$cond": [{"$eq": [exponent, 0]}, {"$literal": 1}, {"$pow": [base, exponent]}]}


def conjunction(tests: list[Any]) -> Any:
    return tests[0] if len(tests) == 1 else {"$and": tests}


def disjunction(tests: list[Any]) -> Any:
    return tests[0] if len(tests) == 1 else {"$or": tests}


def beyond_int64(value: Any) -> bool:
    """An integer that BSON cannot hold, so that no stored value can equal it."""
    return isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX
