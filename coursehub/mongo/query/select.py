"""SELECT: Django sets the query up, `assembly` orders the stages, and the rows are read here."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models.sql import compiler as django_compiler
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE, MULTI, SINGLE
from django.db.models.sql.query import Query

from coursehub.mongo.errors import translated
from coursehub.mongo.query import combinators
from coursehub.mongo.query.assembly import Assembly, whole_group
from coursehub.mongo.query.execution import all_rows, documents, explained
from coursehub.mongo.query.plans import Plan
from coursehub.mongo.query.scopes import ColumnScope, GroupScope
from coursehub.mongo.query.translator import Translator
from coursehub.mongo.query.whole_rows import WholeRow, whole_row
from coursehub.mongo.types import Document, Pipeline


class SQLCompiler(Translator, django_compiler.SQLCompiler):
    """Django's compiler with its set-up kept and its SQL replaced; `as_sql()` remains, for printing a query."""

    outermost = False  # its rows go to the caller, not into another pipeline
    whole: WholeRow | None = None  # set when the query selects all columns of one table, and no more
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

    def pre_sql_setup(self, with_col_aliases: bool = False) -> tuple[list[Any], list[Any], list[Any]]:
        self._naming = not self._printing
        try:
            return super().pre_sql_setup(with_col_aliases=with_col_aliases)
        finally:
            self._naming = False
            self._base_alias = None

    def get_select(self, with_col_aliases: bool = False) -> tuple[list[Any], dict[str, Any] | None, dict[str, int]]:
        self.whole = None
        if not self._printing and not with_col_aliases:
            self.whole = whole_row(self)
        if self.whole is None:
            return super().get_select(with_col_aliases=with_col_aliases)
        positions = list(range(len(self.whole.select)))
        return list(self.whole.select), {"model": self.query.model, "select_fields": positions}, {}

    def get_converters(self, expressions: Iterable[Any]) -> dict[int, tuple[Any, ...]]:
        return super().get_converters(expressions) if self.whole is None else self.whole.converters

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
        self.outermost = True
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

    def fetch(self, plan: Plan, log: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a plan."""
        rows = all_rows(self.connection, plan, log=log)
        return rows or ([] if plan.row_without_rows is None else [plan.row_without_rows])

    def _chunks(self, plan: Plan, chunk_size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Rows as they come from the server; the cursor is closed when the reader stops, too."""
        with documents(self.connection, plan, chunk_size) as (cursor, read), translated():
            while chunk := [read(document) for document in islice(cursor, chunk_size)]:
                yield chunk

    # --- For the compilers that write ------------------------------------------------------------

    def match_or_none(self) -> Document | None:
        """The WHERE as a filter on the base collection alone; None if it needs other stages.

        Raises EmptyResultSet if it can match nothing.
        """
        stages = self.row_pipeline()
        if not stages:
            return {}
        return stages[0]["$match"] if len(stages) == 1 and "$match" in stages[0] else None

    def row_pipeline(self) -> Pipeline:
        """Stages up to and including WHERE; the fields of the base collection stay at the root."""
        self.where = self.query.where  # an UPDATE over several tables has replaced it since the set-up
        self._base_alias = None
        if self.query.where.contains_aggregate:
            return [{"$match": {self.query.get_meta().pk.column: {"$in": self._keys()}}}]
        assembly = Assembly(self, [], [], [])
        stages = assembly.filtered()
        return [*stages, *assembly.joins.stages(assembly.joins.deciding())]

    def _keys(self) -> list[Any]:
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
