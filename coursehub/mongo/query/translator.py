"""What the translating modules ask of a compiler: names, values and conditions of one query's nodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import DatabaseError
from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Col, OrderBy, Ref, Value
from django.db.models.sql.datastructures import BaseTable

# datetimes, functions, json_lookups and text_functions are imported for what they register.
from coursehub.mongo.expressions import (  # noqa: F401
    casts,
    datetimes,
    functions,
    json_lookups,
    predicates,
    subqueries,
    text_functions,
)
from coursehub.mongo.expressions.conditions import Condition
from coursehub.mongo.expressions.nodes import EXPRESSIONS
from coursehub.mongo.expressions.values import literal
from coursehub.mongo.query.scopes import RowScope
from coursehub.mongo.types import Document


class Translator:
    """What the translating modules ask of a compiler."""

    query: Any
    connection: Any
    parent: Any = None  # the compiler of the outer query, when this is a subquery

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope: RowScope = RowScope(self)
        self._base_alias: str | None = None
        self.lets: dict[str, Any] = {}  # variables of the outer query's columns, for $lookup
        self._numbers: dict[Any, int] = {}
        self._nodes: dict[str, Any] = {}

    @property
    def base_alias(self) -> str | None:
        """Alias of the collection that is read; the other aliases are joined to it."""
        if self._base_alias is None:
            tables = self.query.alias_map.items()
            bases = [alias for alias, table in tables if isinstance(table, BaseTable)]
            # A subquery that was cut off its outer part keeps tables that it no longer reads.
            used = [alias for alias in bases if self.query.alias_refcount[alias]]
            self._base_alias = next(iter(used or bases), None)
        return self._base_alias

    @property
    def base_table(self) -> str | None:
        alias = self.base_alias
        return None if alias is None else self.query.alias_map[alias].table_name

    @property
    def active_aliases(self) -> list[str]:
        return [alias for alias in self.query.alias_map if self.query.alias_refcount[alias]]

    @contextmanager
    def within(self, scope: RowScope) -> Iterator[None]:
        """Context: expressions are translated as `scope` names things."""
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def identity(self, node: Any) -> str:
        """A short text, equal for equal expressions. Django compares what it takes for SQL; we look nodes up by it."""
        if isinstance(node, Col):
            text = f"{node.alias}.{node.target.column}"
        elif isinstance(node, Ref):
            return self.identity(node.source)
        elif isinstance(node, OrderBy):
            return f"{self.identity(node.expression)} {'DESC' if node.descending else 'ASC'}"
        else:
            key = (type(node.value), node) if isinstance(node, Value) else node
            text = f"n{self._numbers.setdefault(key, len(self._numbers))}"
        self._nodes.setdefault(text, node)
        return text

    def node_of(self, identity: str) -> Any:
        return self._nodes[identity]

    def expression(self, node: Any) -> Any:
        """Aggregation expression of a resolved expression. Raises NotSupportedError naming what has none."""
        if isinstance(node, Col):
            return EXPRESSIONS.find(node)(self, node)
        known = self.scope.known(node)
        return EXPRESSIONS.find(node)(self, node) if known is None else known

    def operand(self, node: Any) -> Any:
        """`expression`, with a condition that cannot (or must) hold as the constant that SQL makes of it."""
        try:
            return self.expression(node)
        except EmptyResultSet:
            empty = getattr(node, "empty_result_set_value", NotImplemented)
            if empty is NotImplemented:
                raise
            return literal(empty)
        except FullResultSet:
            return literal(True)

    def output(self, node: Any) -> Any:
        """`operand` for a selected column: a condition that cannot hold is false there."""
        try:
            return self.operand(node)
        except EmptyResultSet:
            return literal(False)

    def field_path(self, node: Any) -> str | None:
        """Path of the document field that holds the value of `node`; None if it has to be computed."""
        if isinstance(node, Col):
            return self.scope.path(node)
        if isinstance(node, Ref | Aggregate) or not self.scope.is_of_rows:
            value = self.scope.known(node) or (self.operand(node) if isinstance(node, Ref | Aggregate) else None)
            return value[1:] if isinstance(value, str) and not value.startswith("$$") else None
        return None

    def as_text(self, operand: Any, node: Any) -> Any:
        return casts.as_text(operand, node)

    def outer_column(self, col: Col) -> str:
        """Variable for a column of an outer query."""
        if self.parent is None:
            raise DatabaseError(f"{col!r} belongs to no table of this query.")
        value = self.parent.expression(col)
        for variable, known in self.lets.items():
            if known == value:
                return f"$${variable}"
        variable = self._free_variable()
        self.lets[variable] = value
        return f"$${variable}"

    def _free_variable(self) -> str:
        depth, outer = 0, self.parent
        while outer is not None:
            depth, outer = depth + 1, outer.parent
        return f"d{depth}{subqueries.next_variable(self.lets)}"

    def scalar_subquery(self, node: Any) -> Any:
        return subqueries.scalar(self, node)

    def membership(self, node: Any) -> Condition:
        return subqueries.membership(self, node)

    def conditional_document(self, node: Any, truth: bool) -> Document:
        return predicates.document(self, node, truth)

    def conditional_test(self, node: Any, truth: bool) -> Any:
        return predicates.test(self, node, truth)
