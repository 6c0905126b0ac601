"""What goes over a socket: one JSON text, serialised once for all who get it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """`revision` is what the client knows after it; `previous` what it must know before it.

    A frame without `previous` needs no earlier one: it is a snapshot, or a complete state.
    """

    text: str
    revision: int
    previous: int | None = None

    @classmethod
    def of(cls, kind: str, revision: int, *, previous: int | None = None, **content: Any) -> "Frame":
        body = {"type": kind, "revision": revision, **content}
        return cls(json.dumps(body, separators=(",", ":"), ensure_ascii=False), revision, previous)

    def message(self, handler: str = "live.frame") -> dict[str, Any]:
        """The frame as a message of the channel layer."""
        return {"type": handler, "text": self.text, "revision": self.revision, "previous": self.previous}

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Frame":
        return cls(message["text"], message["revision"], message["previous"])


def moment(stored: datetime | None) -> str | None:
    """A time as text for JSON: UTC, in milliseconds."""
    if stored is None:
        return None
    return stored.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
