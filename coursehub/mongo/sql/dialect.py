"""The tree of SQL tokens that Djongo's translator was written for, from a current sqlparse.

Djongo was written for sqlparse 0.2.4. Newer ones make one token of ORDER BY and GROUP BY, and group the rows
of VALUES; both are taken apart again here (and Djongo wants VALUES before each row). sqlparse itself is left
as it is for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlparse
from djongo.sql2mongo import converters, query, sql_tokens
from sqlparse import tokens
from sqlparse.sql import Statement, Token, TokenList, Values

_TWO_WORDS = frozenset({"ORDER BY", "GROUP BY"})


def parse(sql: str) -> tuple[Statement, ...]:
    """The statements of `sql`. Raises sqlparse's SQLParseError for text that nests too deeply."""
    statements = sqlparse.parse(sql)
    for statement in statements:
        _reshape(statement)
    return statements


def install() -> None:
    """Djongo's three modules that parse SQL use this `parse` from now on; no other code is touched."""
    for module in (query, converters, sql_tokens):
        module.sqlparse = parse


def _reshape(group: TokenList) -> None:
    group.tokens = list(_as_in_old_times(group))
    for token in group.tokens:
        token.parent = group
        if token.is_group:
            _reshape(token)


def _as_in_old_times(group: TokenList) -> Iterator[Token]:
    for token in group.tokens:
        if isinstance(token, Values):
            yield from (Token(tokens.Keyword, "VALUES") if row.value == "," else row for row in token.tokens)
        elif token.ttype is tokens.Keyword and token.normalized in _TWO_WORDS:
            first, *between, last = token.value.split(" ")
            yield Token(tokens.Keyword, first)
            yield Token(tokens.Whitespace, " " * (len(between) + 1))
            yield Token(tokens.Keyword, last)
        else:
            yield token
