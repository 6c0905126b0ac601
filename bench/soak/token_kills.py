"""Kill -9 at every step of a refresh: no refresh token is used more often than allowed, no gap outlasts the lease."""

import os
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.soak.plan import Plan
from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found, found_in, report
from tests.support.stage.mongod import own_database

PLAN = Plan(runs=500, step=100, unit="runs", step_seconds_max=500)
LANES = 4  # they mostly wait for leases to end


def step(chance: random.Random, runs: int) -> Found:
    """`runs` runs in lanes side by side, each on its own database and sandbox."""
    found = Found()
    with ExitStack() as stack:
        stack.enter_context(own_database())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-tokens-")))
        lanes = []
        for number in range(LANES):
            sandbox = stack.enter_context(SandboxProcess(folder / f"{number}.sqlite3"))
            share = runs // LANES + (number < runs % LANES)
            lanes.append(_start(number, sandbox.port, chance.randrange(2**32), share))
        for lane in lanes:
            output, _ = lane.communicate()
            try:
                found.add(found_in(output))
            except (ValueError, KeyError, TypeError):
                found.violations.append(f"a lane ended with exit code {lane.returncode}")
    return found


def _start(number: int, sandbox_port: int, seed: int, runs: int) -> subprocess.Popen:
    environment = {
        **os.environ,
        "MONGODB_NAME": f"lane_{number}",
        "SANDBOX_PORT": str(sandbox_port),
        "LOG_LEVEL": "ERROR",
    }
    subprocess.run([sys.executable, "manage.py", "setup_coursehub"], env=environment, check=True, stdout=sys.stderr)
    command = [sys.executable, "-m", "tests.support.oauthtokens.lane", str(seed), str(runs)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    report(step)
