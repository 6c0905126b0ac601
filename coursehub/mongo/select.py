"""SELECT: Django sets the query up, `assembly` orders the stages, and the rows are read here."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models.aggregates import Aggregate
from django.db.models.expressions import Col, OrderBy, Ref, Value
from django.db.models.sql import compiler as django_compiler
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE, MULTI, SINGLE
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.query import Query

from . import casts, combinators, datetimes, functions, predicates, subqueries, text_functions, where  # noqa: F401
from .assembly import Assembly, whole_group
from .conditions import Condition
from .errors import translated
from .execution import documents, explained
from .expressions import EXPRESSIONS
from .plans import Plan
from .scopes import ColumnScope, GroupScope, RowScope
from .values import literal


class Translator:
    """What the translating modules ask of a compiler."""

    query: Any
    connection: Any
    parent: Any = None  # the compiler of the outer query, when this is a subquery

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope: RowScope = RowScope(self)
        self.lets: dict[str, Any] = {}  # variables of the outer query's columns, for $lookup
        self._numbers: dict[Any, int] = {}
        self._nodes: dict[str, Any] = {}

    @property
    def base_alias(self) -> str | None:
        """Alias of the collection that is read; the other aliases are joined to it."""
        tables = self.query.alias_map.items()
        bases = [alias for alias, table in tables if isinstance(table, BaseTable)]
        # A subquery that was cut off its outer part keeps tables that it no longer reads.
        return next((alias for alias in bases if self.query.alias_refcount[alias]), bases[0] if bases else None)

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
        if isinstance(node, Ref | Aggregate) or type(self.scope) is not RowScope:
            value = self.scope.known(node) or (self.operand(node) if isinstance(node, Ref | Aggregate) else None)
            return value[1:] if isinstance(value, str) and not value.startswith("$$") else None
        return None

    def as_text(self, operand: Any, node: Any) -> Any:
        return casts.as_text(operand, node)

    def outer_column(self, col: Col) -> str:
        """Variable for a column of an outer query."""
        if self.parent is None:
            raise django_compiler.DatabaseError(f"{col!r} belongs to no table of this query.")
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

    def conditional_document(self, node: Any, truth: bool) -> dict:
        return predicates.document(self, node, truth)

    def conditional_test(self, node: Any, truth: bool) -> Any:
        return predicates.test(self, node, truth)


class SQLCompiler(Translator, django_compiler.SQLCompiler):
    """Django's compiler with its set-up kept and its SQL replaced; `as_sql()` remains, for printing a query."""

    _printing = False
    _naming = False

    def compile(self, node: Any) -> tuple[str, Any]:
        return (self.identity(node), ()) if self._naming else super().compile(node)

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        self._printing = True
        try:
            return super().as_sql(*args, **kwargs)
        finally:
            self._printing = False

    def pre_sql_setup(self, with_col_aliases: bool = False) -> tuple[list, list, list]:
        self._naming = not self._printing
        try:
            return super().pre_sql_setup(with_col_aliases=with_col_aliases)
        finally:
            self._naming = False

    def plan(self, with_limits: bool = True, with_col_aliases: bool = False) -> Plan:
        """The compiled query. Raises EmptyResultSet if it can have no rows, NotSupportedError if it cannot be told."""
        refcounts_before = self.query.alias_refcount.copy()
        try:
            combined = bool(self.query.combinator)
            extra_select, order_by, group_by = self.pre_sql_setup(with_col_aliases or combined)
            orders = [(order, is_ref) for order, (_, _, is_ref) in order_by]
            if combined:
                return combinators.union_plan(self, orders, with_limits)
            return Assembly(self, extra_select, orders, group_by).plan(with_limits)
        finally:
            self.query.reset_refcounts(refcounts_before)

    def execute_sql(
        self, result_type: str = MULTI, chunked_fetch: bool = False, chunk_size: int = GET_ITERATOR_CHUNK_SIZE
    ) -> Any:
        """MULTI: chunks of rows; SINGLE: a row or None."""
        try:
            plan = self.plan()
        except EmptyResultSet:
            return iter([]) if result_type == MULTI else None
        if self.query.explain_info:
            return [[(line,) for line in explained(self, plan)]]
        if result_type == MULTI and chunked_fetch and self.connection.features.can_use_chunked_reads:
            return self._chunks(plan, chunk_size)
        rows = self.fetch(plan, log=True)
        if result_type == SINGLE:
            return rows[0] if rows else None
        return [rows] if rows else []

    def fetch(self, plan: Plan, log: bool = False) -> list[tuple]:
        """All rows of a plan."""
        with documents(self.connection, plan, log=log) as (cursor, read), translated():
            return [read(document) for document in cursor]

    def _chunks(self, plan: Plan, chunk_size: int) -> Iterator[list[tuple]]:
        """Rows as they come from the server; the cursor is closed when the reader stops, too."""
        with documents(self.connection, plan, log=True, batch_size=chunk_size) as (cursor, read), translated():
            while chunk := [read(document) for document in islice(cursor, chunk_size)]:
                yield chunk

    # --- For the compilers that write ------------------------------------------------------------

    def match_or_none(self) -> dict | None:
        """The WHERE as a filter on the base collection alone; None if it needs other stages.

        To be called after set-up. Raises EmptyResultSet if it can match nothing.
        """
        stages = self.row_pipeline()
        if not stages:
            return {}
        return stages[0]["$match"] if len(stages) == 1 and "$match" in stages[0] else None

    def row_pipeline(self) -> list[dict]:
        """Stages up to and including WHERE; the fields of the base collection stay at the root."""
        if getattr(self, "where", None) is None:
            self.where = self.query.where
        if self.query.where.contains_aggregate:
            return [{"$match": {self.query.get_meta().pk.column: {"$in": self._keys()}}}]
        assembly = Assembly(self, [], [], [])
        stages = assembly.filtered()
        return [*stages, *assembly.joins.stages(assembly.joins.deciding())]

    def _keys(self) -> list:
        """Primary keys of the rows of a query whose conditions need grouping."""
        query = self.query.chain(klass=Query)
        query.clear_select_clause()
        query.clear_ordering(force=True)
        key = query.get_meta().pk.get_col(query.get_initial_alias())
        query.select, query.group_by = (key,), query.group_by or (key,)
        compiler = query.get_compiler(self.using, self.connection)
        return [row[0] for row in compiler.fetch(compiler.plan())]


class SQLAggregateCompiler(SQLCompiler):
    """Aggregates over the rows of another query."""

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        return django_compiler.SQLAggregateCompiler.as_sql(self)

    def plan(self, with_limits: bool = True, with_col_aliases: bool = False) -> Plan:
        inner = self.query.inner_query.get_compiler(self.using, self.connection, elide_empty=self.elide_empty)
        inner.parent = self.parent
        plan = inner.plan(with_col_aliases=True)
        aliases = {alias: f"c{number}" for number, (*_, alias) in enumerate(inner.select) if alias}
        rows = ColumnScope(self, {}, aliases)
        self.scope = group = GroupScope(self, rows, {})
        annotations = list(self.query.annotation_select.values())
        outputs = [self.output(annotation) for annotation in annotations]
        self.col_count = len(annotations)
        stage = whole_group(group.accumulators)
        return Plan(plan.table, [*plan.stages, plan.projection(), *rows.take_prelude(), *stage], outputs)
