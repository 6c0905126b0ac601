"""Lookups (`field__lookup=value`): which condition each one states about its left side."""

from typing import Any, NoReturn

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import JSONField
from django.db.models import expressions as e
from django.db.models import lookups as l
from django.db.models.fields import related_lookups as r
from django.db.models.sql.query import Query
from djongo.models import fields as djongo_fields

from coursehub.mongo.expressions import conditions as c
from coursehub.mongo.expressions.dispatch import Registry, not_supported
from coursehub.mongo.expressions.patterns import Pattern, Search, escaped
from coursehub.mongo.types import Document

CONDITIONS = Registry()
condition_for = CONDITIONS.register
# Documents and arrays: equality and order of nested values are not those of SQL.
NESTED = (JSONField, djongo_fields.MongoField, djongo_fields.ArrayReferenceField)
# Stored as text, so that a match document may search in them; everything else is turned into text first.
TEXT_TYPES = {"CharField", "TextField", "SlugField", "UUIDField", "FileField", "FilePathField", "GenericIPAddressField"}


def document(compiler: Any, lookup: l.Lookup, truth: bool) -> Document:
    """Match document; falls back to `$expr` where the left side is not a plain field."""
    left, condition = _condition(compiler, lookup)
    nested = _is_nested(left)  # a match document would also look inside
    path = compiler.field_path(left) if condition.plain and not nested else None
    if path is None or (isinstance(condition, Pattern) and not _is_text(left)):
        return {"$expr": _tested(compiler, left, condition, truth)}
    return condition.document(path, truth)


def test(compiler: Any, lookup: l.Lookup, truth: bool) -> Any:
    """Aggregation expression that is true where the lookup is true (or false)."""
    left, condition = _condition(compiler, lookup)
    return _tested(compiler, left, condition, truth)


def _tested(compiler: Any, left: Any, condition: c.Condition, truth: bool) -> Any:
    value = compiler.operand(left)
    if isinstance(condition, Pattern | Search) and not _is_text(left):
        value = compiler.as_text(value, left)
    return condition.test(value, truth)


def _condition(compiler: Any, lookup: l.Lookup) -> tuple[Any, c.Condition]:
    found = CONDITIONS.find(lookup)(compiler, lookup)
    if _is_nested(lookup.lhs) and not isinstance(found, c.IsNullCondition | tuple):
        raise not_supported(lookup, f"its left side is a {internal_type(lookup.lhs)}")
    return found if isinstance(found, tuple) else (lookup.lhs, found)


def _is_nested(node: Any) -> bool:
    return isinstance(getattr(node, "_output_field_or_none", None), NESTED)


def _is_text(node: Any) -> bool:
    return internal_type(node) in TEXT_TYPES


def internal_type(node: Any) -> str:
    """Type name of the values of `node`, '' when there is none."""
    return field_type(getattr(node, "_output_field_or_none", None))


def field_type(field: Any) -> str:
    """Type name of a field; that of the target for a foreign key."""
    while getattr(field, "target_field", None) is not None:
        field = field.target_field
    return field.get_internal_type() if field is not None else ""


def _right(compiler: Any, lookup: l.Lookup) -> Any:
    """The right side as a node when it is (or must become) an expression, else None."""
    if lookup.bilateral_transforms:
        value = lookup.rhs
        if lookup.rhs_is_direct_value():
            value = e.Value(value, output_field=lookup.lhs.output_field)
        return lookup.apply_bilateral_transforms(value).resolve_expression(compiler.query)
    return None if lookup.rhs_is_direct_value() else lookup.rhs


def _stored(compiler: Any, lookup: l.Lookup, value: Any) -> Any:
    return lookup.get_db_prep_lookup(value, compiler.connection)[1]


OPERATORS = {l.Exact: "$eq", l.GreaterThan: "$gt", l.GreaterThanOrEqual: "$gte", l.LessThan: "$lt"}
OPERATORS[l.LessThanOrEqual] = "$lte"


def _operator(lookup: l.Lookup) -> str:
    return next(OPERATORS[cls] for cls in type(lookup).__mro__ if cls in OPERATORS)


@condition_for(*OPERATORS)
@condition_for(r.RelatedExact, r.RelatedLessThan, r.RelatedGreaterThan)
@condition_for(r.RelatedGreaterThanOrEqual, r.RelatedLessThanOrEqual)
def comparison(compiler: Any, lookup: Any) -> Any:
    right = _right(compiler, lookup)
    if right is None:
        return c.Compare(_operator(lookup), _stored(compiler, lookup, lookup.rhs)[0])
    if isinstance(right, e.ColPairs):
        raise ValueError("CompositePrimaryKey cannot be used as a lookup value.")
    return c.CompareExpression(_operator(lookup), compiler.operand(right))


@condition_for(l.IntegerFieldExact, l.IntegerGreaterThan, l.IntegerGreaterThanOrEqual)
@condition_for(l.IntegerLessThan, l.IntegerLessThanOrEqual)
def integer_comparison(compiler: Any, lookup: Any) -> Any:
    if isinstance(lookup.rhs, int):
        name = lookup.lhs.output_field.get_internal_type()
        smallest, largest = compiler.connection.ops.integer_field_range(name)
        if smallest is not None and lookup.rhs < smallest:
            return Always(lookup.underflow_exception is FullResultSet)
        if largest is not None and lookup.rhs > largest:
            return Always(lookup.overflow_exception is FullResultSet)
    return comparison(compiler, lookup)


