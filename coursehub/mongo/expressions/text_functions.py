"""Database functions on text. Upper and lower case are those of ASCII, as in SQLite."""

from typing import Any

from django.db.models import functions as f
from django.db.models.functions.text import ConcatPair

from coursehub.mongo.expressions.functions import simple
from coursehub.mongo.expressions.nodes import expression_for
from coursehub.mongo.expressions.values import literal, strict
from coursehub.mongo.types import Document


@expression_for(f.Concat)
def concat(compiler: Any, node: f.Concat) -> Any:
    return compiler.operand(node.get_source_expressions()[0])


@expression_for(ConcatPair)
def concat_pair(compiler: Any, node: ConcatPair) -> Any:
    """NULL counts as empty text, as Django promises for every database."""
    parts = [compiler.as_text(compiler.operand(part), part) for part in node.get_source_expressions()]
    return {"$concat": [{"$ifNull": [part, literal("")]} for part in parts]}


def _text(compiler: Any, node: Any) -> list[Any]:
    """The arguments, the first of them as text."""
    first, *others = node.get_source_expressions()
    return [compiler.as_text(compiler.operand(first), first), *(compiler.operand(other) for other in others)]


@expression_for(f.Length)
def length(compiler: Any, node: f.Length) -> Any:
    return strict(_text(compiler, node), lambda text: {"$strLenCP": text})


@expression_for(f.Lower)
def lower(compiler: Any, node: f.Lower) -> Any:
    return strict(_text(compiler, node), lambda text: {"$toLower": text})


@expression_for(f.Upper)
def upper(compiler: Any, node: f.Upper) -> Any:
    return strict(_text(compiler, node), lambda text: {"$toUpper": text})


@expression_for(f.Left)
def left(compiler: Any, node: f.Left) -> Any:
    return strict(_text(compiler, node), lambda text, size: {"$substrCP": [text, 0, {"$max": [size, 0]}]})


@expression_for(f.Right)
def right(compiler: Any, node: f.Right) -> Any:
    def build(text: Any, size: Any) -> Document:
        start = {"$max": [0, {"$subtract": [{"$strLenCP": text}, size]}]}
        return {"$substrCP": [text, start, {"$max": [size, 0]}]}

    return strict(_text(compiler, node), build)


@expression_for(f.Substr)
def substring(compiler: Any, node: f.Substr) -> Any:
    def build(text: Any, position: Any, size: Any = None) -> Document:
        start = {"$max": [0, {"$subtract": [position, 1]}]}
        return {"$substrCP": [text, start, {"$strLenCP": text} if size is None else {"$max": [size, 0]}]}

    return strict(_text(compiler, node), build)


@expression_for(f.StrIndex)
def position(compiler: Any, node: f.StrIndex) -> Any:
    return strict(_text(compiler, node), lambda text, part: {"$add": [{"$indexOfCP": [text, part]}, 1]})


@expression_for(f.Replace)
def replace(compiler: Any, node: f.Replace) -> Any:
    def build(text: Any, old: Any, new: Any) -> Document:
        replaced = {"$replaceAll": {"input": text, "find": old, "replacement": new}}
        return {"$cond": [{"$eq": [old, ""]}, text, replaced]}

    return strict(_text(compiler, node), build)


@expression_for(f.Repeat)
def repeat(compiler: Any, node: f.Repeat) -> Any:
    def build(text: Any, times: Any) -> Document:
        return {
            "$reduce": {
                "input": {"$range": [0, {"$max": [times, 0]}]},
                "initialValue": "",
                "in": {"$concat": ["$$value", text]},
            }
        }

    return strict(_text(compiler, node), build)


@expression_for(f.Reverse)
def reverse(compiler: Any, node: f.Reverse) -> Any:
    def build(text: Any) -> Document:
        letters = {"$map": {"input": {"$range": [0, {"$strLenCP": text}]}, "in": {"$substrCP": [text, "$$this", 1]}}}
        return {"$reduce": {"input": letters, "initialValue": "", "in": {"$concat": ["$$this", "$$value"]}}}

    return strict(_text(compiler, node), build)


def _padding(text: Any, size: Any, fill: Any) -> Document:
    """`fill`, repeated and cut to what `text` lacks of `size`."""
    missing = {"$max": [0, {"$subtract": [size, {"$strLenCP": text}]}]}
    times = {"$range": [0, missing]}
    repeated = {"$reduce": {"input": times, "initialValue": "", "in": {"$concat": ["$$value", fill]}}}
    return {"$substrCP": [repeated, 0, missing]}


@expression_for(f.LPad)
def pad_left(compiler: Any, node: f.LPad) -> Any:
    def build(text: Any, size: Any, fill: Any) -> Document:
        return {"$concat": [_padding(text, size, fill), {"$substrCP": [text, 0, size]}]}

    return strict(_text(compiler, node), build)


@expression_for(f.RPad)
def pad_right(compiler: Any, node: f.RPad) -> Any:
    def build(text: Any, size: Any, fill: Any) -> Document:
        return {"$concat": [{"$substrCP": [text, 0, size]}, _padding(text, size, fill)]}

    return strict(_text(compiler, node), build)


SPACE = literal(" ")
simple(f.Trim, lambda text: {"$trim": {"input": text, "chars": SPACE}})
simple(f.LTrim, lambda text: {"$ltrim": {"input": text, "chars": SPACE}})
simple(f.RTrim, lambda text: {"$rtrim": {"input": text, "chars": SPACE}})
