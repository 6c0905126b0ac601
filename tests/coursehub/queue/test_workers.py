"""`manage.py work`, for real: processes are killed, stopped and told to end while tasks flow."""

import os
import signal
import time
from pathlib import Path

import pytest

from coursehub import queue
from coursehub.queue import broker
from tests.support.patience import wait_for
from tests.support.queue import tasks
from tests.support.stage.workers import Work, group_of, is_alive

pytestmark = pytest.mark.fault
ROW_COUNT = 60


@pytest.fixture
def start_work(database):
    """`start_work(**environment)`: a started worker; all are gone after the test."""
    started = []

    def start(**environment: str) -> Work:
        started.append(Work(**environment))
        return started[-1]

    yield start
    for work in started:
        work.end()


@pytest.fixture
def rows(database):
    return database[tasks.ROWS]


def ring_for_rows(rows):
    rows.insert_many([{"_id": str(number), "done": False} for number in range(ROW_COUNT)])
    for number in range(ROW_COUNT):
        queue.enqueue(tasks.do_row, str(number))


def done(rows) -> int:
    return rows.count_documents({"done": True})


@pytest.mark.parametrize("kind", ["guard", "pusher", "monitor", "worker", "ticker"])
def test_after_kill_9_of_a_process_the_group_is_replaced_and_queued_work_goes_on(start_work, rows, kind, capsys):
    work = start_work()
    old_group = work.wait_until_complete()
    ring_for_rows(rows)
    wait_for(lambda: done(rows) >= 5, 90, "work begins")
    os.kill(work.member(kind), signal.SIGKILL)
    killed_at = time.monotonic()
    gone_seconds = wait_for(lambda: not any(map(is_alive, old_group)), 15, "the old group is gone")
    wait_for(lambda: len(work.leaders()) > 1, 30, "a new group starts")
    wait_for(lambda: rows.find_one({"by": {"$exists": True, "$nin": list(old_group)}}), 30, "queued work goes on")
    goes_on_seconds = time.monotonic() - killed_at
    wait_for(lambda: done(rows) == ROW_COUNT, 30 - goes_on_seconds, "every task's effect")
    with capsys.disabled():
        complete_seconds = time.monotonic() - killed_at
        print(f"\n{kind}: gone {gone_seconds:.2f} s, goes on {goes_on_seconds:.2f} s, all {complete_seconds:.2f} s")
    assert not group_of(work.leaders()[0])


def test_after_kill_9_of_work_itself_nothing_survives_and_the_next_one_goes_on(start_work, rows):
    first = start_work()
    old_group = first.wait_until_complete()
    ring_for_rows(rows)
    wait_for(lambda: done(rows) >= 5, 90, "work begins")
    first.process.kill()
    wait_for(lambda: not any(map(is_alive, old_group)), 15, "the whole group is gone")
    start_work()
    # Rows whose tasks were in the hands of the dead are found by the sweep.
    wait_for(lambda: done(rows) == ROW_COUNT, 90, "every task's effect")


def test_silence_ends_a_group_but_long_tasks_do_not(start_work, database):
    other_database = database.client[f"{database.name}_busy"]
    queue.enqueue(tasks.sleep_long, "long", 24)
    other_database[broker.QUEUE].insert_one(database[broker.QUEUE].find_one_and_delete({}))
    silent, busy = start_work(), start_work(MONGODB_NAME=other_database.name, WORKER_PROCESSES="1")
    old_group = silent.wait_until_complete()
    os.kill(silent.member("monitor"), signal.SIGSTOP)  # lives, and does nothing
    wait_for(lambda: len(silent.leaders()) > 1, 120, "the silent group is replaced")
    assert not any(map(is_alive, old_group))
    wait_for(lambda: other_database[tasks.ROWS].find_one({"times": 1}), 90, "the long task ends")
    assert len(busy.leaders()) == 1
    busy.end()
    database.client.drop_database(other_database.name)


def test_a_failing_task_is_run_once_and_harms_nobody(start_work, rows):
    work = start_work()
    queue.enqueue(tasks.fail, "failing")
    queue.enqueue(tasks.do_row, "good")
    wait_for(lambda: done(rows) == 2, 90, "both ran")
    wait_for(lambda: queue.status()["running"] == 0, 30, "both were acknowledged")
    assert rows.find_one({"_id": "failing"})["times"] == 1
    assert len(work.leaders()) == 1


def test_a_task_that_kills_its_process_is_given_up_after_three_deliveries(start_work, rows, database):
    start_work()
    queue.enqueue(tasks.kill_own_process, "poison")
    wait_for(lambda: (rows.find_one({"_id": "poison"}) or {}).get("begun") == 3, 180, "three deliveries")
    queue.enqueue(tasks.do_row, "good")
    wait_for(lambda: done(rows) == 1, 90, "other tasks go on")
    assert rows.find_one({"_id": "poison"})["begun"] == 3


def test_sigterm_lets_a_running_task_end_and_leaves_nobody(start_work, rows):
    work = start_work()
    queue.enqueue(tasks.sleep_long, "running", 2)
    wait_for(lambda: rows.find_one({"begun": True}), 90, "the task is running")
    group = work.wait_until_complete()
    assert work.stop() == 0
    assert done(rows) == 1
    assert not any(map(is_alive, group))


def test_sigterm_cuts_off_a_task_after_10_s_and_it_is_done_again_later(start_work, rows, database):
    work = start_work()
    queue.enqueue(tasks.sleep_long, "running", 40)
    wait_for(lambda: rows.find_one({"begun": True}), 90, "the task is running")
    group, told_at = work.group(), time.monotonic()
    assert work.stop() == 1
    assert 9 < time.monotonic() - told_at < 15
    assert not any(map(is_alive, group))
    assert database[broker.QUEUE].count_documents({"taken": True}) == 1


def test_of_two_workers_one_ticks_and_the_other_takes_over_when_it_dies(start_work, database):
    works = [start_work(), start_work()]
    for work in works:
        work.wait_until_complete()
    ticked = database[tasks.TICKED]
    wait_for(ticked.find_one, 45, "somebody ticks")
    time.sleep(4)  # four ticks, at which the other one would have shown itself
    assert ticked.count_documents({}) == 1
    holder_pid = ticked.find_one()["_id"]
    holder = next(work for work in works if holder_pid in work.group())
    holder.process.kill()
    wait_for(lambda: ticked.count_documents({}) == 2, 30, "the other one ticks")
    wait_for(lambda: not is_alive(holder_pid), 15, "the old ticker is gone")


def test_the_guard_which_forks_has_one_thread_and_no_connection(start_work):
    work = start_work()
    work.wait_until_complete()
    guard = Path(f"/proc/{work.leaders()[0]}")
    assert "Threads:\t1\n" in (guard / "status").read_text()
    assert not [fd for fd in (guard / "fd").iterdir() if os.readlink(fd).startswith("socket:")]


def test_a_worker_waits_for_mongodb_and_goes_on_when_it_is_back(own_mongod, start_work, rows):
    work = start_work()
    work.wait_until_complete()
    own_mongod.stop()
    time.sleep(3)  # MongoDB stays away while its processes ask for it
    own_mongod.start()
    queue.enqueue(tasks.do_row, "after")
    wait_for(lambda: done(rows) == 1, 90, "the task is done")
    assert len(work.leaders()) == 1
