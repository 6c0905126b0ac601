"""What was learnt about an academy, as the client asks for it, and the kinds of answers that it is learnt from.

The API is hardly documented, so an answer may be of a kind that nobody has seen. The client tells
`on_answer` of such a kind; whoever stores profiles says later what it means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

_KEY_LENGTH = 32
# Shapes of bodies that say nothing: a page for people, or JSON that ends in its midst.
PAGE, UNREADABLE = "page", "unreadable"
TIME_OUTS = (408, 425, 444, 460, 499)


class Meaning(StrEnum):
    """What an answer to an invitation means."""

    INVITED = "invited"
    ALREADY_ENROLLED = "already_enrolled"
    REFUSED = "refused"  # it did not act, and this learner will not be taken
    WAIT = "wait"  # it did not act; the same call may succeed later
    STOP = "stop"  # it did not act, and no call will until a person resumes


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """A kind of answer to a call that acts. Holds no address, id, name or token.

    `shape` is the body's keys and JSON types, with the words of its verdict and of its message alone.
    """

    endpoint: str
    status: int
    code: str
    shape: str

    @property
    def key(self) -> str:
        """Short, and the same for the same kind for ever: stored values are found by it."""
        whole = json.dumps([self.endpoint, self.status, self.code, self.shape])
        return sha256(whole.encode()).hexdigest()[:_KEY_LENGTH]

    @property
    def is_learnable(self) -> bool:
        """Whether a meaning learnt from one such answer holds for the next: every gateway's trouble looks the same."""
        if self.shape.split(" ")[0] in (PAGE, UNREADABLE):
            return False
        return bool(self.code) or not (300 <= self.status < 400 or self.status >= 500 or self.status in TIME_OUTS)


@dataclass(frozen=True)
class Profile:
    """What was learnt about an academy; empty for one that nobody has seen."""

    meanings: Mapping[str, Meaning] = field(default_factory=dict)  # AnswerKind.key -> Meaning
    page_cap: int | None = None  # rows per page that the server gives at most
    newest_first: bool | None = None  # direction of sort=1
    pending_listed: bool | None = None  # learners who have not accepted yet are among a course's members
    pending_status: str | None = None  # their `status`, when it is another than that of the others
    throttled_at_per_minute: int | None = None


def nothing_learnt(kind: AnswerKind, sample: dict[str, Any]) -> None:
    """The `on_answer` of a client that keeps no profile."""
