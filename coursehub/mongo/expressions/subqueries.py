"""Subqueries: run beforehand where they stand alone, else looked up per row with the outer columns as variables."""

import re
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models.expressions import Col, Exists, RawSQL, Subquery
from django.db.models.sql.query import Query

from coursehub.mongo.expressions import conditions as c
from coursehub.mongo.expressions.values import literal, present
from coursehub.mongo.types import Document

# A longer list of values is not written into the command (16 MB at most) but compared row by row on the server.
LONGEST_LIST = 100_000
COLUMN_TEXT = re.compile(r'\(?\s*"?(?P<table>\w+)"?\."?(?P<column>\w+)"?\s*\)?')


def next_variable(lets: Document) -> str:
    return f"v{len(lets)}"


def aliases_of(node: Any) -> set[str]:
    """Aliases of the columns that `node` refers to; of a subquery, those of the outer query."""
    if node is None:
        return set()
    if isinstance(node, Col):
        return {node.alias}
    if isinstance(node, Query):
        found = {col.alias for col in node.get_external_cols()}
        return found.union(*(aliases_of(query) for query in node.combined_queries))
    if isinstance(node, RawSQL):
        column = COLUMN_TEXT.fullmatch(node.sql.strip())
        return {column["table"]} if column else set()
    children = node.get_source_expressions() if hasattr(node, "get_source_expressions") else ()
    return set().union(*(aliases_of(child) for child in children))


class Inner:
    """A subquery, compiled inside `outer`."""

    def __init__(self, outer: Any, node: Query | Subquery, limit: int | None = None) -> None:
        query = node if isinstance(node, Query) else node.query
        self.outer = outer
        self.compiler = query.get_compiler(connection=outer.connection, elide_empty=outer.elide_empty)
        self.compiler.parent = outer
        self.plan = self.compiler.plan()
        if limit is not None and self.plan.stages[-1:] != [{"$limit": limit}]:
            self.plan.stages.append({"$limit": limit})

    @property
    def stands_alone(self) -> bool:
        return not self.compiler.lets

    def rows(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.compiler.fetch(self.plan)
        return rows

    def looked_up(self, *more_stages: Document, lets: Document | None = None) -> str:
        """Path of the array of the subquery's rows (columns c0, c1, ...) for each row of the outer query."""
        scope = self.outer.scope
        name: str = scope.new_name("q")
        pipeline = [*self.plan.stages, self.plan.projection(), *more_stages]
        lookup = {"let": {**self.compiler.lets, **(lets or {})}, "pipeline": pipeline, "as": name}
        if self.plan.table is not None:
            lookup["from"] = self.plan.table
        scope.prelude.append({"$lookup": lookup})
        return name


def scalar(outer: Any, node: Query | Subquery) -> Any:
    """The first column of the first row; NULL without rows."""
    inner = Inner(outer, node, limit=1)
    if inner.stands_alone:
        rows = inner.rows()
        return literal(rows[0][0]) if rows else None
    return {"$ifNull": [{"$first": f"${inner.looked_up()}.c0"}, None]}


def exists_document(outer: Any, node: Exists, truth: bool) -> Document:
    """Match document: the subquery has a row (or has none). Raises EmptyResultSet, FullResultSet."""
    return {f"{_existing(outer, node, truth)}.0": {"$exists": truth}}


def exists_test(outer: Any, node: Exists, truth: bool) -> Document:
    return {"$ne" if truth else "$eq": [f"${_existing(outer, node, truth)}", []]}


def _existing(outer: Any, node: Exists, truth: bool) -> str:
    try:
        inner = Inner(outer, node, limit=1)
        if not inner.stands_alone:
            return inner.looked_up()
        holds = bool(inner.rows())
    except EmptyResultSet:
        holds = False
    raise FullResultSet if holds is truth else EmptyResultSet


def membership(outer: Any, node: Query | Subquery) -> c.Condition:
    """The condition `left IN (subquery)`."""
    try:
        inner = Inner(outer, node)
    except EmptyResultSet:
        return c.OneOf([])
    if not inner.stands_alone:
        return Member(inner)
    values = [row[0] for row in inner.rows()]
    known = list(dict.fromkeys(value for value in values if value is not None))
    has_null = len(known) < len(values) and None in values
    if len(known) > LONGEST_LIST:
        return LargeMember(inner, has_null)
    return c.OneOf(known, has_null)


class Member(c.Condition):
    """left IN (a subquery that depends on the row)."""

    plain = False

    def __init__(self, inner: Inner) -> None:
        self.rows = inner.looked_up()

    def test(self, left: Any, truth: bool) -> Any:
        values = f"${self.rows}.c0"
        found = {"$in": [left, values]}
        if truth:
            return {"$and": [present(left), found]}
        # A NULL among the values leaves it unknown whether the value is missing; no rows at all settle it.
        absent = {"$and": [present(left), {"$not": [found]}, {"$not": [{"$in": [None, values]}]}]}
        return {"$or": [{"$eq": [f"${self.rows}", []]}, absent]}


class LargeMember(c.Condition):
    """left IN (a subquery with more values than a command can hold): one indexed look per row."""

    plain = False

    def __init__(self, inner: Inner, has_null: bool) -> None:
        self.inner, self.has_null = inner, has_null

    def test(self, left: Any, truth: bool) -> Any:
        if not truth and self.has_null:
            raise EmptyResultSet
        same = {"$match": {"$expr": {"$eq": ["$c0", "$$sought"]}}}
        rows = self.inner.looked_up(same, {"$limit": 1}, lets={"sought": left})
        found = {"$ne": [f"${rows}", []]}
        return {"$and": [present(left), found if truth else {"$not": [found]}]}
