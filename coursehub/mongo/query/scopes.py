"""What a column is called at each point of a pipeline: in rows, after $group, after $project."""

from typing import Any

from django.db import NotSupportedError
from django.db.models.expressions import Col

from coursehub.mongo.query.grouping import accumulate
from coursehub.mongo.types import Document, Pipeline

JOIN_PREFIX = "__j_"


class RowScope:
    """Documents of the base collection, joined ones beneath `__j_<alias>` (never the table's name: see self joins)."""

    def __init__(self, compiler: Any) -> None:
        self.compiler = compiler
        self.prelude: Pipeline = []  # stages that later expressions rely on, e.g. $lookup of a subquery
        self._names = 0

    @property
    def is_of_rows(self) -> bool:
        """Whether the documents are those of the base collection, as none of the derived scopes' are."""
        return type(self) is RowScope

    def path(self, col: Col) -> str | None:
        """Field path of a column of this query; None if it belongs to an outer query."""
        query = self.compiler.query
        if col.alias is None or col.alias not in query.alias_map:
            return None
        if col.alias == self.compiler.base_alias:
            return col.target.column
        return f"{JOIN_PREFIX}{col.alias}.{col.target.column}"

    def raw_path(self, alias: str, column: str) -> str:
        """Path of a column that is named in text."""
        return column if alias == self.compiler.base_alias else f"{JOIN_PREFIX}{alias}.{column}"

    def column(self, col: Col) -> Any:
        path = self.path(col)
        return self.compiler.outer_column(col) if path is None else f"${path}"

    def known(self, node: Any) -> Any:
        """The value of a whole expression if an earlier stage has computed it, else None."""
        return None

    def reference(self, ref: Any) -> Any:
        return self.compiler.expression(ref.source)

    def aggregate(self, node: Any) -> Any:
        raise NotSupportedError(f"{type(node).__name__} outside of a grouped query cannot be expressed on MongoDB.")

    def new_name(self, prefix: str) -> str:
        self._names += 1
        return f"__{prefix}{self._names}"

    def take_prelude(self) -> Pipeline:
        """Hand over the stages collected so far; the caller puts them before the stage that needs them."""
        stages, self.prelude = self.prelude, []
        return stages


class GroupScope(RowScope):
    """Documents that leave $group: keys in `_id`, accumulators beside it."""

    def __init__(self, compiler: Any, rows: RowScope, keys: dict[str, str]) -> None:
        super().__init__(compiler)
        self.rows = rows
        self.keys = keys  # identity of the grouped expression -> field of `_id`
        self.accumulators: dict[str, Document] = {}
        self._aggregates: dict[str, Any] = {}
        self._firsts: dict[str, str] = {}

    def path(self, col: Col) -> str | None:
        identity = self.compiler.identity(col)
        if identity in self.keys:
            return f"_id.{self.keys[identity]}"
        row_path = self.rows.path(col)
        if row_path is None:
            return None
        # Not a key: it depends on one (the primary key is grouped by), so any row of the group has the value.
        if row_path not in self._firsts:
            self._firsts[row_path] = name = f"f{len(self._firsts)}"
            self.accumulators[name] = {"$first": f"${row_path}"}
        return self._firsts[row_path]

    def known(self, node: Any) -> Any:
        identity = self.compiler.identity(node)
        return f"$_id.{self.keys[identity]}" if identity in self.keys else None

    def reference(self, ref: Any) -> Any:
        return self.known(ref.source) or self.compiler.expression(ref.source)

    def aggregate(self, node: Any) -> Any:
        identity = self.compiler.identity(node)
        if identity not in self._aggregates:
            with self.compiler.within(self.rows):
                self._aggregates[identity] = accumulate(self.compiler, node, self.add)
        return self._aggregates[identity]

    def add(self, accumulator: Document) -> str:
        """Note an accumulator of the $group stage; returns its field name."""
        name = f"a{len(self.accumulators)}"
        self.accumulators[name] = accumulator
        return name


class ColumnScope(RowScope):
    """Documents projected to c0, c1, ...: after DISTINCT and UNION, and around an aggregated subquery."""

    def __init__(self, compiler: Any, identities: dict[str, str], aliases: dict[str, str]) -> None:
        super().__init__(compiler)
        self.identities = identities
        self.aliases = aliases

    def path(self, col: Col) -> str | None:
        return self.identities.get(self.compiler.identity(col))

    def column(self, col: Col) -> Any:
        path = self.path(col)
        if path is None:
            if col.alias not in self.compiler.query.alias_map:
                return self.compiler.outer_column(col)
            raise NotSupportedError(f"{col.target.column} is not among the selected columns.")
        return f"${path}"

    def known(self, node: Any) -> Any:
        path = self.identities.get(self.compiler.identity(node))
        return None if path is None else f"${path}"

    def reference(self, ref: Any) -> Any:
        if ref.refs in self.aliases:
            return f"${self.aliases[ref.refs]}"
        return self.known(ref.source) or self.compiler.expression(ref.source)
