"""Every answer to an invitation that we can think of, 300 learners each, whether the call acted or not: nobody twice.

A run is a handful of cases in one world (`answer_matrix.World`), with every button pressed in between. The cases and
worlds come in a fixed order; the seed only tells where a step stands in it.
"""

import random
import sys
from collections.abc import Iterator

from bench.soak.plan import Plan
from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found, report
from tests.support.invitations import answer_cases
from tests.support.invitations.answer_cases import Case
from tests.support.invitations.answer_matrix import Matrix
from tests.support.invitations.answer_trials import Trial, World
from tests.support.stage.mongod import own_database

ROWS = 300
_CASES_AT_ONCE = 4


def groups() -> list[tuple[World, list[Case]]]:
    """All there is to do."""
    wanted = {World.ACTED: answer_cases.ALL, World.IDLE: answer_cases.ALL}
    wanted[World.HIDDEN] = answer_cases.hidden(answer_cases.ALL)
    found = [(world, group) for world, cases in wanted.items() for group in _few_at_once(cases)]
    return found + [
        (world, group) for world in (World.ACTED, World.IDLE) for group in _few_at_once(answer_cases.decided())
    ]


def _few_at_once(cases: list[Case]) -> Iterator[list[Case]]:
    for group in answer_cases.groups(cases, _CASES_AT_ONCE):
        yield from (group[at : at + _CASES_AT_ONCE] for at in range(0, len(group), _CASES_AT_ONCE))


PLAN = Plan(runs=len(groups()), step=1, unit="groups of answers", step_seconds_max=540)


def run(sandbox: SandboxProcess, world: World, cases: list[Case]) -> list[Trial]:
    """One group on a database that is set up."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from coursehub import clock
    from coursehub.models import Course

    sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0)
    call_command("seed_demo", verbosity=0)
    course, trainer = Course.objects.order_by("course_id")[0], User.objects.get(username="trainer")
    try:
        return Matrix(sandbox, course, trainer, world, rows=ROWS, presses=2).run(cases)
    finally:
        clock.end_simulation()


def step(chance: random.Random, runs: int) -> Found:
    """The next `runs` groups, each on a sandbox as new."""
    first, found = int(sys.argv[1].rpartition(".")[2]), Found()
    with own_database():
        from tests.support.environment import SANDBOX_PORT, VAR

        for number in range(first, first + runs):
            world, cases = groups()[number % len(groups())]
            with SandboxProcess(VAR / f"sandbox{number}.sqlite3", port=SANDBOX_PORT) as sandbox:
                trials = run(sandbox, world, cases)
            sums = {"cases": float(len(trials)), "learners": float(len(trials) * ROWS)}
            found.add(Found([text for trial in trials for text in trial.violations], sums))
    return found


if __name__ == "__main__":
    report(step)
