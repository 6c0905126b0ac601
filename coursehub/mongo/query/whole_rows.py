"""The commonest SELECT: all columns of one table. What it comes to is the same each time, so it is kept.

Django works columns, converters and names out anew for each query, which takes longer than a small answer from the
server. They are kept with the model's options, for as long as these have the same fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models.fields.composite import CompositePrimaryKey
from django.db.models.options import Options

_KEPT_AS = "_whole_rows_on_mongo"


@dataclass(frozen=True)
class WholeRow:
    """Never changed by those who use it; `select` is to be copied."""

    fields: Any
    select: list[tuple[Any, ...]]
    outputs: list[str]
    converters: dict[int, tuple[Any, ...]]


def whole_row(compiler: Any) -> WholeRow | None:
    """That of the compiler's query, if it selects just this."""
    query, options = compiler.query, compiler.query.get_meta()
    if not _selects_whole_rows(query) or query.base_table != options.db_table:
        return None
    # What converts depends on the connection and on USE_TZ.
    kept, key = options.__dict__.setdefault(_KEPT_AS, {}), (compiler.connection.alias, settings.USE_TZ)
    known = kept.get(key)
    if known is None or known.fields is not options.concrete_fields:
        known = kept[key] = _worked_out(compiler, options)
    return known if known.select else None


def _selects_whole_rows(query: Any) -> bool:
    return (
        query.default_cols
        and query.selected is None
        and not query.select_related
        and not query.annotations
        and not query.extra
        and not query.combinator
        and query.deferred_loading[1]
        and not query.deferred_loading[0]
    )


def _worked_out(compiler: Any, options: Options[Any]) -> WholeRow:
    """Without columns if the model's are not all its own."""
    fields = options.concrete_fields
    table, concrete = options.db_table, options.concrete_model
    if any(
        field.model._meta.concrete_model is not concrete or isinstance(field, CompositePrimaryKey) for field in fields
    ):
        return WholeRow(fields, [], [], {})
    columns = [field.get_col(table) for field in fields]
    select = [(column, (compiler.identity(column), ()), None) for column in columns]
    return WholeRow(fields, select, [f"${field.column}" for field in fields], compiler.get_converters(columns))
