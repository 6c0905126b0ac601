"""How far the learners of a batch have come: invited, accepted, started, completed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from coursehub import clock, course_members
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation

State = Invitation.State
_CHUNK_ROWS = 2_000
FRESH_SECONDS = 60  # a list of members that is younger is good enough to look at
# What `standings` and the counts need of a row.
ROW = ["course_id", "member_id", "email_folded", "line", "invited_at", "unknown_since"]


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
    course_ids: frozenset[str]

    def ask_for_reading(self) -> bool:
        """Have members read anew whose list is older than FRESH_SECONDS; whether that is to be waited for."""
        return bool(course_members.ask_for_sweep(self.course_ids, since=clock.now() - timedelta(seconds=FRESH_SECONDS)))

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
        found = standings(chunk)
        course_ids.update(row["course_id"] for row in chunk)
        for row in chunk:
            standing = found[row["_id"]]
            if standing.revoked:
                continue
            counts["invited"] += 1
            for name in ("accepted", "started", "completed"):
                counts[name] += getattr(standing, name)
            if not standing.accepted and was_invited_before(row, invited_before):
                late_lines.append(row["line"])
    known = [moment for moment in course_members.known_as_of(course_ids).values() if moment]
    return Funnel(
        counts["invited"], counts["accepted"], counts["started"], counts["completed"],
        late_lines, invited_before, min(known, default=None), frozenset(course_ids),
    )  # fmt: skip


def was_invited_before(row: dict[str, Any], moment: datetime) -> bool:
    """Of a learner whom only a look at the members found, the moment is that of the call whose answer was no help."""
    invited_at = row.get("invited_at") or row.get("unknown_since")
    return bool(invited_at and invited_at < moment)


def _chunks(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    rows = iter(
        outside_transaction(Invitation).find({"batch_id": batch.pk.hex, "state": State.INVITED}, ROW).sort("line", 1)
    )
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        yield chunk


def standings(rows: list[dict[str, Any]]) -> dict[Any, course_members.Standing]:
    """`_id` of each row -> how far its learner is in the course, by the stored members; not listed: no step taken."""
    by_course: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_course[row["course_id"]].append(row)
    found: dict[Any, course_members.Standing] = {}
    for course_id, of_course in by_course.items():
        nameless = [row["email_folded"] for row in of_course if not row["member_id"]]  # the answer told no member id
        known = course_members.in_course(course_id, nameless) if nameless else {}
        ids = {row["_id"]: row["member_id"] or known.get(row["email_folded"], "") for row in of_course}
        steps = course_members.standings(course_id, list(ids.values()))
        found |= {key: steps.get(member_id, course_members.Standing()) for key, member_id in ids.items()}
    return found
