"""All that runs while batches are killed at random: what may die, and how the academy misbehaves."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coursehub.development.mongod import Mongod, die_with_parent
from coursehub.sandbox.process import SandboxProcess
from tests.support import ROOT
from tests.support.invitations import people
from tests.support.stage.doubling import Doubler, every_task_twice
from tests.support.stage.workers import family

CLOCK_FACTOR, WORKERS = 20, 2
KINDS = ("worker", "mongod", "sandbox")
FAIR = {
    "calls_per_minute": 0, "error_5xx_ratio": 0, "reset_ratio": 0, "lost_answer_ratio": 0, "fail_next": [],
    "latency_ms": [50, 250], "mints_per_10_minutes": 0, "progress_speed": 0, "hold_seconds": 1.0,
    "invitation_answers": [],
}  # fmt: skip
WEATHER: dict[str, Callable[[SandboxProcess], object]] = {
    "5xx": lambda sandbox: sandbox.switch(error_5xx_ratio=0.1),
    "lost answers": lambda sandbox: sandbox.switch(lost_answer_ratio=0.1),
    "resets": lambda sandbox: sandbox.switch(reset_ratio=0.1),
    "time-outs after acting": lambda sandbox: sandbox.switch(
        fail_next=[{"path_contains": "addCourseAttendee", "times": 2, "fault": "timeout_after_acting"}]
    ),
    "lock-out": lambda sandbox: sandbox.switch(calls_per_minute=20, lockout_seconds=2, rate_limit_style="429"),
    "token rejected": lambda sandbox: sandbox.advance(3_700),  # over there it has expired, here it has not
}


@dataclass
class Stage:
    """All that runs, and may be killed."""

    mongod: Mongod
    sandbox: SandboxProcess
    doubler: Doubler
    person: people.Impatient
    odd_answers_act: bool  # what this academy does when it answers oddly
    workers: list[subprocess.Popen] = field(default_factory=list)

    def keep_workers(self) -> None:
        """Start those that are missing."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < WORKERS:
            environment = {**os.environ, "INVITE_CONCURRENCY": "2", "LOG_LEVEL": "CRITICAL"}
            command = [sys.executable, "manage.py", "work"]
            self.workers.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=environment, preexec_fn=die_with_parent, stderr=subprocess.DEVNULL
                )
            )

    def kill(self, kind: str, chance: random.Random) -> None:
        """kill -9; mongod and the sandbox come back at once, on what they had written."""
        if kind == "worker":
            self._kill_one_of(chance.choice(self.workers), chance)
        elif kind == "mongod":
            self.mongod.stop(hard=True)
            self.mongod.start()
        else:
            self.sandbox.kill()
            self.sandbox.start()

    def _kill_one_of(self, worker: subprocess.Popen, chance: random.Random) -> None:
        """Any process of the group; its supervisor takes all the others along, and nobody starts it again but us."""
        pid = chance.choice(family(worker.pid))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended by itself at this moment
        if pid == worker.pid:
            worker.wait()
        self.keep_workers()

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@contextmanager
def stage(
    mongod: Mongod, sandbox: SandboxProcess, *, chance: random.Random, odd_answers_act: bool = True
) -> Iterator[Stage]:
    """Workers on a database that runs, with the clock at CLOCK_FACTOR; a person who presses buttons meanwhile."""
    from coursehub import clock

    sandbox.switch(**FAIR)
    clock.simulate(factor=CLOCK_FACTOR)
    with every_task_twice() as doubler:
        person = people.Impatient(sandbox, random.Random(chance.random()))
        opened = Stage(mongod, sandbox, doubler, person, odd_answers_act)
        try:
            opened.keep_workers()
            opened.person.start()
            yield opened
        finally:
            opened.person.end()
            opened.close()
            clock.end_simulation()
