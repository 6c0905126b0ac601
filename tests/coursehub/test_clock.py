"""The one clock, and the simulated one that all processes follow."""

import time
from datetime import timedelta

import pytest

from coursehub import clock


@pytest.fixture(autouse=True)
def _real_time_again(database):
    clock.end_simulation()
    yield
    clock.end_simulation()


def _by_the_server(database):
    """What the expression gives where it is evaluated, in milliseconds as stored."""
    database["clock_tried"].update_one({"_id": 1}, [{"$set": {"at": clock.server_now()}}], upsert=True)
    return database["clock_tried"].find_one({"_id": 1})["at"]


def test_a_simulation_puts_the_clock_ahead_for_updates_and_for_python_alike(database):
    before = clock.now()
    clock.simulate(ahead_seconds=3600)
    assert timedelta(seconds=3600) <= clock.now() - before < timedelta(seconds=3660)
    assert abs(_by_the_server(database) - clock.now().replace(tzinfo=None)) < timedelta(seconds=5)


def test_a_simulated_clock_runs_faster_and_steps_add_up(database):
    clock.simulate(ahead_seconds=100)
    clock.simulate(ahead_seconds=100, factor=1000)
    first, began = clock.now(), time.monotonic()
    time.sleep(0.2)  # the time that is measured
    passed, real_seconds = clock.now() - first, time.monotonic() - began
    assert 150 <= passed.total_seconds() <= 1100 * real_seconds


def test_an_end_of_the_simulation_is_mongodbs_time_again(database):
    clock.simulate(ahead_seconds=3600)
    clock.end_simulation()
    assert clock.server_now() == "$$NOW"


def test_no_simulation_outside_a_demo(database, settings):
    clock.simulate(ahead_seconds=3600)
    settings.DEMO = False
    assert clock.server_now() == "$$NOW"  # what is stored is not even looked at
    with pytest.raises(RuntimeError):
        clock.simulate(ahead_seconds=1)
