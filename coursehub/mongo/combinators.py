"""UNION. INTERSECT and EXCEPT are refused by Django itself, by the features we declare."""

from typing import Any

from django.core.exceptions import EmptyResultSet

from .assembly import Assembly, unique_rows
from .dispatch import not_supported
from .ordering import sort_stages
from .plans import Plan
from .scopes import ColumnScope


def union_plan(compiler: Any, order_by: list, with_limits: bool) -> Plan:
    """Plan of a combined query. Raises EmptyResultSet when no part can have rows."""
    query = compiler.query
    if query.combinator != "union":
        raise not_supported(query.combinator)
    parts = []
    for combined in query.combined_queries:
        part = _part_compiler(compiler, combined)
        try:
            parts.append((part, part.plan(with_col_aliases=True)))
        except EmptyResultSet:
            continue
    if not parts:
        raise EmptyResultSet
    (first, plan), *others = parts
    if any(part.lets for part, _ in parts):
        compiler.lets.update(*(part.lets for part, _ in parts))
    stages = [*plan.stages, plan.projection()]
    for _, other in others:
        stages.append({"$unionWith": {**({"coll": other.table} if other.table else {}), "pipeline": _whole(other)}})
    width = len(plan.outputs)
    if not query.combinator_all:
        stages += unique_rows(width)
    compiler.scope = _scope(compiler, first, width)
    stages += sort_stages(compiler, [order for order, _ in order_by])
    if with_limits:
        stages += Assembly(compiler, [], [], []).limits()
    columns = len(compiler.select)
    return Plan(plan.table, stages, [f"$c{number}" for number in range(columns or width)])


def _whole(plan: Plan) -> list[dict]:
    return [*plan.stages, plan.projection()]


def _part_compiler(compiler: Any, combined: Any) -> Any:
    selected = compiler.query.selected
    if selected is not None and combined.selected is None:
        combined = combined.clone()
        combined.set_values(selected)
    part = combined.get_compiler(compiler.using, compiler.connection, compiler.elide_empty)
    part.parent = compiler.parent
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
