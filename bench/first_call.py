"""When the first invitation of a batch leaves, while 40 other courses are overdue and calls are short.

A real worker of two task processes, a mongod and a sandbox, all on this machine and by its one clock; 60 calls a
minute. All courses are overdue when the batch is uploaded; it is confirmed as soon as its file was read. Its own
course has 12 learners, 4 of the others too, and 36 have 200. Measured in each of some batches, each for another course:

- from the end of the full read of the batch's course, as MongoDB noted it, to the arrival of its first invitation at
  the sandbox;
- from the confirmation to that arrival, which has the read in it and the calls that came before.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.report import ROOT, Measure, at_most
from coursehub.development.mongod import die_with_parent
from coursehub.sandbox.process import SandboxProcess
from tests.support.stage.mongod import own_database

OVERDUE, LEARNERS, OWN_LEARNERS, CALLS_PER_MINUTE = 40, 200, 12, 60
BATCHES, ROWS, WITHIN_SECONDS = 5, 5, 120
GOAL_SECONDS = 10
INVITE, MEMBERS = "addCourseAttendee", "courseMembers"


@dataclass(frozen=True)
class First:
    """Of one batch: seconds to the arrival of its first invitation, and the calls for lists of members until then."""

    from_read: float
    from_confirmation: float
    reads: int


def measure() -> list[Measure]:
    """The slowest of the batches, and the median."""
    with TemporaryDirectory(prefix="bench-first-call-") as folder, own_database():
        from tests.support.environment import SANDBOX_PORT

        with SandboxProcess(Path(folder) / "sandbox.sqlite3", port=SANDBOX_PORT) as sandbox:
            course_ids = _academy(sandbox)
            with _worker():
                found = [_first_of(sandbox, course_ids[number]) for number in range(BATCHES)]
    return measures(found)


def measures(found: list[First]) -> list[Measure]:
    """What is reported of some batches."""
    reads, confirmed = [one.from_read for one in found], [one.from_confirmation for one in found]
    calls = ", ".join(str(one.reads) for one in found)
    how = (
        f"{OVERDUE} courses overdue, {OVERDUE + 1 - BATCHES} of {LEARNERS} learners and the others of {OWN_LEARNERS}; "
        f"{CALLS_PER_MINUTE} calls/min, 1 worker of 2 processes; "
        f"{len(found)} batches of {ROWS} rows"
    )
    return [
        at_most(
            "first_call.seconds", round(max(reads), 2), GOAL_SECONDS, "s",
            f"from the end of its course's own read to the first invitation at the sandbox, the slowest; {how}",
        ),
        Measure("first_call.median_seconds", round(statistics.median(reads), 2), "s", "the same, the median"),
        Measure(
            "first_call.from_confirmation_seconds", round(max(confirmed), 2), "s",
            f"from the confirmation, the slowest; calls for lists of learners since the upload: {calls}",
        ),
        Measure(
            "first_call.from_confirmation_median_seconds", round(statistics.median(confirmed), 2), "s",
            "the same, the median",
        ),
    ]  # fmt: skip


def _academy(sandbox: SandboxProcess) -> list[str]:
    """Courses, a token set and a trainer; returns the ids of the courses that have OWN_LEARNERS."""
    from django.contrib.auth.models import User

    from coursehub.models import Course
    from oauthtokens import services as token_services
    from progress.course_sync import sync_courses

    sandbox.reset(courses=OVERDUE + 1, learners_per_course=OWN_LEARNERS)
    sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0)
    token_services.exchange_code(number=1, code=sandbox.self_client_code(token_services.SCOPE), actor="bench")
    sync_courses()
    User.objects.create(username="trainer")
    course_ids = list(Course.objects.order_by("course_id").values_list("course_id", flat=True))
    for course_id in course_ids[BATCHES:]:
        sandbox.add_learners(course_id, LEARNERS - OWN_LEARNERS)
    return course_ids[:BATCHES]


def _first_of(sandbox: SandboxProcess, course_id: str) -> First:
    """Make everything overdue, send a batch, and see when what of it arrived."""
    from django.contrib.auth.models import User

    from coursehub.models import Course
    from coursehub.mongo import outside_transaction
    from invitations import services
    from invitations.selectors import batch_status

    long_ago = {"$subtract": ["$$NOW", 3_600_000]}
    outside_transaction(Course).update_many({}, [{"$set": {"poll_due_at": long_ago, "swept_at": None}}])
    last = max((call["n"] for call in sandbox.calls()), default=0)
    lines = "".join(f"first{number}@example.org,Bench,No {number}\n" for number in range(ROWS))
    batch = services.upload(
        user=User.objects.get(username="trainer"), course=Course.objects.get(course_id=course_id),
        filename="first.csv", content=f"email,first name,last name\n{lines}".encode(),
    )  # fmt: skip
    confirmed_at = _when(lambda: services.confirm(batch, actor="trainer"))
    _when(lambda: any(INVITE in call["endpoint"] for call in sandbox.calls(after=last)))
    calls = sandbox.calls(after=last)
    first_ms = next(call["at_ms"] for call in calls if INVITE in call["endpoint"])
    course = Course.objects.get(course_id=course_id)
    read_ended_at = course.swept_at.timestamp() + course.poll_seconds
    reads = [call for call in calls if MEMBERS in call["endpoint"] and call["at_ms"] < first_ms]
    _when(lambda: batch_status.status(batch.pk)["state"] == "completed")
    return First(first_ms / 1000 - read_ended_at, first_ms / 1000 - confirmed_at, len(reads))


def _when(happens) -> float:
    """Wait until it does; the moment before the question that was answered with yes."""
    ends_at = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < ends_at:
        asked_at = time.time()
        if happens():
            return asked_at
        time.sleep(0.1)
    raise AssertionError(f"not within {WITHIN_SECONDS} s")


@contextmanager
def _worker() -> Iterator[None]:
    import os

    environment = {
        **os.environ,
        "WORKER_PROCESSES": "2",
        "TRAINERCENTRAL_CALLS_PER_MINUTE": str(CALLS_PER_MINUTE),
        "PROGRESS_WATCHED_SECONDS": "60",
    }
    command = [sys.executable, "manage.py", "work"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=die_with_parent)
    try:
        time.sleep(8)  # it is up, and in the middle of the others, before the batch is there
        yield
    finally:
        worker.terminate()
        worker.wait(30)
