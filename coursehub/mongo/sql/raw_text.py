"""Raw SQL text, checked and made explicit before Djongo reads it.

Djongo answers some statements wrongly without an error; those are refused here, or written out so that it
gets them right: it takes a column without its table for a table, and does not know `*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import sqlparse
from django.db import NotSupportedError
from sqlparse import tokens
from sqlparse.sql import Token

_STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_ALL_COLUMNS = re.compile(r'^(\s*SELECT\s+)\*(\s+FROM\s+"?(\w+)"?)', re.IGNORECASE)
_NAMED_PARAMETER = re.compile(r"%\((\w+)\)s")
_NOTHING = Token(tokens.Whitespace, "")
_NAMES = (tokens.Name, tokens.String.Symbol)


class Statement:
    """One statement. `columns_of(table)` says what `SELECT *` means.

    Raises NotSupportedError for statements that Djongo is known to answer wrongly.
    """

    def __init__(self, sql: str, columns_of: Callable[[str], Sequence[str]]) -> None:
        sql = _ALL_COLUMNS.sub(lambda found: _with_columns(found, columns_of(found[3])), sql)
        parsed = sqlparse.parse(sql.rstrip().rstrip(";"))
        self.kind = parsed[0].get_type() if len(parsed) == 1 else "UNKNOWN"
        if self.kind not in _STATEMENTS:
            raise NotSupportedError("Raw SQL: one SELECT, INSERT, UPDATE or DELETE, nothing else.")
        self._leaves: list[Token] = list(parsed[0].flatten())
        self._words = [leaf for leaf in self._leaves if not leaf.is_whitespace]
        self._tables = list(self._table_names())
        self._refuse_wrong_answers()
        self.text = "".join(self._explicit())

    def with_positions(self, params: Sequence[Any] | Mapping[str, Any] | None) -> tuple[str, list[Any]]:
        """The text with `%s` for each parameter, and the parameters in that order."""
        if params is None:
            return self.text, []
        if not isinstance(params, Mapping):
            return self.text.replace("%%", "%"), list(params)
        values = [params[name] for name in _NAMED_PARAMETER.findall(self.text)]
        return _NAMED_PARAMETER.sub("%s", self.text).replace("%%", "%"), values

    def _table_names(self) -> Iterator[str]:
        for before, leaf in pairwise(self._words):
            if _keyword(before) in ("FROM", "INTO", "UPDATE") or "JOIN" in _keyword(before):
                yield leaf.value.strip('"')

    def _refuse_wrong_answers(self) -> None:
        if not self._tables:
            raise NotSupportedError("Raw SQL that names no table.")
        keywords = {_keyword(leaf) for leaf in self._words}
        if any("LIKE" in word or "REGEXP" in word for word in keywords):
            raise NotSupportedError(
                "Raw SQL with LIKE or REGEXP: Djongo makes patterns of the text without escaping it."
            )
        if any("JOIN" in word for word in keywords):
            if "OR" in keywords:
                raise NotSupportedError("Raw SQL with OR and a join: Djongo loses rows.")
            if len({table.lower() for table in self._tables}) < len(self._tables):
                raise NotSupportedError("Raw SQL that joins a table twice: Djongo confuses the two.")

    def _explicit(self) -> Iterator[str]:
        """The text again, with each column's table before it. INSERT names columns of one table only."""
        bare = set() if self.kind == "INSERT" else self._bare_columns()
        unordered = self._unordered()
        for leaf in self._leaves:
            if self.kind == "INSERT" and leaf.ttype in _NAMES:
                yield f'"{leaf.value.strip(chr(34))}"'  # bare, the table and its columns look like a function call
            elif id(leaf) not in bare:
                yield leaf.value.upper() if leaf.is_keyword else leaf.value
            elif len(self._tables) > 1:
                raise NotSupportedError(f"Raw SQL over several tables: name the table of column {leaf.value}.")
            else:
                yield _column(self._tables[0], leaf.value.strip('"'))
            if id(leaf) in unordered:
                yield " ASC"

    def _unordered(self) -> set[int]:
        """The last words of sort keys that name no direction, which Djongo wants to see."""
        found, sorting = set(), False
        for leaf, after in pairwise([*self._words, _NOTHING]):
            sorting = _keyword(leaf) == "ORDER BY" or (sorting and _keyword(leaf) not in ("LIMIT", "OFFSET"))
            ends = after is _NOTHING or after.value == "," or _keyword(after) in ("LIMIT", "OFFSET")
            if sorting and ends and leaf.normalized.upper() not in ("ASC", "DESC"):
                found.add(id(leaf))
        return found

    def _bare_columns(self) -> set[int]:
        """The names that stand alone: neither tables nor functions, nor aliases where they are made or used."""
        around = list(zip([_NOTHING, *self._words], self._words, [*self._words[1:], _NOTHING], strict=False))
        aliases = {leaf.value for before, leaf, _ in around if _keyword(before) == "AS"}
        return {
            id(leaf)
            for before, leaf, after in around
            if leaf.ttype in _NAMES
            and leaf.value not in aliases
            and leaf.value.strip('"') not in self._tables
            and before.value != "."
            and after.value not in (".", "(")
            and not (before.ttype in _NAMES or before.value == ")")
        }


def _with_columns(found: re.Match[str], columns: Sequence[str]) -> str:
    begin, rest, table = found.groups()
    return begin + (", ".join(_column(table, name) for name in columns) or "*") + rest


def _column(table: str, name: str) -> str:
    return f'"{table}"."{name}"'


def _keyword(token: Token) -> str:
    """The keyword or operator in capitals; empty for names, values and punctuation."""
    is_word = token.ttype in tokens.Keyword or token.ttype in tokens.Operator
    return token.normalized.upper() if is_word else ""
