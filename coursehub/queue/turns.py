"""Whose turn it is when a process is free: lanes take turns, and within a lane the earliest place comes first.

So a read of a course never waits behind many slices of sending, nor the other way round: at most one task of each
other lane begins before it. A head start moves a task forward within its lane as if it had been rung so much
earlier (a negative one backward), so nothing that waits is overtaken for ever.
"""

from dataclasses import dataclass
from enum import StrEnum

from coursehub.mongo.types import Document


class Lane(StrEnum):
    """What a task is about."""

    SENDING = "sending"
    READING = "reading"
    OTHER = "other"


@dataclass(frozen=True)
class Turn:
    """Where a task takes its place."""

    lane: Lane = Lane.OTHER
    head_start_seconds: float = 0

    def __str__(self) -> str:
        return f"{self.lane} {self.head_start_seconds:g}"

    @classmethod
    def of(cls, text: str) -> "Turn":
        """What `str` made of a turn; nonsense is the usual turn."""
        lane, _, seconds = text.partition(" ")
        try:
            return cls(Lane(lane), float(seconds))
        except ValueError:
            return cls()


USUAL = Turn()


class Rotation:
    """Which lane a group of processes serves next: the one that it has not served for longest."""

    def __init__(self) -> None:
        self._served: dict[str | None, int] = {}
        self._count = 0

    def next_of(self, heads: list[Document]) -> Document:
        """Of the first waiting task of each lane (`_id`: the lane; in the order of their places), the one to take."""
        return min(heads, key=lambda head: self._served.get(head["_id"], 0))

    def note(self, head: Document) -> None:
        """It was taken."""
        self._count += 1
        self._served[head["_id"]] = self._count
