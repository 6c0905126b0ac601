"""A compiled query: where to read, through which stages, and what of it makes a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

from coursehub.mongo.expressions.values import is_literal
from coursehub.mongo.types import Document, Pipeline

FIND_ORDER = ("$match", "$sort", "$skip", "$limit")


@dataclass
class Plan:
    """`outputs` are the expressions of a row's columns over the documents that leave the last stage."""

    table: str | None  # None: a query without a table, whose pipeline begins with $documents
    stages: Pipeline
    outputs: list[Any] = field(default_factory=list)
    row_without_rows: tuple[Any, ...] | None = None  # the one row of an aggregation that found nothing

    def projection(self) -> Document:
        """Stage that leaves documents of exactly the columns c0, c1, ...; NULL is stated, never missing."""
        columns = {f"c{number}": {"$ifNull": [output, None]} for number, output in enumerate(self.outputs)}
        return {"$project": {"_id": 0, **columns}} if columns else {"$project": {"_id": 1}}

    def reading(self) -> tuple[Document, Callable[[Document], tuple[Any, ...]]]:
        """The smallest projection that holds the columns, and the function that takes a row out of a document."""
        if all(type(output) is str for output in self.outputs):
            return _reading_of_fields(tuple(self.outputs))
        return _reading(self.outputs)

    def find_arguments(self, projected: dict[str, Any]) -> dict[str, Any] | None:
        """Arguments of find(), which answers sooner than an aggregation; None if the stages need the latter."""
        if any(value not in (0, 1) for value in projected.values()):
            return None
        arguments: dict[str, Any] = {"filter": {}, "projection": projected}
        position = 0
        for stage in self.stages:
            ((name, value),) = stage.items()
            if name not in FIND_ORDER[position:]:
                return None
            position = FIND_ORDER.index(name) + 1
            arguments["filter" if name == "$match" else name[1:]] = value
        if "sort" in arguments:
            arguments["sort"] = list(arguments["sort"].items())
            arguments["allow_disk_use"] = True
        return arguments


def _reading(outputs: Sequence[Any]) -> tuple[Document, Callable[[Document], tuple[Any, ...]]]:
    projected: dict[str, Any] = {}
    columns: list[tuple[list[str] | None, Any]] = []
    for number, output in enumerate(outputs):
        if output is None or is_literal(output):
            columns.append((None, output and output["$literal"]))
        elif isinstance(output, str) and not output.startswith("$$"):
            projected[output[1:]] = 1
            columns.append((output[1:].split("."), None))
        else:
            projected[f"__c{number}"] = output
            columns.append(([f"__c{number}"], None))
    if not any(name == "_id" or name.startswith("_id.") for name in projected):
        projected["_id"] = 0 if projected else 1
    return projected, _reader(columns)


# Most queries ask for the columns of a model, as others did before; projection and reader are never changed.
_reading_of_fields = lru_cache(maxsize=1000)(_reading)


def _reader(columns: list[tuple[list[str] | None, Any]]) -> Callable[[Document], tuple[Any, ...]]:
    if columns and all(path is not None and len(path) == 1 for path, _ in columns):
        return _flat_reader([path[0] for path, _ in columns if path is not None])

    def take(document: Document) -> tuple[Any, ...]:
        return tuple([constant if path is None else _at(document, path) for path, constant in columns])

    return take


def _flat_reader(names: list[str]) -> Callable[[Document], tuple[Any, ...]]:
    pick = itemgetter(*names)

    def take(document: Document) -> tuple[Any, ...]:
        try:
            picked = pick(document)
        except KeyError:  # a field that is missing is NULL
            return tuple([document.get(name) for name in names])
        return picked if len(names) > 1 else (picked,)

    return take


def _at(document: Any, path: list[str]) -> Any:
    for name in path:
        if document is None:
            return None
        document = document.get(name)
    return document
