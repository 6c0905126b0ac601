"""4 processes x 8 threads of reads and writes, forks in between: no error, no lost write, no leaked connection."""

import os
import random
import subprocess
import sys
import time

from bench.soak.plan import Plan
from tests.support.findings import Found, found_in, report
from tests.support.stage.mongod import own_database

PLAN = Plan(runs=5, step=5, unit="minutes", step_seconds_max=460)
PROCESSES, COUNTERS = 4, 4
_CLOSED_WITHIN_SECONDS = 15


def step(chance: random.Random, runs: int) -> Found:
    """`runs` minutes of work; the server counts its connections before, and after all workers have ended."""
    with own_database() as mongod:
        from django.db import connection

        from tests.support.mongo.shop import MODELS, Shelf, Stock

        with connection.schema_editor() as editor:
            for model in MODELS:
                editor.create_model(model)
        shelf = Shelf.objects.create(name="shared")
        Stock.objects.bulk_create(Stock(pk=number, shelf=shelf) for number in range(1, COUNTERS + 1))
        before = _connections()
        found = _worked(mongod.uri, chance, runs * 60)
        found.sums["lost_increments"] = found.sums["increments"] - sum(
            Stock.objects.filter(pk__lte=COUNTERS).values_list("count", flat=True)
        )
        found.highest["connections_before"], found.highest["connections_after"] = before, _settled(before)
    _judge(found)
    return found


def _worked(uri: str, chance: random.Random, seconds: int) -> Found:
    """What all workers found, together."""
    workers = []
    for number in range(PROCESSES):
        environment = {**os.environ, "MONGODB_URI": f"{uri}&appName=soak-{number}"}
        command = [sys.executable, "-m", "bench.soak.engine_worker", str(chance.randrange(2**32)), str(seconds)]
        workers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    found = Found(sums={"operations": 0, "increments": 0, "forks": 0})
    for worker in workers:
        output, _ = worker.communicate()
        try:
            found.add(found_in(output))
        except (ValueError, KeyError, TypeError):
            found.violations.append(f"a worker ended with exit code {worker.returncode}")
    return found


def _connections() -> int:
    from coursehub.mongo import client_for

    return client_for().admin.command("serverStatus")["connections"]["current"]


def _settled(before: int) -> int:
    """The connections once the server has noticed that the workers are gone."""
    ends_at = time.monotonic() + _CLOSED_WITHIN_SECONDS
    while _connections() > before and time.monotonic() < ends_at:
        time.sleep(0.5)
    return _connections()


def _judge(found: Found) -> None:
    leaked = found.highest["connections_after"] - found.highest["connections_before"]
    if leaked > 0:
        found.violations.append(f"{leaked:.0f} connections more than before")
    if found.sums["lost_increments"]:
        found.violations.append(f"{found.sums['lost_increments']:.0f} increments of a counter were lost")


if __name__ == "__main__":
    report(step)