class Always(c.Condition):
    """The same answer for every row, as Django has it for numbers outside a field's range."""

    def __init__(self, holds: bool) -> None:
        self.holds = holds

    def document(self, path: str, truth: bool) -> NoReturn:
        self.test(path, truth)

    def test(self, left: Any, truth: bool) -> NoReturn:
        raise FullResultSet if self.holds is truth else EmptyResultSet


@condition_for(l.YearExact, l.YearGt, l.YearGte, l.YearLt, l.YearLte)
def year(compiler: Any, lookup: Any) -> Any:
    """A year is a range of dates, which an index can serve."""
    if not lookup.rhs_is_direct_value():
        return comparison(compiler, lookup)
    start, finish = lookup.year_lookup_bounds(compiler.connection, lookup.rhs)
    if isinstance(lookup, l.YearExact):
        return lookup.lhs.lhs, c.Between(start, finish)
    bound = finish if isinstance(lookup, l.YearGt | l.YearLte) else start
    return lookup.lhs.lhs, c.Compare(_operator(lookup), bound)


@condition_for(l.In, r.RelatedIn)
def one_of(compiler: Any, lookup: Any) -> Any:
    database = getattr(lookup.rhs, "_db", None)
    if database is not None and database != compiler.connection.alias:
        raise ValueError(
            "Subqueries aren't allowed across different databases. Force the inner query to be evaluated using "
            "`list(inner_query)`."
        )
    if isinstance(lookup.rhs, Query | e.Subquery):
        return compiler.membership(lookup.rhs)
    if isinstance(lookup.rhs, e.ExpressionList):
        return c.OneOfExpressions(_each(compiler, lookup, lookup.rhs.get_source_expressions()))
    if not lookup.rhs_is_direct_value():
        raise not_supported(lookup, "its right side is neither a list nor a subquery")
    values = [value for value in lookup.rhs if value is not None]
    if lookup.bilateral_transforms:
        return c.OneOfExpressions(_each(compiler, lookup, values)) if values else Always(False)
    return c.OneOf(_stored(compiler, lookup, values)) if values else Always(False)


def _each(compiler: Any, lookup: Any, items: list[Any]) -> list[Any]:
    nodes = []
    for item in items:
        node = item if hasattr(item, "resolve_expression") else e.Value(item, output_field=lookup.lhs.output_field)
        if lookup.bilateral_transforms:
            node = lookup.apply_bilateral_transforms(node)
        nodes.append(compiler.operand(node.resolve_expression(compiler.query)))
    return nodes


@condition_for(l.Range)
def between(compiler: Any, lookup: Any) -> Any:
    if lookup.rhs_is_direct_value() and not lookup.bilateral_transforms:
        return c.Between(*_stored(compiler, lookup, lookup.rhs))
    items = lookup.rhs if lookup.rhs_is_direct_value() else lookup.rhs.get_source_expressions()
    return c.BetweenExpressions(*_each(compiler, lookup, items))


@condition_for(l.IsNull, r.RelatedIsNull)
def is_null(compiler: Any, lookup: Any) -> Any:
    if not isinstance(lookup.rhs, bool):
        raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
    return c.IsNullCondition(lookup.rhs)


SHAPES = {"contains": "{}", "startswith": "^{}", "endswith": r"{}\z", "exact": r"^{}\z"}


@condition_for(l.Contains, l.IContains, l.StartsWith, l.IStartsWith, l.EndsWith, l.IEndsWith, l.IExact)
def text_search(compiler: Any, lookup: Any) -> Any:
    right = _right(compiler, lookup)
    name = lookup.lookup_name
    if right is not None:
        return Search(name, compiler.as_text(compiler.operand(right), right))
    return _search(name, _stored(compiler, lookup, lookup.rhs)[0])


def _search(name: str, value: Any) -> Any:
    if value is None:
        return c.Compare("$eq", None)
    shape = SHAPES[name.removeprefix("i")]
    return Pattern(shape.format(escaped(str(value))), ignore_case=name.startswith("i"))


@condition_for(l.UUIDContains, l.UUIDIContains, l.UUIDStartsWith, l.UUIDIStartsWith)
@condition_for(l.UUIDEndsWith, l.UUIDIEndsWith, l.UUIDIExact)
def uuid_search(compiler: Any, lookup: Any) -> Any:
    """UUIDs are stored as 32 hex digits: hyphens in the search text mean nothing."""
    if not lookup.rhs_is_direct_value() or lookup.bilateral_transforms:
        raise not_supported(lookup, "a UUID is searched for by plain text only")
    return _search(lookup.lookup_name, None if lookup.rhs is None else str(lookup.rhs).replace("-", ""))


@condition_for(l.Regex, l.IRegex)
def regex(compiler: Any, lookup: Any) -> Any:
    if _right(compiler, lookup) is not None:
        raise not_supported(lookup, "the pattern must be plain text")
    pattern = str(lookup.rhs).replace("\0", r"\x00")
    return Pattern(pattern, ignore_case=isinstance(lookup, l.IRegex))
