"""Expressions that stand as conditions by themselves: boolean columns, EXISTS, NOT, constants, CASE."""

import re
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models.expressions import Exists, ExpressionWrapper, NegatedExpression, Ref, Value
from django.db.models.sql.where import ExtraWhere, NothingNode

from coursehub.mongo.expressions import subqueries, where
from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.types import Document


def document(compiler: Any, node: Any, truth: bool) -> Document:
    """Match document for the rows where `node` is true (or false). Raises EmptyResultSet, FullResultSet."""
    answer: Document = _answer(compiler, node, truth, match=True)
    return answer


def test(compiler: Any, node: Any, truth: bool) -> Any:
    """The same as an aggregation expression."""
    return _answer(compiler, node, truth, match=False)


def _constant(node: ExtraWhere) -> bool:
    """What conditions like `1=0` say, which stand for "none" and "all"; anything else is refused."""
    found = [re.fullmatch(r"(\d+) *= *(\d+)", text.strip()) for text in node.sqls]
    if node.params or not all(found):
        raise not_supported("extra(where=...)", "it is SQL text")
    return all(int(match[1]) == int(match[2]) for match in found if match)


def _answer(compiler: Any, node: Any, truth: bool, match: bool) -> Any:
    translate = where.match if match else where.test
    if isinstance(node, NothingNode):
        raise EmptyResultSet if truth else FullResultSet
    if isinstance(node, ExtraWhere):
        raise FullResultSet if _constant(node) is truth else EmptyResultSet
    if isinstance(node, NegatedExpression):
        return translate(compiler, node.expression, not truth)
    if isinstance(node, ExpressionWrapper) and compiler.scope.known(node) is None:
        return translate(compiler, node.expression, truth)
    if isinstance(node, Ref) and getattr(node.source, "conditional", False) and compiler.field_path(node) is None:
        return translate(compiler, node.source, truth)
    if isinstance(node, Exists):
        exists = subqueries.exists_document if match else subqueries.exists_test
        return exists(compiler, node, truth)
    if isinstance(node, Value):
        if node.value is None:
            raise EmptyResultSet
        raise FullResultSet if bool(node.value) is truth else EmptyResultSet
    path = compiler.field_path(node) if match else None
    if path is not None:
        return {path: {"$eq": truth}}
    test = {"$eq": [compiler.operand(node), truth]}
    return {"$expr": test} if match else test
