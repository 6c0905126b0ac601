"""What can be found out about an academy: the facts' names and words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coursehub.academy import redaction

_LONGEST_VALUE = 40


@dataclass(frozen=True)
class Fact:
    """One fact. `words` says a value to people: by the value's text, or as a pattern of it."""

    title: str
    holds: type
    words: Mapping[str, str] | str = "{}"

    def says(self, value: Any) -> str:
        """The value in words."""
        if value is None:
            return "not known any more"
        if isinstance(self.words, str):
            return self.words.format(value)
        return self.words.get(str(value), str(value))

    def read(self, value: Any) -> Any:
        """The value as it is stored, None included. Raises ValueError for one of another type."""
        if value is not None and type(value) is not self.holds:
            raise ValueError(f"{self.title}: that is no {self.holds.__name__}.")
        return redaction.short(value)[:_LONGEST_VALUE] if isinstance(value, str) else value


FACTS: dict[str, Fact] = {
    "page_cap": Fact("Most rows on a page", int, "{}, whatever is asked for"),
    "largest_page": Fact("Largest page seen", int, "{} rows"),
    "newest_first": Fact("Order by time", bool, {"True": "newest first", "False": "oldest first"}),
    "time_moves_with_progress": Fact(
        "A member's time", bool, {"True": "moves with progress", "False": "stays when a learner progresses"}
    ),
    "pending_listed": Fact(
        "Learners who have not accepted yet",
        bool,
        {"True": "are among the course's members", "False": "are not among the course's members"},
    ),
    "pending_status": Fact("Their status", str),
    "throttled_at_per_minute": Fact("Throttled at", int, "{} calls within a minute"),
    "invited_status": Fact("HTTP status of an invitation that was taken", str),
    "already_enrolled": Fact(
        "A second invitation",
        str,
        {"ok": "is taken, and makes no second member", "error": "is refused as already enrolled"},
    ),
    "unknown_course": Fact(
        "An invitation to an unknown course",
        str,
        {"404": "is answered as not found", "400": "is refused", "silent": "is taken, into the academy only"},
    ),
    "unknown_learner": Fact(
        "An address that no learner has", str, {"empty": "gets an empty answer", "404": "is answered as not found"}
    ),
    "error_envelope": Fact("The JSON around an error", str),
    "refresh_uses": Fact("Uses of a refresh token", int, {"0": "as many as one likes"}),
    "mints_per_10_minutes": Fact("New access tokens within 10 minutes", int, {"0": "as many as one likes"}),
}
