"""Values of a list's rows in the spelling that the switches name: nobody has documented more than one sample."""

from datetime import UTC, datetime
from typing import Any

from coursehub.sandbox.switches import Switches

_TIMES = ("enrolledTime", "time", "lastLogin", "completedTime")
_IDS = ("id", "courseMembersId", "course", "courseId", "orgMemberId", "userId")


def formatted(row: dict[str, str], switches: Switches) -> dict[str, Any]:
    """The row itself, or a copy in other spellings."""
    if (switches.percent_style, switches.time_style, switches.id_style) == ("whole", "ms", "text"):
        return row
    percent = {"completionPercentage": _percent(int(row["completionPercentage"]), switches.percent_style)}
    times = {key: _time(int(row[key]), switches.time_style) for key in _TIMES if key in row}
    ids = {key: int(row[key]) for key in _IDS if key in row} if switches.id_style == "number" else {}
    return {**row, **percent, **times, **ids}


def _percent(percent: int, style: str) -> Any:
    spellings: dict[str, Any] = {
        "whole": str(percent),
        "number": percent,
        "decimal": f"{percent}.00",
        "comma": f"{percent},00",
        "sign": f"{percent}%",
        "fraction": f"{percent / 100:g}",
        "null": None,
        "words": "n/a",
    }
    return spellings[style]


def _time(time_ms: int, style: str) -> Any:
    spellings: dict[str, Any] = {
        "ms": str(time_ms),
        "number": time_ms,
        "seconds": str(time_ms // 1000),
        "iso": datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "words": "a while ago",
    }
    return spellings[style]
