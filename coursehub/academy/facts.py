"""What can be found out about an academy: the facts' names and words, and the switches that make a sandbox alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursehub.academy import redaction

_LONGEST_VALUE = 40


@dataclass(frozen=True)
class Fact:
    """One fact. `words` says a value to people: by the value's text, or as a pattern of it.

    `switch` is the sandbox's name for it; `values` are the switch's values where they are others.
    """

    title: str
    holds: type
    words: Mapping[str, str] | str = "{}"
    switch: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

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
    "page_cap": Fact("Most rows on a page", int, "{}, whatever is asked for", "limit_cap"),
    "largest_page": Fact("Largest page seen", int, "{} rows"),
    "newest_first": Fact(
        "Order by time",
        bool,
        {"True": "newest first", "False": "oldest first"},
        "sort_1_order",
        {"True": "newest", "False": "oldest"},
    ),
    "time_moves_with_progress": Fact(
        "A member's time",
        bool,
        {"True": "moves with progress", "False": "stays when a learner progresses"},
        "time_moves_with_progress",
    ),
    "pending_listed": Fact(
        "Learners who have not accepted yet",
        bool,
        {"True": "are among the course's members", "False": "are not among the course's members"},
        "pending_listed",
    ),
    "pending_status": Fact("Their status", str, switch="pending_status"),
    "throttled_at_per_minute": Fact("Throttled at", int, "{} calls within a minute", "calls_per_minute"),
    "invited_status": Fact("HTTP status of an invitation that was taken", str, switch="invited_status"),
    "already_enrolled": Fact(
        "A second invitation",
        str,
        {"ok": "is taken, and makes no second member", "error": "is refused as already enrolled"},
        "already_enrolled",
    ),
    "unknown_course": Fact(
        "An invitation to an unknown course",
        str,
        {"404": "is answered as not found", "400": "is refused", "silent": "is taken, into the academy only"},
        "unknown_course",
    ),
    "unknown_learner": Fact(
        "An address that no learner has",
        str,
        {"empty": "gets an empty answer", "404": "is answered as not found"},
        "unknown_learner",
    ),
    "error_envelope": Fact("The JSON around an error", str, switch="error_envelope"),
    "refresh_uses": Fact(
        "Uses of a refresh token", int, {"0": "as many as one likes"}, switch="max_uses_per_refresh_token"
    ),
    "mints_per_10_minutes": Fact(
        "New access tokens within 10 minutes", int, {"0": "as many as one likes"}, switch="mints_per_10_minutes"
    ),
}


def switches(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The sandbox's switches for these facts (name -> value); a fact that is not known sets none."""
    known = {name: value for name, value in facts.items() if name in FACTS and FACTS[name].switch and value is not None}
    return {FACTS[name].switch: FACTS[name].values.get(str(value), value) for name, value in known.items()}
