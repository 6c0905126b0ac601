"""Conditions in SQL's three-valued logic.

Each asks for one of two answers: "is it true" or "is it false"; a comparison with NULL is neither, so negation never
turns an unknown into a match. `document` is the index-friendly form for a field path against plain values, `test` the
form for `$expr`. Both raise EmptyResultSet or FullResultSet when the answer is the same for every row.
"""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet

from coursehub.mongo.expressions.values import (
    INT64_MAX,
    INT64_MIN,
    beyond_int64,
    conjunction,
    disjunction,
    is_literal,
    literal,
    present,
)
from coursehub.mongo.types import Document

OPPOSITE = {"$eq": "$ne", "$gt": "$lte", "$gte": "$lt", "$lt": "$gte", "$lte": "$gt"}
MIRRORED = {"$eq": "$eq", "$gt": "$lt", "$gte": "$lte", "$lt": "$gt", "$lte": "$gte"}


class Condition:
    """Base: what a lookup says about its left side."""

    plain = True  # only plain values on the right: may become a match document

    def document(self, path: str, truth: bool) -> Document:
        raise NotImplementedError

    def test(self, left: Any, truth: bool) -> Any:
        raise NotImplementedError


def _constant(holds: bool) -> None:
    raise FullResultSet if holds else EmptyResultSet


@dataclass
class Compare(Condition):
    """left <operator> value; the value is stored-form, not an expression."""

    operator: str
    value: Any

    def _settle(self, truth: bool) -> None:
        if self.value is None:
            raise EmptyResultSet  # comparing with NULL is neither true nor false
        if beyond_int64(self.value):
            above = self.value > INT64_MAX
            holds = self.operator in ("$lt", "$lte") if above else self.operator in ("$gt", "$gte")
            _constant(holds is truth)

    def document(self, path: str, truth: bool) -> Document:
        self._settle(truth)
        if truth:
            return {path: {self.operator: self.value}}
        if self.operator == "$eq":
            return {path: {"$nin": [self.value, None]}}
        return {path: {OPPOSITE[self.operator]: self.value}}

    def test(self, left: Any, truth: bool) -> Any:
        self._settle(truth)
        return compare(self.operator if truth else OPPOSITE[self.operator], left, literal(self.value))


def compare(operator: str, left: Any, right: Any) -> Any:
    """A comparison that is false when a side is NULL (to the server, NULL is less than everything)."""
    if left is None or right is None:
        raise EmptyResultSet
    guards = [present(side) for side in (left, right) if not is_literal(side)]
    if (operator in ("$eq", "$gt", "$gte") and is_literal(right)) or (operator == "$eq" and is_literal(left)):
        guards = []  # a plain value on the right is not NULL, and nothing NULL equals or exceeds it
    return conjunction([*guards, {operator: [left, right]}])


@dataclass
class CompareExpression(Condition):
    """left <operator> another expression of the row."""

    operator: str
    right: Any
    plain = False

    def test(self, left: Any, truth: bool) -> Any:
        return compare(self.operator if truth else OPPOSITE[self.operator], left, self.right)


@dataclass
class OneOf(Condition):
    """left IN (values); `has_null` when the list came from a subquery with a NULL in it."""

    values: list[Any]
    has_null: bool = False

    def _settle(self, truth: bool) -> list[Any]:
        values = [value for value in self.values if not beyond_int64(value)]
        if not truth and self.has_null:
            raise EmptyResultSet
        if not values and (truth or not self.values):
            _constant(not truth)
        return values

    def document(self, path: str, truth: bool) -> Document:
        values = self._settle(truth)
        if truth:
            return {path: {"$eq": values[0]} if len(values) == 1 else {"$in": values}}
        return {path: {"$nin": [*values, None]}}

    def test(self, left: Any, truth: bool) -> Any:
        found = {"$in": [left, literal(self._settle(truth))]}
        return found if truth else conjunction([present(left), {"$not": [found]}])


@dataclass
class OneOfExpressions(Condition):
    """left IN (expressions of the row)."""

    options: list[Any]
    plain = False

    def test(self, left: Any, truth: bool) -> Any:
        operator = "$eq" if truth else "$ne"
        if not truth and any(option is None for option in self.options):
            raise EmptyResultSet
        tests = [compare(operator, left, option) for option in self.options if option is not None]
        if not tests:
            raise EmptyResultSet
        return disjunction(tests) if truth else conjunction(tests)


@dataclass
class Between(Condition):
    """low <= left <= high, bounds included; plain values."""

    low: Any
    high: Any

    def _bounds(self) -> tuple[Any, Any]:
        low, high = self.low, self.high
        return (
            max(low, INT64_MIN) if beyond_int64(low) else low,
            min(high, INT64_MAX) if beyond_int64(high) else high,
        )

    def document(self, path: str, truth: bool) -> Document:
        low, high = self._bounds()
        if truth:
            if low is None or high is None or beyond_int64(low) or beyond_int64(high):
                raise EmptyResultSet
            return {path: {"$gte": low, "$lte": high}}
        outside = [{path: {op: bound}} for op, bound in (("$lt", low), ("$gt", high)) if bound is not None]
        if beyond_int64(low) or beyond_int64(high):
            return {path: {"$ne": None}}
        if not outside:
            raise EmptyResultSet
        return outside[0] if len(outside) == 1 else {"$or": outside}

    def test(self, left: Any, truth: bool) -> Any:
        low, high = self._bounds()
        if beyond_int64(low) or beyond_int64(high):
            if truth:
                raise EmptyResultSet
            return present(left)
        return BetweenExpressions(literal(low), literal(high)).test(left, truth)


@dataclass
class BetweenExpressions(Condition):
    """low <= left <= high with expressions of the row; a NULL bound leaves only the other one to say "no"."""

    low: Any
    high: Any
    plain = False

    def test(self, left: Any, truth: bool) -> Any:
        if truth:
            return conjunction([compare("$gte", left, self.low), compare("$lte", left, self.high)])
        bounds = [("$lt", self.low), ("$gt", self.high)]
        tests = [compare(operator, left, bound) for operator, bound in bounds if bound is not None]
        if not tests:
            raise EmptyResultSet
        return disjunction(tests)


@dataclass
class IsNullCondition(Condition):
    wanted: bool

    def document(self, path: str, truth: bool) -> Document:
        return {path: {"$eq": None} if self.wanted is truth else {"$ne": None}}

    def test(self, left: Any, truth: bool) -> Any:
        if left is None or is_literal(left):
            _constant((left is None) is (self.wanted is truth))
        return {"$lte": [left, None]} if self.wanted is truth else present(left)
