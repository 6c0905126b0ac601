"""Joins: each alias of the query is looked up into its own sub-document, `__j_<alias>`."""

from typing import Any

from django.core.exceptions import FullResultSet
from django.db.models.sql.constants import INNER, LOUTER
from django.db.models.sql.datastructures import BaseTable

from coursehub.mongo.expressions import where
from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.subqueries import aliases_of, next_variable
from coursehub.mongo.query.scopes import JOIN_PREFIX, RowScope
from coursehub.mongo.types import Pipeline

TEXT_KEYS = {"CharField", "TextField", "SlugField"}
INTEGER_KEYS = {"AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField"}
INTEGER_KEYS |= {"PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"}


class Joins:
    """The joins of one query, handed out in the order in which they are needed, each once."""

    def __init__(self, compiler: Any) -> None:
        self.compiler = compiler
        query = compiler.query
        self.waiting = [
            alias
            for alias, table in query.alias_map.items()
            if query.alias_refcount[alias] and not isinstance(table, BaseTable)
        ]

    def stages(self, aliases: set[str] | None = None) -> Pipeline:
        """Stages for these aliases and all that they hang on; for all that are left, without an argument."""
        wanted = set(self.waiting) if aliases is None else self._with_parents(aliases)
        taken = [alias for alias in self.waiting if alias in wanted]
        self.waiting = [alias for alias in self.waiting if alias not in wanted]
        return [stage for alias in taken for stage in self._join(alias)]

    def deciding(self) -> set[str]:
        """Waiting joins which can drop or multiply rows, so that they must come before LIMIT."""
        return {alias for alias in self.waiting if not self._keeps_rows(alias)}

    def _with_parents(self, aliases: set[str]) -> set[str]:
        wanted: set[str] = set()
        pending = list(aliases)
        while pending:
            alias = pending.pop()
            if alias in wanted or alias not in self.waiting:
                continue
            wanted.add(alias)
            table = self.compiler.query.alias_map[alias]
            pending.append(table.parent_alias)
            if table.filtered_relation is not None:
                pending.extend(aliases_of(table.filtered_relation.resolved_condition))
        return wanted

    def _keeps_rows(self, alias: str) -> bool:
        """One row in, one row out: the other side is unique, and nobody is left without it."""
        table = self.compiler.query.alias_map[alias]
        fields = table.join_fields or ()
        if len(fields) != 1 or not fields[0][1].unique:
            return False
        if table.join_type == LOUTER:
            return True
        local = fields[0][0]
        parent_outer = self.compiler.query.alias_map[table.parent_alias].join_type == LOUTER
        # An inner join over a mandatory foreign key: trusts that what it names exists.
        mandatory = local.remote_field is not None and not local.null and getattr(local, "db_constraint", True)
        plain = table.filtered_relation is None and not self._restriction(table)
        return mandatory and plain and not parent_outer and local.concrete

    def _restriction(self, table: Any) -> Any:
        return table.join_field.get_extra_restriction(table.table_alias, table.parent_alias)

    def _join(self, alias: str) -> Pipeline:
        table = self.compiler.query.alias_map[alias]
        if table.join_type not in (INNER, LOUTER):
            raise not_supported(f"A {table.join_type}")
        if not table.join_fields:
            raise not_supported("A join without columns")
        name = f"{JOIN_PREFIX}{alias}"
        (local, foreign), *more = table.join_fields
        before, local_path = self._local_key(table, local, foreign)
        inner = Inner(self.compiler, table)
        if foreign.null:
            # To $lookup NULL equals NULL and missing; to SQL it equals nothing.
            inner.pipeline.append({"$match": {foreign.column: {"$ne": None}}})
        for extra_local, extra_foreign in more:
            inner.equal(self._path(table, extra_local), extra_foreign.column)
        inner.restrict(self._restriction(table))
        if table.filtered_relation is not None:
            inner.restrict(table.filtered_relation.resolved_condition)
        lookup = {
            **{"from": table.table_name, "localField": local_path, "foreignField": foreign.column, "as": name},
            **({"let": inner.lets} if inner.lets else {}),
            **({"pipeline": inner.pipeline} if inner.pipeline else {}),
        }
        outer = table.join_type == LOUTER
        unwind = {"path": f"${name}", "preserveNullAndEmptyArrays": True} if outer else f"${name}"
        return [*before, {"$lookup": lookup}, {"$unwind": unwind}]

    def _path(self, table: Any, field: Any) -> str:
        if table.parent_alias == self.compiler.base_alias:
            return str(field.column)
        return f"{JOIN_PREFIX}{table.parent_alias}.{field.column}"

    def _local_key(self, table: Any, local: Any, foreign: Any) -> tuple[Pipeline, str]:
        """Stages before, and the path of the key; text and number keys meet by conversion (generic relations)."""
        path = self._path(table, local)
        kinds = [_key_kind(local), _key_kind(foreign)]
        if kinds == ["integer", "text"]:
            converted = {"$convert": {"input": f"${path}", "to": "string", "onNull": None}}
        elif kinds == ["text", "integer"]:
            converted = {"$convert": {"input": f"${path}", "to": "long", "onError": None, "onNull": None}}
        else:
            return [], path
        key = f"__k_{table.table_alias}"
        return [{"$addFields": {key: converted}}], key


def _key_kind(field: Any) -> str:
    while field.remote_field is not None and getattr(field, "target_field", None) is not None:
        field = field.target_field
    name = field.get_internal_type()
    return "text" if name in TEXT_KEYS else "integer" if name in INTEGER_KEYS else name


class Inner:
    """The pipeline inside a join's $lookup: documents of the joined table at the root, others by variables."""

    def __init__(self, compiler: Any, table: Any) -> None:
        self.compiler, self.table = compiler, table
        self.lets: dict[str, Any] = {}
        self.pipeline: Pipeline = []

    def equal(self, outer_path: str, column: str) -> None:
        variable = next_variable(self.lets)
        self.lets[variable] = f"${outer_path}"
        test = {"$and": [{"$eq": [f"${column}", f"$${variable}"]}, {"$gt": [f"${column}", None]}]}
        self.pipeline.append({"$match": {"$expr": test}})

    def restrict(self, condition: Any) -> None:
        if condition is None or not getattr(condition, "children", True):
            return
        scope = InnerScope(self.compiler, self)
        with self.compiler.within(scope):
            try:
                document = where.match(self.compiler, condition)
            except FullResultSet:
                return
        self.pipeline += [*scope.take_prelude(), {"$match": document}]


class InnerScope(RowScope):
    """Columns as seen inside the $lookup of one join."""

    def __init__(self, compiler: Any, inner: Inner) -> None:
        super().__init__(compiler)
        self.inner, self.outside = inner, compiler.scope

    def path(self, col: Any) -> str | None:
        return col.target.column if col.alias == self.inner.table.table_alias else None

    def column(self, col: Any) -> Any:
        path = self.path(col)
        if path is not None:
            return f"${path}"
        value = self.outside.column(col)
        for variable, known in self.inner.lets.items():
            if known == value:
                return f"$${variable}"
        variable = next_variable(self.inner.lets)
        self.inner.lets[variable] = value
        return f"$${variable}"
