"""How many calls all processes began within the last minute, as the call budget's document counts them.

Two minutes of the clock are counted apart, so that nothing grows: of the earlier one the share counts that still
lies within 60 s. Without a budget no slots are drawn, and nothing is counted.
"""

from typing import Any

from coursehub import clock
from coursehub.mongo import outside_transaction

_MINUTE_MS = 60_000


def counted(slot: str) -> dict[str, Any]:
    """For an update: the document's `minute` with one more call, that begins at `slot` (a path to a date)."""
    number = {"$floor": {"$divide": [{"$toLong": slot}, _MINUTE_MS]}}
    same = {"$eq": ["$minute.number", number]}
    next_one = {"$eq": ["$minute.number", {"$subtract": [number, 1]}]}
    return {
        "number": number,
        "calls": {"$cond": [same, {"$add": ["$minute.calls", 1]}, 1]},
        "before": {"$cond": [same, "$minute.before", {"$cond": [next_one, "$minute.calls", 0]}]},
    }


def within_a_minute(collection: str, key: dict[str, Any]) -> int:
    """The calls of the last 60 s, as the document with this key counts them."""
    now_minutes = {"$divide": [{"$toLong": clock.server_now()}, _MINUTE_MS]}
    fields = {"minute": 1, "now_minutes": now_minutes}
    found = outside_transaction(collection).find_one(key, fields)
    if not found or not found.get("minute"):
        return 0
    minute, gone = found["minute"], found["now_minutes"] - found["minute"]["number"]
    calls: float = minute["calls"] + minute["before"] * (1 - gone) if gone < 1 else minute["calls"] * max(0.0, 2 - gone)
    return round(calls)
