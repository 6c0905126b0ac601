"""kill -9 of a worker, of mongod and of the sandbox at random points of a batch, every task delivered twice.

Promised: every row ends in a final state, the sandbox counts at most one invitation per course and
e-mail, and exactly one for every row that says it invited. The clock runs 20 times as fast, so that
leases and the rule for unknown outcomes take seconds; the call's own deadlines do not.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.report import ROOT
from bench.soak.own_database import own_database
from bench.soak.steps import Found, Plan, report
from coursehub.development.mongod import Mongod, die_with_parent
from coursehub.sandbox.process import SandboxProcess

PLAN = Plan(runs=200, step=10, unit="runs", step_seconds_max=540)
ROWS, CLOCK_FACTOR, WORKERS = 40, 20, 2
ENDS_WITHIN_SECONDS = 90
_KILLS_WITHIN_SECONDS = 3.0
_KINDS = ("worker", "mongod", "sandbox")


@dataclass
class Stage:
    """All that runs, and may be killed."""

    mongod: Mongod
    sandbox: SandboxProcess
    workers: list[subprocess.Popen] = field(default_factory=list)

    def keep_workers(self) -> None:
        """Start those that are missing."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < WORKERS:
            environment = {**os.environ, "INVITE_CONCURRENCY": "2", "LOG_LEVEL": "ERROR"}
            command = [sys.executable, "-m", "bench.soak.invite_worker"]
            self.workers.append(subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=die_with_parent))

    def kill(self, kind: str, chance: random.Random) -> None:
        """kill -9; mongod and the sandbox come back at once, on what they had written."""
        if kind == "worker":
            victim = chance.choice(self.workers)
            victim.kill()
            victim.wait()
            self.keep_workers()
        elif kind == "mongod":
            self.mongod.stop(hard=True)
            self.mongod.start()
        else:
            self.sandbox.kill()
            self.sandbox.start()

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@contextmanager
def stage(mongod: Mongod, sandbox: SandboxProcess) -> Iterator[Stage]:
    """Workers on a database that runs, with the clock at CLOCK_FACTOR."""
    from coursehub import clock

    opened = Stage(mongod, sandbox)
    sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0, latency_ms=[50, 250], progress_speed=0)
    clock.simulate(factor=CLOCK_FACTOR)
    try:
        opened.keep_workers()
        yield opened
    finally:
        opened.close()
        clock.end_simulation()


def crash_run(opened: Stage, chance: random.Random, name: str) -> Found:
    """One batch, one to three kills at random points of it; what was promised and did not hold."""
    batch, ends_at = _confirmed(name), time.monotonic() + ENDS_WITHIN_SECONDS
    _await_first_call(opened.sandbox, name, ends_at)
    kinds = [chance.choice(_KINDS) for _ in range(chance.randint(1, 3))]
    began, moments = time.monotonic(), sorted(chance.uniform(0, _KILLS_WITHIN_SECONDS) for _ in kinds)
    for kind, moment in zip(kinds, moments, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        opened.kill(kind, chance)
    while not _is_final(batch) and time.monotonic() < ends_at:
        opened.keep_workers()
        time.sleep(0.25)
    found = _judged(opened.sandbox, batch, f"{name} ({', '.join(kinds)})")
    found.sums |= {f"kills_of_{kind}": float(kinds.count(kind)) for kind in _KINDS}
    return found


def _confirmed(name: str) -> Any:
    from django.contrib.auth.models import User

    from coursehub import clock
    from coursehub.models import Course
    from invitations import services
    from invitations.models import Batch

    lines = "".join(f"{name}.{number}@example.org,Soak,No {number}\n" for number in range(ROWS))
    batch = services.upload(
        user=User.objects.get(username="trainer"), course=Course.objects.order_by("course_id")[0],
        filename=f"{name}.csv", content=f"email,first name,last name\n{lines}".encode(),
    )  # fmt: skip
    # As after the sweep of the course's members, which these workers do not make.
    Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
    assert services.confirm(batch, actor="trainer")
    return batch


def _await_first_call(sandbox: SandboxProcess, name: str, ends_at: float) -> None:
    while time.monotonic() < ends_at and not _invited(sandbox, name):
        time.sleep(0.05)


def _invited(sandbox: SandboxProcess, name: str) -> dict[str, int]:
    """E-mail -> invitations that the sandbox counted, of this batch."""
    return {email: count for (_, email), count in sandbox.invitations().items() if email.startswith(f"{name}.")}


def _is_final(batch: Any) -> bool:
    from invitations.models import Batch

    return Batch.objects.filter(pk=batch.pk, state__in=Batch.FINAL).exists()


def _judged(sandbox: SandboxProcess, batch: Any, name: str) -> Found:
    from invitations import services
    from invitations.models import Invitation

    counted, status = _invited(sandbox, name.split(" ")[0]), services.status(batch.pk)
    rows = list(Invitation.objects.filter(batch=batch).values_list("email", "state"))
    found = Found(sums={"rows": len(rows), "rows_unknown": sum(state == "unknown" for _, state in rows)})
    if not _is_final(batch):
        found.violations.append(f"{name}: did not end: {status['state']} {status['reason']} {status['counts']}")
    found.violations += [f"{name}: {email} was invited {count} times" for email, count in counted.items() if count > 1]
    found.violations += [
        f"{name}: {email} is {state}, and the sandbox counted {counted.get(email, 0)}"
        for email, state in rows
        if state not in ("invited", "unknown") or (state == "invited" and counted.get(email) != 1)
    ]
    return found


def step(chance: random.Random, runs: int) -> Found:
    """`runs` batches, one after the other, on one mongod and one sandbox."""
    found = Found()
    with own_database() as mongod:
        from django.core.management import call_command

        from tests.environment import SANDBOX_PORT, VAR

        with SandboxProcess(VAR / "sandbox.sqlite3", port=SANDBOX_PORT) as sandbox:
            call_command("seed_demo", verbosity=0)
            with stage(mongod, sandbox) as opened:
                for _ in range(runs):
                    found.add(crash_run(opened, chance, f"soak{chance.randrange(2**32)}"))
    return found


if __name__ == "__main__":
    report(step)
