"""UNION. INTERSECT and EXCEPT are refused by Django itself, by the features we declare."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, NotSupportedError

from coursehub.mongo.query.assembly import Assembly, unique_rows
from coursehub.mongo.query.ordering import sort_stages
from coursehub.mongo.query.plans import Plan
from coursehub.mongo.query.scopes import ColumnScope
from coursehub.mongo.types import Pipeline

ALWAYS_FILLED = "__schema__"  # Djongo's table of tables: never empty once a migration has run


def union_plan(compiler: Any, order_by: list[Any], with_limits: bool) -> Plan:
    """Plan of a combined query. Raises EmptyResultSet when no part can have rows."""
    query = compiler.query
    if query.combinator != "union":
        raise NotSupportedError(f"{query.combinator} is not supported on this database backend.")
    parts = []
    for combined in query.combined_queries:
        part = _part_compiler(compiler, combined)
        if not compiler.connection.features.supports_slicing_ordering_in_compound:
            _refuse_order_and_slice(part)
        try:
            parts.append((part, part.plan(with_col_aliases=True)))
        except EmptyResultSet:
            continue
    if not parts:
        raise EmptyResultSet
    (first, plan), *_ = parts
    combine = _one_after_another if compiler.connection.open_session() is None else _side_by_side
    table, stages = combine([part_plan for _, part_plan in parts])
    width = len(plan.outputs)
    if not query.combinator_all:
        stages += unique_rows(width)
    compiler.scope = _scope(compiler, first, width)
    stages += sort_stages(compiler, [order for order, _ in order_by])
    if with_limits:
        stages += Assembly(compiler, [], [], []).limits()
    columns = len(compiler.select)
    return Plan(table, stages, [f"$c{number}" for number in range(columns or width)])


def _one_after_another(plans: list[Plan]) -> tuple[str | None, Pipeline]:
    first, *others = plans
    stages = [*first.stages, first.projection()]
    for other in others:
        source = {"coll": other.table} if other.table else {}
        stages.append({"$unionWith": {**source, "pipeline": [*other.stages, other.projection()]}})
    return first.table, stages


def _side_by_side(plans: list[Plan]) -> tuple[str, Pipeline]:
    """Inside a transaction, where the server refuses $unionWith: each part is looked up from one known document.

    All rows together must then fit into one document (16 MB); the server says so if they do not.
    """
    stages: Pipeline = [{"$limit": 1}]
    for number, plan in enumerate(plans):
        source = {"from": plan.table} if plan.table else {}
        pipeline = [*plan.stages, plan.projection()]
        stages.append({"$lookup": {**source, "pipeline": pipeline, "as": f"part{number}"}})
    rows = {"$concatArrays": [f"$part{number}" for number in range(len(plans))]}
    return ALWAYS_FILLED, [
        *stages,
        {"$project": {"rows": rows}},
        {"$unwind": "$rows"},
        {"$replaceRoot": {"newRoot": "$rows"}},
    ]


def _refuse_order_and_slice(part: Any) -> None:
    if part.query.is_sliced:
        raise DatabaseError("LIMIT/OFFSET not allowed in subqueries of compound statements.")
    if part.query.order_by:
        raise DatabaseError("ORDER BY not allowed in subqueries of compound statements.")


def _part_compiler(compiler: Any, combined: Any) -> Any:
    selected = compiler.query.selected
    if selected is not None and combined.selected is None:
        combined = combined.clone()
        combined.set_values(selected)
    part = combined.get_compiler(compiler.using, compiler.connection, compiler.elide_empty)
    part.parent = compiler.parent
    part.lets = compiler.lets  # one numbering for the outer columns of all parts
    return part


def _scope(compiler: Any, first: Any, width: int) -> ColumnScope:
    """Columns by alias, by the column's own name and by position, all of the first part."""
    aliases: dict[str, str] = {}
    identities: dict[str, str] = {}
    for number, (node, _, alias) in enumerate(first.select[:width]):
        name = f"c{number}"
        if alias:
            aliases.setdefault(alias, name)
        target = getattr(node, "target", None)
        if target is not None:
            aliases.setdefault(target.column, name)
            aliases.setdefault(target.name, name)
    for number, (_, (identity, _), alias) in enumerate(compiler.select or ()):
        identities.setdefault(identity, f"c{number}")
        if alias:
            aliases[alias] = f"c{number}"
    return ColumnScope(compiler, identities, aliases)
