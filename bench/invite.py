"""Sending a batch: 10,000 invitations against the ideal and against a script, and the pace under a budget.

Two real workers of one task process each, 16 calls in flight per process, against a sandbox that takes
100 ms for each call; mongod, sandbox and workers share this machine.
"""

import bisect
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from bench.report import ROOT, Measure, at_least, at_most
from coursehub.development.mongod import die_with_parent
from coursehub.sandbox.process import SandboxProcess
from tests.support.stage.mongod import own_database

ROWS, LATENCY_MS, WORKERS, IN_FLIGHT = 10_000, 100, 2, 16
SCRIPT_ROWS = 500
BUDGET, PACED_ROWS, WINDOW_MS = 600, 1_500, 60_000
WITHIN_SECONDS = 420
INVITE = "addCourseAttendee"


def measure() -> list[Measure]:
    """Time without a limit, then the calls of every sliding minute under one."""
    with own_database(), _academy() as sandbox:
        sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0, latency_ms=LATENCY_MS)
        script_seconds = _script(sandbox) / SCRIPT_ROWS * ROWS
        with _workers(calls_per_minute=0):
            ours_seconds = _sent("ideal", ROWS)
        calls_ms = _paced(sandbox)
    ideal_seconds = ROWS * LATENCY_MS / 1000 / (WORKERS * IN_FLIGHT)
    how = (
        f"{ROWS:,} invitations in {ours_seconds:.1f} s; {WORKERS} workers x {IN_FLIGHT} in flight, {LATENCY_MS} ms each"
    )
    script = f"times as fast as a requests.post per row: {SCRIPT_ROWS} rows measured, scaled to {script_seconds:.0f} s"
    return [
        at_most("invite.vs_ideal", ours_seconds / ideal_seconds, 1.15, "ratio", f"{how}; ideal {ideal_seconds:.1f} s"),
        Measure("invite.vs_script", script_seconds / ours_seconds, "ratio", script),
        *_pace(calls_ms),
    ]


def _paced(sandbox: SandboxProcess) -> list[int]:
    """When each API call arrived, in ms, while a batch was sent under the budget."""
    last = sandbox.calls()[-1]["n"]
    with _workers(calls_per_minute=BUDGET):
        _sent("paced", PACED_ROWS)
    calls = [call for call in sandbox.calls(after=last) if "oauth" not in call["endpoint"]]
    first = next(call["at_ms"] for call in calls if INVITE in call["endpoint"])
    ends = [call["at_ms"] for call in calls if INVITE in call["endpoint"]][-1]
    return sorted(call["at_ms"] for call in calls if first <= call["at_ms"] <= ends)


def _pace(calls_ms: list[int]) -> list[Measure]:
    most = max(bisect.bisect_left(calls_ms, at + WINDOW_MS) - index for index, at in enumerate(calls_ms))
    minutes = (calls_ms[-1] - calls_ms[0]) / WINDOW_MS
    how = f"{len(calls_ms)} calls in {minutes:.2f} min as the sandbox counted them, under {BUDGET} a minute"
    return [
        at_most("pace.window_max_ratio", most / BUDGET, 1, "ratio", f"most calls in any sliding minute: {most}; {how}"),
        at_least("pace.used_ratio", (len(calls_ms) - 1) / minutes / BUDGET, 0.97, "ratio", how),
    ]


def _script(sandbox: SandboxProcess) -> float:
    """The obvious script: one requests.post after the other; seconds for SCRIPT_ROWS rows."""
    from coursehub.models import Course
    from oauthtokens import services

    course_id, token = Course.objects.order_by("course_id")[0].course_id, services.access_token().token
    address, began = f"{sandbox.url}/api/v4/700000804/addCourseAttendee.json", time.monotonic()
    for number in range(SCRIPT_ROWS):
        attendee = {"email": f"script{number}@example.org", "firstName": "A", "lastName": "B", "courseId": course_id}
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        requests.post(address, json={"courseAttendee": attendee}, headers=headers, timeout=30).raise_for_status()
    return time.monotonic() - began


def _sent(name: str, rows: int) -> float:
    """Upload, confirm and wait; the seconds between the batch's own start and end, by MongoDB's clock."""
    from django.contrib.auth.models import User

    from coursehub.models import Course
    from invitations import services
    from invitations.models import Batch
    from invitations.selectors import batch_status

    lines = "".join(f"{name}{number}@example.org,Bench,No {number}\n" for number in range(rows))
    batch = services.upload(
        user=User.objects.get(username="trainer"), course=Course.objects.order_by("course_id")[0],
        filename=f"{name}.csv", content=f"email,first name,last name\n{lines}".encode(),
    )  # fmt: skip
    ends_at = time.monotonic() + WITHIN_SECONDS
    while not services.confirm(batch, actor="trainer"):  # once a worker has read the file
        assert time.monotonic() < ends_at, batch_status.status(batch.pk)
        time.sleep(0.5)
    while batch.state not in Batch.FINAL:
        assert time.monotonic() < ends_at, batch_status.status(batch.pk)
        time.sleep(0.5)
        batch.refresh_from_db()
    assert batch_status.status(batch.pk)["counts"] == {"invited": rows}, batch_status.status(batch.pk)
    return (batch.finished_at - batch.started_at).total_seconds()


@contextmanager
def _academy() -> Iterator[SandboxProcess]:
    """A seeded demo of which the sandbox is the academy."""
    from django.core.management import call_command

    from tests.support.environment import SANDBOX_PORT, VAR

    with SandboxProcess(VAR / "sandbox.sqlite3", port=SANDBOX_PORT) as sandbox:
        call_command("seed_demo", verbosity=0)
        yield sandbox


@contextmanager
def _workers(**settings: Any) -> Iterator[None]:
    """The workers, ready to send."""
    import os

    environment = {
        **os.environ,
        "WORKER_PROCESSES": "1",
        "INVITE_CONCURRENCY": str(IN_FLIGHT),
        "TRAINERCENTRAL_CALLS_PER_MINUTE": str(settings["calls_per_minute"]),
        "PROGRESS_WATCHED_SECONDS": "60",
    }
    command = [sys.executable, "manage.py", "work"]
    workers = [subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=die_with_parent) for _ in range(WORKERS)]
    try:
        time.sleep(8)  # both are up before the batch is there
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(30)
