"""Text search. User text is escaped whole; it never becomes a pattern, a wildcard or an operator."""

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DataError

from coursehub.mongo.expressions.conditions import Condition
from coursehub.mongo.expressions.values import conjunction, literal, present, strict
from coursehub.mongo.types import Document

# The server refuses longer patterns (its limit is 32 764 bytes, anchors and escapes included).
LONGEST_PATTERN_BYTES = 32_000


def escaped(text: str) -> str:
    """`text` as a pattern that matches only itself. NUL ends a pattern for the server, so it is written as \\x00."""
    return re.escape(text).replace("\0", r"\x00")


@dataclass
class Pattern(Condition):
    """left matches a regular expression."""

    pattern: str
    ignore_case: bool = False

    def _checked(self) -> tuple[str, str]:
        if len(self.pattern.encode("utf-8", "surrogatepass")) > LONGEST_PATTERN_BYTES:
            raise DataError(f"A text search takes at most {LONGEST_PATTERN_BYTES} bytes.")
        return self.pattern, "i" if self.ignore_case else ""

    def document(self, path: str, truth: bool) -> Document:
        pattern, options = self._checked()
        regex = {"$regex": pattern, "$options": options} if options else {"$regex": pattern}
        return {path: regex if truth else {"$not": regex, "$ne": None}}

    def test(self, left: Any, truth: bool) -> Any:
        pattern, options = self._checked()
        if left is None:
            raise EmptyResultSet
        found = {"$regexMatch": {"input": left, "regex": literal(pattern), "options": options}}
        return found if truth else conjunction([present(left), {"$not": [found]}])


@dataclass
class Search(Condition):
    """left contains, begins or ends with, or equals (ignoring case) another expression of the row."""

    kind: str
    needle: Any
    plain = False

    def test(self, left: Any, truth: bool) -> Any:
        found = strict([left, self.needle], lambda text, part: self._found(*self._folded(text, part)))
        return {"$eq": [found, truth]}

    def _folded(self, text: Any, part: Any) -> tuple[Any, Any]:
        if not self.kind.startswith("i"):
            return text, part
        return {"$toLower": text}, {"$toLower": part}

    def _found(self, text: Any, part: Any) -> Any:
        kind = self.kind.removeprefix("i")
        if kind == "exact":
            return {"$eq": [text, part]}
        if kind == "contains":
            return {"$gte": [{"$indexOfCP": [text, part]}, 0]}
        size, length = {"$strLenCP": part}, {"$strLenCP": text}
        start = 0 if kind == "startswith" else {"$max": [0, {"$subtract": [length, size]}]}
        return {"$eq": [{"$substrCP": [text, start, size]}, part]}
