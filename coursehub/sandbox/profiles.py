"""From what was learnt about an academy to the switches that make the sandbox behave like it."""

from collections.abc import Mapping
from typing import Any


def switches_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Switches for the facts of a profile, by their names there; a fact that is not known (None) sets none.

    What answers mean is not among them: a meaning does not tell the answer.
    """
    given = {name: value for name, value in facts.items() if value is not None}
    switches: dict[str, Any] = {}
    if "page_cap" in given:
        switches["limit_cap"] = given["page_cap"]
    if "newest_first" in given:
        switches["sort_1_order"] = "newest" if given["newest_first"] else "oldest"
    if "pending_listed" in given:
        switches["pending_listed"] = given["pending_listed"]
    if given.get("pending_status"):
        switches["pending_status"] = given["pending_status"]
    if "throttled_at_per_minute" in given:
        switches["calls_per_minute"] = given["throttled_at_per_minute"]
    return switches
