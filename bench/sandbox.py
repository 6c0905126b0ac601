"""How many calls the sandbox answers: it must never be what another measurement measures.

Load comes from processes of their own. The figure that counts is calls per second of the sandbox's
own processor time, which is what it does on a core of its own, however busy the machine is; the
rate by the clock is given beside it.
"""

import http.client
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Measure, at_least
from coursehub.sandbox.process import SandboxProcess
from coursehub.trainercentral import ZohoAccounts

LOADERS, SECONDS, GOAL = 3, 5.0, 1500
SCOPE = "TrainerCentral.userapi.CREATE,TrainerCentral.courseapi.READ"
ROOT = "/api/v4/700000804"
COURSES = [str(3000094000002000004 + 27 * index) for index in range(5)]
Request = tuple[str, str, str]  # method, path, body


def invitation(loader: int, number: int) -> Request:
    attendee = {"email": f"load{loader}.{number}@example.org", "firstName": "Load", "lastName": "No"}
    body = {"courseAttendee": {**attendee, "courseId": COURSES[number % len(COURSES)]}}
    return "POST", f"{ROOT}/addCourseAttendee.json", json.dumps(body)


def members_page(loader: int, number: int) -> Request:
    course = COURSES[number % len(COURSES)]
    return "GET", f"{ROOT}/course/{course}/courseMembers.json?filter=3&sort=1&limit=100&si=0", ""


def one_course(loader: int, number: int) -> Request:
    return "GET", f"{ROOT}/courses/{COURSES[number % len(COURSES)]}.json", ""


def mixed(loader: int, number: int) -> Request:
    """As a batch does it: of 20 calls 18 invitations, a page of members and a course."""
    kind = {0: members_page, 10: one_course}.get(number % 20, invitation)
    return kind(loader, number)


MIXES: dict[str, tuple[Callable[[int, int], Request], str]] = {
    "calls": (mixed, "18 invitations, one page of up to 100 members, one course"),
    "invitations": (invitation, "invitations, each of a new learner"),
    "member_pages": (members_page, "pages of 100 members of 600, newest first"),
}


def measure() -> list[Measure]:
    """Calls per second of processor time (with a goal for the mix) and by the clock."""
    measures = []
    with tempfile.TemporaryDirectory(prefix="bench-sandbox-") as folder:
        for name, (_, text) in MIXES.items():
            with SandboxProcess(Path(folder) / f"{name}.sqlite3", calls_per_minute=0) as sandbox:
                sandbox.reset(learners_per_course=600 if name == "member_pages" else 20)
                calls, cpu_seconds, wall_seconds = load(sandbox, name)
            how = f"{text}; {calls} calls from {LOADERS} processes, per second of the sandbox's processor time"
            key = f"sandbox.{name}_per_second"
            value = round(calls / cpu_seconds, 1)
            measures.append(
                at_least(key, value, GOAL, "1/s", how) if name == "calls" else Measure(key, value, "1/s", how)
            )
            by_clock = f"the same by the clock, with {LOADERS} loaders and all else on {os.cpu_count()} cores"
            measures.append(Measure(f"sandbox.{name}_per_wall_second", round(calls / wall_seconds, 1), "1/s", by_clock))
    return measures


def load(sandbox: SandboxProcess, name: str) -> tuple[int, float, float]:
    """Calls answered, and the seconds that took: of the sandbox's processor time, and by the clock."""
    accounts = ZohoAccounts(sandbox.url, "1000.SANDBOX", "sandbox-client-secret")
    token = accounts.exchange_code(sandbox.self_client_code(SCOPE)).access_token
    before = cpu_seconds_of(sandbox.pid)
    with multiprocessing.get_context("spawn").Pool(LOADERS) as pool:
        loads = pool.starmap(answered, [(sandbox.port, token, name, loader) for loader in range(LOADERS)])
    spent, calls = cpu_seconds_of(sandbox.pid) - before, sum(count for count, _, _ in loads)
    by_endpoint = sandbox.counters()["by_endpoint"]
    assert calls == sum(by_endpoint.values()) - 1, "the sandbox counts other calls than the loaders"
    return calls, spent, max(ended for _, _, ended in loads) - min(began for _, began, _ in loads)


def answered(port: int, token: str, name: str, loader: int) -> tuple[int, float, float]:
    """In a loader: calls answered with 200, one after the other on one connection, and when that began and ended."""
    make, _ = MIXES[name]
    headers = {"Authorization": f"Zoho-oauthtoken {token}", "Content-Type": "application/json"}
    connection, number = http.client.HTTPConnection("127.0.0.1", port, timeout=30), 0
    began = time.monotonic()  # one clock for all processes of the machine
    while time.monotonic() < began + SECONDS:
        method, path, body = make(loader, number)
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: HTTP {answer.status}")
        number += 1
    return number, began, time.monotonic()


def cpu_seconds_of(process_id: int) -> float:
    """User and system time that a process has used (Linux)."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
