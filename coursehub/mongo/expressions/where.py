"""WHERE and HAVING: from Django's tree of conditions to match documents and `$expr` tests."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models.expressions import Col, Exists, NegatedExpression
from django.db.models.lookups import Exact, IsNull, Lookup
from django.db.models.sql.where import AND, XOR, WhereNode

from coursehub.mongo.expressions import lookups, tuples
from coursehub.mongo.expressions.tuples import is_tuple_lookup
from coursehub.mongo.expressions.values import conjunction, disjunction
from coursehub.mongo.types import Document

Translation = TypeVar("Translation")


def match(compiler: Any, node: Any, truth: bool = True) -> Document:
    """Match document for the rows where `node` is true (or false). Raises EmptyResultSet, FullResultSet."""
    if isinstance(node, WhereNode):
        if node.connector == XOR and len(node.children) > 1:
            return {"$expr": _parity(compiler, node, truth)}
        documents, any_suffices = _children(compiler, node, truth, match)
        if any_suffices:
            return documents[0] if len(documents) == 1 else {"$or": documents}
        return merge(documents)
    if _asks_for_truth(node):
        return match(compiler, node.lhs, node.rhs is truth)
    if is_tuple_lookup(node):
        return _of_tuple(compiler, node, truth, match)
    if isinstance(node, Lookup):
        return lookups.document(compiler, node, truth)
    document: Document = compiler.conditional_document(node, truth)
    return document


def test(compiler: Any, node: Any, truth: bool) -> Any:
    """Aggregation expression, true exactly where `node` is true (or false). Raises as `match` does."""
    if isinstance(node, WhereNode):
        if node.connector == XOR and len(node.children) > 1:
            return _parity(compiler, node, truth)
        tests, any_suffices = _children(compiler, node, truth, test)
        return disjunction(tests) if any_suffices else conjunction(tests)
    if _asks_for_truth(node):
        return test(compiler, node.lhs, node.rhs is truth)
    if is_tuple_lookup(node):
        return _of_tuple(compiler, node, truth, test)
    if isinstance(node, Lookup):
        return lookups.test(compiler, node, truth)
    return compiler.conditional_test(node, truth)


def definite_test(compiler: Any, node: Any, truth: bool = True) -> Any:
    """Like `test`, but a constant answer is a constant."""
    try:
        return test(compiler, node, truth)
    except EmptyResultSet:
        return {"$literal": False}
    except FullResultSet:
        return {"$literal": True}


def _of_tuple(compiler: Any, node: Any, truth: bool, translate: Callable[[Any, Any, bool], Translation]) -> Translation:
    try:
        expanded = tuples.expanded(compiler, node)
    except EmptyResultSet:
        raise EmptyResultSet if truth else FullResultSet from None
    return translate(compiler, expanded, truth)


def _asks_for_truth(node: Any) -> bool:
    """`condition=True` and `condition=False`, which SQL writes as the condition itself and its negation."""
    return (
        isinstance(node, Exact)
        and isinstance(node.rhs, bool)
        and getattr(node.lhs, "conditional", False)
        and not isinstance(node.lhs, Col)
    )


def never_null(node: Any) -> bool:
    """Whether the condition is always true or false."""
    if isinstance(node, NegatedExpression):
        return never_null(node.expression)
    return isinstance(node, Exists | IsNull)


def _children(compiler: Any, node: WhereNode, truth: bool, translate: Any) -> tuple[list[Any], bool]:
    """The children's answers that matter, and whether one of them suffices (else all are needed).

    NOT is pushed to the leaves: NOT (a AND b) is true where a is false or b is false.
    """
    truth = truth is not node.negated
    any_suffices = (node.connector == AND) is not truth
    results = []
    for child in node.children:
        try:
            results.append(translate(compiler, child, truth))
        except EmptyResultSet:
            if not any_suffices:
                raise
        except FullResultSet:
            if any_suffices:
                raise
    if not results:
        if any_suffices and node.children:
            raise EmptyResultSet
        # A node without conditions restricts nothing, even when it is negated.
        raise FullResultSet
    return results, any_suffices


def _parity(compiler: Any, node: WhereNode, truth: bool) -> Document:
    """XOR of any number of conditions: true when an odd number of them is."""
    ones = [{"$cond": [definite_test(compiler, child), 1, 0]} for child in node.children]
    odd = {"$eq": [{"$mod": [{"$add": ones}, 2]}, 1]}
    return odd if truth is not node.negated else {"$not": [odd]}


def merge(documents: list[Document]) -> Document:
    """All of the documents at once; one flat document when no key collides."""
    if len(documents) == 1:
        return documents[0]
    merged: Document = {}
    for document in documents:
        for key, value in document.items():
            if key in merged or key.startswith("$"):
                return {"$and": documents}
            merged[key] = value
    return merged


def terms(node: Any) -> list[Any]:
    """The conditions that must all hold, taken apart as far as AND goes."""
    if node is None:
        return []
    if not isinstance(node, WhereNode) or node.negated or (node.connector != AND and len(node.children) > 1):
        return [node]
    return [term for child in node.children for term in terms(child)]
