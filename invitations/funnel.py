"""How far the learners of a batch have come: invited, accepted, started, completed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from coursehub import clock, members
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation

State = Invitation.State
_CHUNK_ROWS = 2_000
_SHOWN = ["course_id", "member_id", "line", "invited_at"]


@dataclass(frozen=True)
class Funnel:
    """Numbers of learners; each step holds those of the next. `late_lines`: invited `days` ago, not accepted yet."""

    invited: int
    accepted: int
    started: int
    completed: int
    late_lines: list[int]
    invited_before: datetime
    as_of: datetime | None

    @property
    def steps(self) -> list[dict[str, Any]]:
        """For the page: label, number, and the share of those invited in whole percent."""
        named = {name: getattr(self, name) for name in ("invited", "accepted", "started", "completed")}
        return [
            {"label": name.capitalize(), "count": count, "percent": 100 * count // max(self.invited, 1)}
            for name, count in named.items()
        ]


def of(batch: Batch, *, days: int) -> Funnel:
    """From the stored members; as old as `as_of`."""
    invited_before = clock.now() - timedelta(days=days)
    counts: defaultdict[str, int] = defaultdict(int)
    late_lines: list[int] = []
    course_ids: set[str] = set()
    for chunk in _chunks(batch):
        standings = _standings(chunk)
        course_ids.update(row["course_id"] for row in chunk)
        for row in chunk:
            standing = standings.get((row["course_id"], row["member_id"]), members.Standing())
            for name in ("accepted", "started", "completed"):
                counts[name] += getattr(standing, name)
            if not standing.accepted and row["invited_at"] and row["invited_at"] < invited_before.replace(tzinfo=None):
                late_lines.append(row["line"])
        counts["invited"] += len(chunk)
    known = [moment for moment in members.known_as_of(course_ids).values() if moment]
    return Funnel(
        counts["invited"], counts["accepted"], counts["started"], counts["completed"],
        late_lines, invited_before, min(known, default=None),
    )  # fmt: skip


def _chunks(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    rows = iter(
        outside_transaction(Invitation).find({"batch_id": batch.pk.hex, "state": State.INVITED}, _SHOWN).sort("line", 1)
    )
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        yield chunk


def _standings(chunk: list[dict[str, Any]]) -> dict[tuple[str, str], members.Standing]:
    by_course: defaultdict[str, list[str]] = defaultdict(list)
    for row in chunk:
        by_course[row["course_id"]].append(row["member_id"])
    return {
        (course_id, member_id): standing
        for course_id, member_ids in by_course.items()
        for member_id, standing in members.standings(course_id, member_ids).items()
    }
