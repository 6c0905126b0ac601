"""What the charts of a course show, reckoned for the templates that draw them as SVG, with the same numbers as text."""

from collections.abc import Iterable, Sequence
from typing import Any

from coursehub.mongo import outside_transaction
from progress.models import DailyFigures, ProgressEntry

WIDTH, HEIGHT = 600, 160  # the drawing's own units
LONGEST_DAYS = 180
LONGEST_HISTORY = 500
BINS = [*(f"{start}–{start + 9} %" for start in range(0, 100, 10)), "100 %"]


def distribution(percents: Iterable[float]) -> list[dict[str, Any]]:
    """How many learners are at 0-9 %, ... 90-99 % and 100 %, with each bar as tall as it is, of 100 for the highest."""
    counts = [0] * len(BINS)
    for percent in percents:
        counts[min(10, max(0, int(percent // 10)))] += 1
    highest = max(counts) or 1
    heights = [round(100 * count / highest, 1) for count in counts]
    return [
        {"label": label, "short": label.partition("–")[0].removesuffix(" %"), "count": count, "height": height,
         "top": round(100 - height, 1)}
        for label, count, height in zip(BINS, counts, heights, strict=True)
    ]  # fmt: skip


def over_time(course_id: str) -> dict[str, Any] | None:
    """The course's days with the share that has completed and the average; None while there are fewer than two."""
    rows = outside_transaction(DailyFigures).find({"course_id": course_id}).sort("day", -1).limit(LONGEST_DAYS)
    days = [
        {
            "day": row["day"],
            "learners": row["learners"],
            "completed": row["completed"],
            "completed_percent": round(100 * row["completed"] / row["learners"], 1) if row["learners"] else 0.0,
            "average_percent": round(row["average_percent"] or 0.0, 1),
        }
        for row in rows
    ][::-1]
    if len(days) < 2:
        return None
    return {
        "days": days,
        "last": days[-1],
        "completed": _line([day["completed_percent"] for day in days]),
        "average": _line([day["average_percent"] for day in days]),
    }


def history(course_id: str, member_id: str) -> dict[str, Any]:
    """One learner's changes, newest first, and the line that they make when there are at least two."""
    chosen = {"course_id": course_id, "member_id": member_id}
    entries = list(outside_transaction(ProgressEntry).find(chosen).sort("at", -1).limit(LONGEST_HISTORY))
    oldest_first = entries[::-1]
    return {"entries": entries, "line": _steps(oldest_first) if len(oldest_first) > 1 else ""}


def _line(percents: Sequence[float]) -> str:
    """Points of a polyline, the days side by side."""
    step = WIDTH / (len(percents) - 1)
    return " ".join(f"{place * step:.1f},{_y(percent):.1f}" for place, percent in enumerate(percents))


def _steps(entries: Sequence[dict[str, Any]]) -> str:
    """Points of a polyline by time: a percentage holds until the next change."""
    begin, end = entries[0]["at"], entries[-1]["at"]
    seconds = (end - begin).total_seconds() or 1.0
    points, before = [], entries[0]["percent"]
    for entry in entries:
        x = (entry["at"] - begin).total_seconds() / seconds * WIDTH
        points += [f"{x:.1f},{_y(before):.1f}", f"{x:.1f},{_y(entry['percent']):.1f}"]
        before = entry["percent"]
    return " ".join(points)


def _y(percent: float) -> float:
    return HEIGHT - min(100.0, max(0.0, percent)) / 100 * HEIGHT
