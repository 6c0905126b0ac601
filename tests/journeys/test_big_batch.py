"""A thousand learners through a real worker, undisturbed and with processes killed on the way."""

import os
import signal
import time
from pathlib import Path

import pytest

from coursehub import clock
from invitations import services
from invitations.models import Batch
from invitations.selectors import batch_status
from tests.journeys.conftest import Product
from tests.support.patience import wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

IN_FLIGHT = 8  # two task processes with four calls each
GROUP = 6  # guard, pusher, monitor, two task processes, ticker
EMAILS = [f"learner{n}@example.org" for n in range(1000)]


CLOCK_FACTOR = 10  # leases and the rule for unknown outcomes take seconds; calls and processes take what they take


@pytest.fixture
def workers(academy):
    """A product without a web process."""
    product = Product()
    yield product
    product.stop()


def _wait(batch, done, seconds: float) -> dict:
    deadline = time.monotonic() + seconds
    while not done(status := batch_status.status(batch.pk)):
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    return status


def _is_final(status: dict) -> bool:
    return status["state"] in Batch.FINAL


def test_a_thousand_learners_are_invited_once_each(workers, upload, invited_counts):
    workers.start_worker()
    batch = upload(*EMAILS)
    services.confirm(batch, actor="trainer")
    began = time.monotonic()
    status = _wait(batch, _is_final, 400)
    print(f"1,000 learners in {time.monotonic() - began:.1f} s")
    assert (status["state"], status["counts"]) == (Batch.State.COMPLETED, {"invited": 1000})
    assert invited_counts() == dict.fromkeys(EMAILS, 1)


def _group_of(worker_pid: int) -> list[int]:
    """All processes below `manage.py work`, children before grandchildren."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [worker_pid]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


@pytest.fixture
def fast_clock(database):
    """For processes that start now."""
    clock.simulate(factor=CLOCK_FACTOR)
    yield
    clock.end_simulation()


@pytest.mark.fault
@pytest.mark.usefixtures("fast_clock")
def test_five_killed_processes_cost_no_learner_and_double_none(workers, upload, invited_counts):
    worker = workers.start_worker(RECONCILE_SETTLE_SECONDS="1")
    batch = upload(*EMAILS)
    services.confirm(batch, actor="trainer")
    for seed in range(5):
        reached = batch_status.status(batch.pk)["counts"].get("invited", 0) + 60
        _wait(batch, lambda status, reached=reached: status["counts"].get("invited", 0) >= reached, 120)
        wait_for(lambda: len(_group_of(worker.pid)) >= GROUP, 90, "a complete group")
        group = _group_of(worker.pid)
        os.kill(group[seed % len(group)], signal.SIGKILL)
    # A row in the middle of its call waits for its lease, and is looked up in two sweeps a minute of the clock apart.
    status = _wait(batch, _is_final, 400)
    assert sum(status["counts"].values()) == len(EMAILS)
    assert set(status["counts"]) <= {"invited", "unknown"}
    assert status["counts"]["invited"] >= len(EMAILS) - 5 * IN_FLIGHT, "only rows in flight may stay unknown"
    counted = invited_counts()
    assert max(counted.values()) == 1
    assert len(counted) >= status["counts"]["invited"]
