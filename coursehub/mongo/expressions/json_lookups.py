"""Conditions on what is inside a JSONField: whether a key is there, and whether a scalar equals a value.

Selecting, ordering and comparing keys in any other way is not supported: BSON's order and equality of nested
values are not those of JSON.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Value
from django.db.models.fields import json as j

from coursehub.mongo.expressions import conditions as c
from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.lookups import condition_for
from coursehub.mongo.expressions.values import conjunction, disjunction, literal
from coursehub.mongo.types import Document

MISSING = "$$REMOVE"


@dataclass
class HasPaths(c.Condition):
    """All (or any) of the paths lead to something, be it JSON's null; false where the column is NULL."""

    paths: list[list[str | int]]
    any_suffices: bool = False

    def test(self, left: Any, truth: bool) -> Any:
        tests = [{"$ne": [{"$type": inside(left, path)}, "missing"]} for path in self.paths]
        found = disjunction(tests) if self.any_suffices else conjunction(tests)
        return found if truth else {"$not": [found]}


@dataclass
class PathEquals(c.Condition):
    """What the path leads to equals `value`; neither true nor false where it leads nowhere."""

    path: list[str | int]
    value: Any

    def test(self, left: Any, truth: bool) -> Any:
        found = inside(left, self.path)
        if truth:
            return {"$eq": [found, literal(self.value)]}
        there = {"$ne": [{"$type": found}, "missing"]}
        return conjunction([there, {"$ne": [found, literal(self.value)]}])


def inside(document: Any, path: list[str | int]) -> Any:
    """What `path` leads to: texts are keys of objects, numbers positions in arrays; missing if there is nothing."""
    fits: Document
    value: Document
    for step in path:
        if isinstance(step, int):
            fits, value = {"$isArray": "$$outer"}, {"$arrayElemAt": ["$$outer", step]}
        else:
            fits = {"$eq": [{"$type": "$$outer"}, "object"]}
            value = {"$getField": {"field": literal(step), "input": "$$outer"}}
        document = {"$let": {"vars": {"outer": document}, "in": {"$cond": [fits, value, MISSING]}}}
    return document


def _taken_apart(node: Any) -> tuple[Any, list[str | int]]:
    """The JSON column (or expression) and the path into it."""
    path: list[str | int] = []
    while isinstance(node, j.KeyTransform):
        path.insert(0, _step(node))
        node = node.lhs
    return node, path


def _step(transform: Any) -> str | int:
    try:
        position = int(transform.key_name)
    except ValueError:
        return str(transform.key_name)
    if position < 0:
        raise not_supported(transform, "a position from the end of an array")
    return position


@condition_for(j.HasKey, j.HasKeys, j.HasAnyKeys)
def has_keys(compiler: Any, lookup: Any) -> tuple[Any, c.Condition]:
    keys = lookup.rhs if isinstance(lookup.rhs, list | tuple) else [lookup.rhs]
    if not keys or not all(isinstance(key, str) for key in keys):
        raise not_supported(lookup, "its right side must be texts")
    column, path = _taken_apart(lookup.lhs)
    return column, HasPaths([[*path, key] for key in keys], isinstance(lookup, j.HasAnyKeys))


@condition_for(j.KeyTransformIsNull)
def key_is_missing(compiler: Any, lookup: Any) -> tuple[Any, c.Condition]:
    column, path = _taken_apart(lookup.lhs)
    found = HasPaths([path])
    return column, (Negated(found) if lookup.rhs else found)


@dataclass
class Negated(c.Condition):
    """The opposite of a condition that is never unknown."""

    condition: c.Condition

    def test(self, left: Any, truth: bool) -> Any:
        return self.condition.test(left, not truth)


@condition_for(j.KeyTransformExact)
def key_equals(compiler: Any, lookup: Any) -> tuple[Any, c.Condition]:
    value = lookup.rhs.value if isinstance(lookup.rhs, Value) else lookup.rhs
    if lookup.bilateral_transforms or hasattr(value, "resolve_expression"):
        raise not_supported(lookup, "its right side must be a plain value")
    column, path = _taken_apart(lookup.lhs)
    stored = lookup.lhs.output_field.get_db_prep_value(value, compiler.connection)
    if _holds_object(stored):
        raise not_supported(lookup, "BSON tells objects apart by the order of their keys")
    return column, PathEquals(path, stored)


def _holds_object(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_object, value)))
