"""The stage of the measurement: courses with learners, people who are signed in, processes around them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.report import ROOT

COURSES, LEARNERS, SOCKETS = 50, 200, 1000
Socket = dict[str, str]


def course_id(number: int) -> str:
    return f"{3000000001 + number}"


def make_courses() -> None:
    """COURSES courses of LEARNERS learners each."""
    from tests.support.makers import make_course, remote_member, store

    for number in range(COURSES):
        make_course(course_id(number))
        store(
            *(remote_member(one, course_id=course_id(number)) for one in range(LEARNERS)), course_id=course_id(number)
        )


def sign_in_trainers() -> list[str]:
    """SOCKETS trainers who may each watch all that they are asked to: their cookies."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.auth.models import Group
    from django.contrib.sessions.backends.db import SessionStore

    from coursehub import roles
    from coursehub.models import Course, CourseAccess

    users = get_user_model()
    users.objects.bulk_create(users(username=f"trainer{number:04}", password="!") for number in range(SOCKETS))  # noqa: S106
    trainers = list(users.objects.filter(username__startswith="trainer").order_by("username"))
    group, courses = Group.objects.get(name=roles.TRAINER), list(Course.objects.order_by("course_id"))
    users.groups.through.objects.bulk_create(
        users.groups.through(user_id=trainer.pk, group_id=group.pk) for trainer in trainers
    )
    # Each was given the course that everybody watches together, and one that a few watch.
    given = {(trainer.pk, courses[place].pk) for n, trainer in enumerate(trainers) for place in (0, n % COURSES)}
    CourseAccess.objects.bulk_create(CourseAccess(user_id=user, course_id=course) for user, course in sorted(given))
    cookies = []
    for trainer in trainers:
        session = SessionStore()
        session[SESSION_KEY] = str(trainer.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = trainer.get_session_auth_hash()
        session.create()
        cookies.append(f"sessionid={session.session_key}")
    return cookies


class Crowd:
    """The process of the clients."""

    def __init__(self, port: int, sockets: list[Socket], *, stalled: int = 0, acknowledge: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.live.clients"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        wanted = {"port": port, "sockets": sockets, "stalled": stalled, "acknowledge": acknowledge}
        if self._ask(json.dumps(wanted)) != "ready":
            raise RuntimeError("not all sockets could be opened")

    def received(self) -> dict[str, Any]:
        """What came since the last call."""
        return json.loads(self._ask(""))

    def _ask(self, line: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


@contextmanager
def crowd(*args: Any, **options: Any) -> Iterator[Crowd]:
    one = Crowd(*args, **options)
    try:
        yield one
    finally:
        one.leave()


def memory_kb(process_id: int) -> int:
    """What the process holds in memory (Linux)."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def cpu_seconds(process_id: int) -> float:
    """User and system time that the process has used (Linux)."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
