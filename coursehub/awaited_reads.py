"""What a batch that waits for its course's members waits for, and until when; asked through `course_members`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from coursehub import clock, rate_limit
from coursehub.models import Course
from coursehub.mongo import outside_transaction

# What a full read takes at least, where it is not known: one page, and one call to see that there is no other.
_LEAST_CALLS = 2
# Until a worker has heard of the read, and until what was read is compared with the batch.
_HAND_OVER_SECONDS = 3.0
_LOOKED_AT = [
    *("course_id", "wanted_at", "poll_lease_until", "poll_not_before", "poll_error"),
    *("sweep_calls", "sweep_rows", "poll_offset"),
]


@dataclass(frozen=True)
class Waiting:
    """How it stands with the reads of some courses that were asked for."""

    courses: int  # those still to be read
    reads_in_front: int = 0
    under_way: int = 0
    expected_at: datetime | None = None
    trouble: str = ""  # why they cannot be read at the moment; `expected_at` is then when it is tried again

    @property
    def sentence(self) -> str:
        """For people; two at most."""
        if not self.courses:
            return "The learners have been read anew; who is in the course already is being taken out."
        if self.trouble:
            again = f" It is tried again {_when(self.expected_at)}." if self.expected_at else ""
            return f"Nothing is sent before the course's learners were read anew. {self.trouble[:150]}{again}"
        what = "list of the course's learners is" if self.courses == 1 else f"learners of {self.courses} courses are"
        first = f"The {what} being read anew; nothing is sent before that."
        if self.under_way >= self.courses or not self.reads_in_front:
            return f"{first} It should be done {_when(self.expected_at)}."
        front = "1 read is" if self.reads_in_front == 1 else f"{self.reads_in_front} reads are"
        return f"{first} {front} in front; it should be done {_when(self.expected_at)}."


def waiting_for(course_ids: Iterable[str]) -> Waiting:
    """How it stands with those of the courses whose full read was asked for and has not ended."""
    here = {"gone_at": None, "$or": [{"wanted_since": {"$type": "date"}}, {"$expr": _is_read()}]}
    known, now = list(outside_transaction(Course).find(here, _LOOKED_AT)), clock.now()
    ids = set(course_ids)
    own = [course for course in known if course["course_id"] in ids and course.get("wanted_at")]
    if not own:
        return Waiting(0)
    resting = [course for course in own if course.get("poll_error") and _later(course["poll_not_before"], now)]
    if resting:
        tried_at = min(course["poll_not_before"] for course in resting)
        return Waiting(len(own), expected_at=tried_at, trouble=resting[0]["poll_error"])
    last = max(course["wanted_at"] for course in own)
    front = [one for one in known if one["course_id"] not in ids and _is_in_front(one, last, now)]
    calls = sum(_calls_left(course) for course in [*own, *front])
    seconds = rate_limit.expected_seconds(rate_limit.PROGRESS, calls) + _HAND_OVER_SECONDS
    under_way = sum(_later(course["poll_lease_until"], now) for course in own)
    return Waiting(len(own), len(front), under_way, now + timedelta(seconds=seconds))


def _is_read() -> dict[str, Any]:
    return clock.is_ahead("poll_lease_until")


def _is_in_front(course: dict[str, Any], wanted_at: datetime, now: datetime) -> bool:
    """It is being read, or a batch asked for it earlier and nothing holds it up."""
    if _later(course["poll_lease_until"], now):
        return True
    asked = course.get("wanted_at")
    return bool(asked and asked < wanted_at and not _later(course["poll_not_before"], now))


def _calls_left(course: dict[str, Any]) -> int:
    calls, rows = max(_LEAST_CALLS, course.get("sweep_calls") or 0), course.get("sweep_rows") or 0
    done = min(1.0, (course.get("poll_offset") or 0) / rows) if rows else 0.0
    return max(1, math.ceil(calls * (1 - done)))


def _later(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now


def _when(moment: datetime | None) -> str:
    """Rough, so that a page which shows it does not change each second."""
    seconds = (moment - clock.now()).total_seconds() if moment else 0.0
    if seconds < 60:
        return "within a minute"
    return f"at about {timezone.localtime(moment):%H:%M}"
