"""Leases: the right of one process to work on one document until a deadline; and how long to wait after failures.

A lease is two fields of the document it is about: the deadline, by MongoDB's clock, and a fence, which each win
raises. Whoever works under a lease names its fence in every write, so that a holder who was overtaken changes
nothing more. It ends when it is released, or when its deadline passes because the holder died.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

from coursehub import clock
from coursehub.mongo.types import Document


@dataclass(frozen=True)
class FencedLease:
    """A kind of lease: the names of its two fields, and how many seconds a win or an extension lasts.

    `seconds` is longer than anything the holder does between two writes.
    """

    until: str
    fence: str
    seconds: float

    def is_free(self) -> Document:
        """The expression for: nobody holds it."""
        return clock.passed(self.until)

    def taken(self) -> Document:
        """What a win sets, in an update pipeline."""
        return {self.until: clock.after(self.seconds), self.fence: {"$add": [{"$ifNull": [f"${self.fence}", 0]}, 1]}}

    def extended(self) -> Document:
        """What holding on sets, in an update pipeline."""
        return {self.until: clock.after(self.seconds)}

    def released(self) -> Document:
        """What giving back sets."""
        return {self.until: None}

    def win(
        self, collection: Collection[Document], wanted: Mapping[str, Any], *more: Mapping[str, Any], **changes: Any
    ) -> Document | None:
        """Take a document that fits `wanted` and that nobody holds; returns it as it is then, or None.

        `changes`, and the pipeline's stages `more` after them, are made by the same update.
        """
        conditions = [self.is_free(), *([wanted["$expr"]] if "$expr" in wanted else [])]
        return collection.find_one_and_update(
            {**wanted, "$expr": {"$and": conditions}},
            [{"$set": {**self.taken(), **changes}}, *more],
            return_document=ReturnDocument.AFTER,
        )

    def write(self, collection: Collection[Document], held: Mapping[str, Any], *stages: Mapping[str, Any]) -> bool:
        """Set what the stages say, one after the other, if the lease is still `held`; whether it was.

        `held`: a filter with the document's key and this lease's fence.
        """
        return collection.update_one(held, [{"$set": stage} for stage in stages]).matched_count == 1


def backoff(failures: str, seconds: Sequence[float], *, counted: bool = False) -> Document:
    """The expression for how many seconds to wait after so many failures in a row; the last is for all that follow.

    `failures` is the field that counts them; `counted`: the one that has just happened is among them.
    """
    before = {"$subtract": [{"$ifNull": [f"${failures}", 0]}, int(counted)]}
    return {"$arrayElemAt": [list(seconds), {"$max": [0, {"$min": [before, len(seconds) - 1]}]}]}


def jittered_backoff_seconds(failures: int, *, first_seconds: float, longest_seconds: float) -> float:
    """Twice as long with each of `failures` in a row, up to `longest_seconds`; then a random half to whole of it.

    So that those who failed together do not all come back together.
    """
    longest = min(first_seconds * 2 ** min(failures, 30), longest_seconds)
    return random.uniform(longest / 2, longest)  # noqa: S311  (jitter, no secret)
