"""Who is in a course, as the last poll stored it: what `invitations` may know of what `progress` keeps.

The two apps share TrainerCentral's ids and no code (docs/architecture.md): progress registers what answers for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, cast

from coursehub import clock, queue, registered
from coursehub.awaited_reads import Waiting, waiting_for
from coursehub.models import Course
from coursehub.mongo import outside_transaction

__all__ = [
    "Answers",
    "Standing",
    "Waiting",
    "ask_for_sweep",
    "in_course",
    "known_as_of",
    "note_read",
    "read_amiss",
    "read_in_full_at",
    "register_answers",
    "register_read_task",
    "standings",
    "waiting_for",
]


@dataclass(frozen=True)
class Standing:
    """How far a learner is in a course; each step includes the ones before."""

    accepted: bool = False
    started: bool = False
    completed: bool = False
    revoked: bool = False  # listed, but without access: counts nowhere


class Answers(Protocol):
    """What the app that keeps members says of them; two functions of a module."""

    def in_course(self, course_id: str, folded: Sequence[str]) -> dict[str, str]: ...

    def standings(self, course_id: str, member_ids: Sequence[str]) -> dict[str, Standing]: ...


_ANSWERS: list[str] = []


def register_answers(module: str) -> None:
    """Have the module at the dotted path answer for the stored members (see `Answers`); the last one counts."""
    for name in ("in_course", "standings"):
        registered.note(f"{module}.{name}", "an answer about members")
    _ANSWERS[:] = [module]


def in_course(course_id: str, folded: Sequence[str]) -> dict[str, str]:
    """Folded address -> course member id, for those of `folded` who were in the course at `known_as_of`.

    Whoever's access was taken away is not among them: they may be invited again.
    """
    return _answers().in_course(course_id, folded)


def standings(course_id: str, member_ids: Sequence[str]) -> dict[str, Standing]:
    """Course member id -> how far, for those of `member_ids` who were in the course at `known_as_of`."""
    return _answers().standings(course_id, member_ids)


def _answers() -> Answers:
    return cast(Answers, import_module(_ANSWERS[0]))


def known_as_of(course_ids: Iterable[str]) -> dict[str, datetime | None]:
    """Course id -> the moment that its stored members are at least as new as; None: never read."""
    found = outside_transaction(Course).find({"course_id": {"$in": list(course_ids)}}, ["course_id", "polled_at"])
    return {course["course_id"]: course["polled_at"] for course in found}


def read_in_full_at(course_ids: Iterable[str]) -> dict[str, datetime | None]:
    """Course id -> the moment at which the last complete read of its members began; None: never."""
    found = outside_transaction(Course).find({"course_id": {"$in": list(course_ids)}}, ["course_id", "swept_at"])
    return {course["course_id"]: course.get("swept_at") for course in found}


def read_amiss(course_ids: Iterable[str]) -> set[str]:
    """Those of the courses whose rows moved during the last complete read: it proves nobody absent."""
    wanted = {"course_id": {"$in": list(course_ids)}, "swept_amiss": True}
    return set(outside_transaction(Course).distinct("course_id", wanted))


def ask_for_sweep(course_ids: Iterable[str], *, since: datetime) -> list[str]:
    """Have the members of these courses read in full, before all reads that nobody asked for.

    Returns the ids of those that were not read so since `since`, or are being read: ask again until none is named.
    A pause that the remote side caused is kept, and a course that is gone from the academy is not waited for.
    """
    courses = outside_transaction(Course)
    older = {"$or": [{"swept_at": None}, {"swept_at": {"$lt": since}}]}
    waited_for = {"course_id": {"$in": list(course_ids)}, "gone_at": None, **older}
    named = [course["course_id"] for course in courses.find(waited_for, ["course_id"])]
    if named:
        courses.update_many(
            {"course_id": {"$in": named}, "$expr": {"$or": [_is_news(since), _is_late()]}}, _wish(since)
        )
    return named


def _wish(since: datetime) -> list[dict[str, Any]]:
    """The update that notes it in a course; `progress` clears it after a full read that began since."""
    due_at = {"$cond": [_is_late(), {"$max": [clock.server_now(), "$poll_not_before"]}, "$poll_due_at"]}
    told_at = {"$cond": [_is_news(since), None, "$poll_rung_at"]}
    return [
        {"$set": {"poll_due_at": due_at, "poll_rung_at": told_at}},
        {
            "$set": {
                "wanted_since": {"$max": ["$wanted_since", since]},
                "wanted_at": {"$ifNull": ["$wanted_at", clock.server_now()]},
            }
        },
    ]


def _is_news(since: datetime) -> dict[str, Any]:
    return {"$lt": [{"$ifNull": ["$wanted_since", 0]}, since]}


def _is_late() -> dict[str, Any]:
    """Nobody reads the course, and it is not due yet, though the pause that the remote side caused is over."""
    idle = clock.passed("poll_lease_until")
    soonest = {"$max": [clock.server_now(), "$poll_not_before"]}
    return {"$and": [idle, {"$gt": [{"$ifNull": ["$poll_due_at", clock.after(86_400)]}, soonest]}]}


_READ_TASKS: list[str] = []


def register_read_task(path: str) -> None:
    """Have the function at the dotted `path` called by a worker with the id of each course that was read on request."""
    if path not in _READ_TASKS:
        _READ_TASKS.append(registered.note(path, "what follows a read"))


def note_read(course_id: str) -> None:
    """A course that was asked for has been read: whoever waits goes on at once."""
    for path in _READ_TASKS:
        queue.enqueue(path, course_id)
