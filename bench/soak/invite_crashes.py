"""kill -9 of the product's processes, of mongod and of the sandbox at random points of a batch, every task twice.

Two `manage.py work` with all their processes read the file, sweep the members, take them out of the preview, and
send, while somebody presses "Try again", "Resume" and the decisions at random moments. Most runs have an academy that
misbehaves, or that gives some learners answers which nobody expects, whether their calls acted or not. Promised: every
row ends in a final state that says why; the sandbox counts at most one invitation per course and e-mail; and once the
answers are plain and people have pressed what there is to press, exactly one. The clock runs 20 times as fast, so that
leases and the rule for unknown outcomes take seconds; the call's own deadlines do not.
"""

import random

from bench.soak.plan import Plan
from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found, report
from tests.support.invitations.crash_stage import stage
from tests.support.invitations.crashes import crash_runs
from tests.support.stage.mongod import own_database

PLAN = Plan(runs=200, step=10, unit="runs", step_seconds_max=540)


def step(chance: random.Random, runs: int) -> Found:
    """`runs` batches on one mongod and one sandbox."""
    with own_database() as mongod:
        from django.core.management import call_command

        from tests.support.environment import SANDBOX_PORT, VAR

        with SandboxProcess(VAR / "sandbox.sqlite3", port=SANDBOX_PORT) as sandbox:
            call_command("seed_demo", verbosity=0)
            with stage(mongod, sandbox, chance=chance, odd_answers_act=chance.random() < 0.5) as opened:
                names = [f"soak{chance.randrange(2**32)}" for _ in range(runs)]
                return crash_runs(opened, [(name, random.Random(name)) for name in names])  # noqa: S311


if __name__ == "__main__":
    report(step)
