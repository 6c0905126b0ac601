"""Rows of unknown outcome: looked up among the course's members, and sent again only by one rule.

A learner whom a sweep finds was invited. A row is sent again, under the same claim, when two complete
sweeps, at least 60 s apart and the first begun no sooner than read time-out + RECONCILE_SETTLE_SECONDS
after the call, both lack the learner, and both show a learner whom we invited with an answer and who has
not accepted yet: only then is it proven that this academy lists such learners. Where it is known to list them with the
status of the others (the academy's profile), any learner whom we invited with an answer proves it. Else a person
decides.

Nothing of this is stored in the row but since when it is unknown: what the rule says follows from the
sweeps of its course, since a row that is still unknown was in none of them.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from pymongo import UpdateOne

from coursehub import academy, audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations.claims.row_leases import Row
from invitations.models import Batch, Invitation, Sweep
from invitations.reconciliation import member_scan

State = Invitation.State
_APART = timedelta(seconds=60)
SENT_AGAIN_MOST = 2  # times by the rule, for one row; after that a person looks
_WAITS = "Rows of unknown outcome are looked up among the course's members before anything is decided."
_LOOK_AGAIN_SECONDS = 2.0
SLICE_SECONDS = 15.0


class Verdict(Enum):
    """What the rule says of a row once both sweeps are there."""

    SEND_AGAIN = "send again"
    STAYS = "a person decides"


def advance(batch_id: UUID) -> bool:
    """Do what is due for the batch's rows of unknown outcome; True while some of them wait for a sweep.

    Raises TrainerCentralError when the members cannot be read now.
    """
    unknown = {"batch_id": batch_id.hex, "state": State.UNKNOWN}
    outside_transaction(Invitation).update_many(
        unknown | {"unknown_since": None}, [{"$set": {"unknown_since": clock.server_now()}}]
    )
    looks_at: list[datetime] = []
    ends_at = time.monotonic() + SLICE_SECONDS
    for course_id in outside_transaction(Invitation).distinct("course_id", unknown):
        look_at = _advance_course(batch_id, course_id, ends_at)
        if look_at:
            looks_at.append(look_at)
    if looks_at:
        _wait(batch_id, min(looks_at))
    return bool(looks_at)


def settles_at(batch: Batch) -> datetime | None:
    """When the batch looks up its rows of unknown outcome next; None when it waits for nothing."""
    return batch.look_at if batch.state == Batch.State.RUNNING else None


def _advance_course(batch_id: UUID, course_id: str, ends_at: float) -> datetime | None:
    """Sweep if that is due, then decide; when to look again, or None when all is decided."""
    wanted = {"batch_id": batch_id.hex, "course_id": course_id, "state": State.UNKNOWN}
    unknown, now = list(outside_transaction(Invitation).find(wanted)), clock.now()
    due = _due(unknown, _sweeps(course_id, unknown))
    if due and due > now:
        return due
    if due:
        if not member_scan.sweep(course_id, batch_id, due=due, ends_at=ends_at):
            return now + timedelta(seconds=_LOOK_AGAIN_SECONDS)
        unknown = _note_findings(batch_id, course_id, unknown)
    sweeps = _sweeps(course_id, unknown)
    _send_again(batch_id, [row for row in unknown if _verdict(row, sweeps) is Verdict.SEND_AGAIN])
    return _due(unknown, sweeps)


def _note_findings(batch_id: UUID, course_id: str, before: list[Row]) -> list[Row]:
    """Say beside each row what the sweeps found of it; returns those that none of them found.

    Of answers that are not understood, the academy's profile learns how many of these learners are there.
    """
    rows = outside_transaction(Invitation)
    left = list(rows.find({"batch_id": batch_id.hex, "course_id": course_id, "state": State.UNKNOWN}))
    sweeps, by_finding = _sweeps(course_id, left), defaultdict(list)
    for row in left:
        by_finding[_finding(row, sweeps)].append(row["_id"])
    for finding, ids in by_finding.items():
        rows.update_many({"_id": {"$in": ids}, "state": State.UNKNOWN}, {"$set": {"finding": finding}})
    still = {row["_id"] for row in left}
    reliable = any(not sweep.get("flaw") for sweep in sweeps)
    first_look = [row for row in before if row.get("answer_kind") and not row.get("finding")]
    for kind in {row["answer_kind"] for row in first_look}:
        absent = sum(row["_id"] in still for row in first_look if row["answer_kind"] == kind)
        there = sum(row["_id"] not in still for row in first_look if row["answer_kind"] == kind)
        academy.note_finding(kind, there=there, absent=absent if reliable else 0)
    return left


def _finding(row: Row, sweeps: list[Row]) -> str:
    """What the sweeps since the call found, in one sentence; "" before the first."""
    since = [sweep for sweep in sweeps if sweep["began_at"] >= row["unknown_since"]]
    reliable = [sweep for sweep in since if not sweep.get("flaw")]
    if not reliable:
        return f"Not found, but the list was not reliable: {since[-1]['flaw']}" if since else ""
    times = [timezone.localtime(sweep["began_at"]) for sweep in reliable]
    count = reliable[0].get("learners")
    learners = "learners of the course" if count is None else f"{count} learner{'' if count == 1 else 's'}"
    again = f" and again at {times[-1]:%H:%M:%S}" if len(times) > 1 else ""
    return f"Not among the {learners} read on {times[0]:%d %b at %H:%M:%S}{again}."


def _verdict(row: Row, sweeps: list[Row]) -> Verdict | datetime:
    """What the rule says of a row that all `sweeps` lacked, or when the sweep that is missing may begin."""
    unknown_since: datetime = row["unknown_since"]
    settled_at = unknown_since + timedelta(
        seconds=settings.TRAINERCENTRAL_READ_SECONDS + settings.RECONCILE_SETTLE_SECONDS
    )
    if not any(sweep["began_at"] >= unknown_since for sweep in sweeps):
        return unknown_since  # most learners are found at once; this sweep cannot prove absence
    first = next((sweep for sweep in sweeps if sweep["began_at"] >= settled_at), None)
    if first is None:
        return settled_at
    second_at: datetime = first["began_at"] + _APART
    second = next((sweep for sweep in sweeps if sweep["began_at"] >= second_at), None)
    if second is None:
        return second_at
    proven = first["is_proof"] and second["is_proof"] and row.get("sent_again", 0) < SENT_AGAIN_MOST
    return Verdict.SEND_AGAIN if proven else Verdict.STAYS


def _due(unknown: list[Row], sweeps: list[Row]) -> datetime | None:
    """When the next sweep is due that serves all of these rows; at once when one was never looked up."""
    verdicts = [(row, _verdict(row, sweeps)) for row in unknown]
    moments = [moment for _, moment in verdicts if isinstance(moment, datetime)]
    never = [row["unknown_since"] for row, moment in verdicts if moment == row["unknown_since"]]
    return max(never or moments, default=None)


def _sweeps(course_id: str, unknown: Iterable[Row]) -> list[Row]:
    """The complete sweeps of the course that can matter to these rows, in the order in which they began."""
    since = min((row["unknown_since"] for row in unknown), default=None)
    if since is None:
        return []
    complete = {"course_id": course_id, "ended_at": {"$ne": None}, "began_at": {"$gte": since}}
    return list(outside_transaction(Sweep).find(complete).sort("began_at", 1))


def _send_again(batch_id: UUID, decided: list[Row]) -> None:
    """Same claim, one more call; a row that a late answer or a person settled meanwhile is left alone."""
    if not decided:
        return
    waiting = {"$set": {"state": State.PENDING, "reason": ""}, "$inc": {"sent_again": 1}}
    updates = [UpdateOne(_unchanged(row), waiting) for row in decided]
    count = outside_transaction(Invitation).bulk_write(updates, ordered=False).modified_count
    Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING).update(look_at=None, reason="")
    audit.record(action=Action.BATCH_ROWS_SENT_AGAIN, target=f"batch {batch_id}", detail={"rows": count})


def _unchanged(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("_id", "unknown_since", "attempts")} | {"state": State.UNKNOWN}


def _wait(batch_id: UUID, look_at: datetime) -> None:
    running = {"id": batch_id.hex, "state": Batch.State.RUNNING}
    outside_transaction(Batch).update_one(running, {"$set": {"look_at": look_at, "reason": _WAITS}})
