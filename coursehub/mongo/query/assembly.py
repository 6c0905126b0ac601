"""The order of the stages of one SELECT.

Conditions on the base collection alone come first (an index serves them), then the joins that conditions and ordering
need, then sort, skip and limit; joins that only the selected columns need see no more rows than are returned.
"""

from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models.expressions import ColPairs

from coursehub.mongo.expressions import where
from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.subqueries import aliases_of
from coursehub.mongo.query.grouping import empty_group
from coursehub.mongo.query.joins import Joins
from coursehub.mongo.query.ordering import sort_stages
from coursehub.mongo.query.plans import Plan
from coursehub.mongo.query.scopes import ColumnScope, GroupScope
from coursehub.mongo.types import Document, Pipeline

NOTHING = {"$match": {"$expr": {"$literal": False}}}


class Assembly:
    """Builds the plan of a set-up compiler; `extra_select, order_by, group_by` as Django's set-up gives them."""

    def __init__(self, compiler: Any, extra_select: list[Any], order_by: list[Any], group_by: list[Any]) -> None:
        self.compiler, self.query = compiler, compiler.query
        self.extra_select, self.order_by, self.group_by = extra_select, order_by, group_by
        self.joins = Joins(compiler)
        self.row_without_rows: tuple[Any, ...] | None = None

    def plan(self, with_limits: bool = True) -> Plan:
        """Raises EmptyResultSet, FullResultSet never, NotSupportedError for what has no translation."""
        if self.compiler.qualify:
            raise not_supported("A condition on a window function")
        if self.query.extra_tables:
            raise not_supported("extra(tables=...)")
        stages = self.filtered()
        if self._aggregates():
            stages += self._grouped(with_limits)
        else:
            stages += self._tail(with_limits)
        return Plan(self.compiler.base_table, stages, self.outputs, self.row_without_rows)

    def filtered(self) -> Pipeline:
        """Stages up to and including WHERE. Raises EmptyResultSet if that can match nothing (and may be elided)."""
        start: Pipeline = [] if self.compiler.base_table is not None else [{"$documents": [{}]}]
        try:
            return [*start, *self._where_stages()]
        except EmptyResultSet:
            if self.compiler.elide_empty:
                raise
            return [*start, NOTHING]

    def _where_stages(self) -> Pipeline:
        base = {self.compiler.base_alias}
        terms = where.terms(self.compiler.where)
        early: list[Document] = []
        prelude: Pipeline = []
        late: list[Document] = []
        for term in terms:
            if aliases_of(term) <= base:
                found = self._documents([term])
                stages = self.compiler.scope.take_prelude()
                prelude += stages
                (late if stages else early).extend(found)
        joined = [(term, aliases_of(term)) for term in terms]
        joined = [(term, aliases) for term, aliases in joined if not aliases <= base]
        stages = [{"$match": where.merge(early)}] if early else []
        stages += self.joins.stages(set().union(*(aliases for _, aliases in joined)))
        late += self._documents([term for term, _ in joined])
        stages += [*prelude, *self.compiler.scope.take_prelude()]
        return [*stages, {"$match": where.merge(late)}] if late else stages

    def _documents(self, terms: list[Any]) -> list[Document]:
        documents = []
        for term in terms:
            try:
                documents.append(where.match(self.compiler, term))
            except FullResultSet:
                continue
        return documents

    def _aggregates(self) -> bool:
        columns = self.compiler.select if self.compiler.whole is None else []
        selected = [expression for expression, *_ in [*columns, *self.extra_select, *self.order_by]]
        return bool(
            self.group_by
            or self.compiler.having is not None
            or any(getattr(expression, "contains_aggregate", False) for expression in selected)
        )

    def _grouped(self, with_limits: bool) -> Pipeline:
        compiler, rows = self.compiler, self.compiler.scope
        if self.query.distinct_fields:
            raise NotImplementedError("annotate() + distinct(fields) is not implemented.")
        if compiler._meta_ordering:
            self.order_by = []  # a model's default ordering does not take part in grouping
        joins = self.joins.stages()
        keys, values = {}, {}
        grouped = single_columns([(compiler.node_of(identity),) for identity, _ in self.group_by])
        for number, node in enumerate(grouped):
            keys[compiler.identity(node)] = f"g{number}"
            values[f"g{number}"] = {"$ifNull": [compiler.operand(node), None]}
        compiler.scope = group = GroupScope(compiler, rows, keys)
        # The accumulators are known only when all that follows has been translated.
        tail = self._tail(with_limits)
        if not keys and not tail and compiler.outermost and all(isinstance(output, str) for output in self.outputs):
            # The common count(): cheaper than $facet, and we know what no rows add up to.
            empty = empty_group(group.accumulators)
            self.row_without_rows = tuple(empty[output[1:]]["$literal"] for output in self.outputs)
            return [*joins, *rows.take_prelude(), {"$group": {"_id": None, **group.accumulators}}]
        if not keys:
            return [*joins, *rows.take_prelude(), *whole_group(group.accumulators), *tail]
        stage = {"$group": {"_id": values, **group.accumulators}}
        return [*joins, *rows.take_prelude(), stage, *tail]

    def _tail(self, with_limits: bool) -> Pipeline:
        """HAVING, DISTINCT, ORDER BY, LIMIT and the selected columns."""
        compiler = self.compiler
        stages = self._having()
        if self.query.distinct:
            stages += self._distinct()
        else:
            needed = set().union(*(aliases_of(order) for order, _ in self.order_by))
            stages += self.joins.stages(needed | self.joins.deciding())
        stages += sort_stages(compiler, [order for order, _ in self.order_by])
        if with_limits:
            stages += self.limits()
        stages += self.joins.stages()
        if not self.query.distinct:
            self.outputs = self._outputs()
        return [*stages, *compiler.scope.take_prelude()]

    def _outputs(self) -> list[Any]:
        if self.compiler.whole is not None and self.compiler.scope.is_of_rows:
            outputs: list[Any] = self.compiler.whole.outputs
            return outputs
        return [self.compiler.output(node) for node in single_columns(self.compiler.select)]

    def _having(self) -> Pipeline:
        if self.compiler.having is None:
            return []
        try:
            document = where.match(self.compiler, self.compiler.having)
        except FullResultSet:
            return []
        return [*self.compiler.scope.take_prelude(), {"$match": document}]

    def _distinct(self) -> Pipeline:
        if self.query.distinct_fields:
            raise not_supported("distinct() on fields")
        compiler = self.compiler
        selected = single_columns(compiler.select)
        columns = len(selected)
        selected += [node.expression for node, *_ in self.extra_select]
        joins = self.joins.stages()
        project = Plan(None, [], [compiler.output(node) for node in selected]).projection()
        stages = [*joins, *compiler.scope.take_prelude(), project, *unique_rows(len(selected))]
        identities = {compiler.identity(node): f"c{number}" for number, node in enumerate(selected)}
        compiler.scope = ColumnScope(compiler, identities, {})
        self.outputs = [f"$c{number}" for number in range(columns)]
        return stages

    def limits(self) -> Pipeline:
        low, high = self.query.low_mark, self.query.high_mark
        skip = [{"$skip": low}] if low else []
        return skip if high is None else [*skip, {"$limit": high - low}]


def single_columns(select: list[Any]) -> list[Any]:
    """The selected expressions, a composite key as its columns."""
    nodes = [node for node, *_ in select]
    return [column for node in nodes for column in (node if isinstance(node, ColPairs) else (node,))]


def unique_rows(columns: int) -> Pipeline:
    """Stages that keep one of each of the projected rows."""
    key = {f"c{number}": f"$c{number}" for number in range(columns)}
    return [{"$group": {"_id": key}}, {"$replaceRoot": {"newRoot": "$_id"}}]


def whole_group(accumulators: dict[str, Document]) -> Pipeline:
    """Stages that aggregate all rows into one: there is one even when there are none to aggregate."""
    group = {"$group": {"_id": None, **accumulators}}
    row = {"$ifNull": [{"$first": "$rows"}, empty_group(accumulators)]}
    return [{"$facet": {"rows": [group]}}, {"$replaceRoot": {"newRoot": row}}]
