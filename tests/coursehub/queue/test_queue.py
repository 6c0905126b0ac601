"""The queue as its callers see it, on a real MongoDB; who runs the tasks is tested in test_workers.py."""

import json
import time
from multiprocessing import Semaphore
from uuid import uuid4

import pytest
from bson import ObjectId
from django.contrib.admin import AdminSite
from django.db import transaction
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from coursehub import queue
from coursehub.queue import broker, workers
from coursehub.queue.broker import Broker, Identity
from coursehub.queue.heartbeat import SILENCE_SECONDS, START_SECONDS, Sign, SilenceWatch
from tests.support.queue import tasks

HERE = Identity("here", 1)


def waiting(store):
    return [row["bell"] for row in store[broker.QUEUE].find({"taken": False}, sort=[("_id", 1)])]


def test_a_task_arrives_by_its_path_with_its_ids(database):
    number = uuid4()
    queue.enqueue(tasks.do_row, "a", 7, number)
    assert waiting(database) == [f'["tests.support.queue.tasks.do_row", "a", 7, "{number}"]']


def test_the_same_task_waits_once_but_rings_again_when_it_was_taken(database):
    queue.enqueue(tasks.do_row, "a")
    queue.enqueue(tasks.do_row, "a")
    queue.enqueue(tasks.do_row, "b")
    assert len(waiting(database)) == 2
    Broker(identity=HERE).dequeue()
    queue.enqueue(tasks.do_row, "a")
    assert len(waiting(database)) == 2


@pytest.mark.parametrize("argument", [{"a": 1}, ["a"], None, 1.5, b"a"])
def test_a_task_takes_ids_only(database, argument):
    with pytest.raises(TypeError, match="ids only"):
        queue.enqueue(tasks.do_row, argument)
    assert waiting(database) == []


def test_a_function_that_a_worker_cannot_import_is_refused(database):
    with pytest.raises(ValueError, match="cannot import"):
        queue.enqueue(lambda: None)


def test_inside_atomic_it_rings_after_the_commit_and_not_after_a_rollback(database):
    with transaction.atomic():
        queue.enqueue(tasks.do_row, "committed")
        assert waiting(database) == []
    assert len(waiting(database)) == 1
    with transaction.atomic():
        queue.enqueue(tasks.do_row, "rolled back")
        transaction.set_rollback(True)
    assert len(waiting(database)) == 1


def test_enqueue_raises_soon_when_mongodb_is_away(database, monkeypatch):
    away = MongoClient("mongodb://127.0.0.1:1/", connect=False)
    monkeypatch.setattr(broker, "outside_transaction", lambda name: away["nowhere"][name])
    started = time.monotonic()
    with pytest.raises(PyMongoError):
        queue.enqueue(tasks.do_row, "a")
    assert time.monotonic() - started < 5


def test_enqueue_takes_less_than_10_ms(database):
    queue.enqueue(tasks.do_row, "warm")
    times_ms = []
    for number in range(101):
        started = time.perf_counter()
        queue.enqueue(tasks.do_row, number)
        times_ms.append((time.perf_counter() - started) * 1000)
    assert sorted(times_ms)[50] < 10


def test_a_busy_group_leaves_the_next_task_to_an_idle_one(database):
    for number in range(2):
        queue.enqueue(tasks.do_row, number)
    busy = Broker(identity=HERE, free=Semaphore(1))
    [(first, _)] = busy.dequeue()
    assert busy.dequeue() is None
    assert Broker(identity=Identity("there", 1), free=Semaphore(1)).dequeue()
    queue.enqueue(tasks.do_row, 2)
    busy.acknowledge(first)
    assert busy.dequeue()


def test_a_look_that_finds_nothing_leaves_the_group_idle(database):
    idle = Broker(identity=HERE, free=Semaphore(1))
    assert idle.dequeue() is None
    queue.enqueue(tasks.do_row, 1)
    assert idle.dequeue()


def test_two_brokers_never_take_the_same_task(database):
    for number in range(5):
        queue.enqueue(tasks.do_row, number)
    brokers = [Broker(identity=HERE), Broker(identity=Identity("there", 1))] * 3
    taken = [ack_id for each in brokers for ack_id, _ in each.dequeue() or []]
    assert len(taken) == len(set(taken)) == 5


def test_a_heartbeat_reaches_only_its_own_worker(database):
    queue.producer.ring("coursehub.queue.producer.heartbeat", only_for_worker="there")
    assert Broker(identity=HERE).dequeue() is None
    assert Broker(identity=Identity("there", 1)).dequeue()


def test_what_a_former_group_of_this_worker_had_taken_waits_again(database):
    queue.enqueue(tasks.do_row, "a")
    Broker(identity=HERE).dequeue()
    broker.release_former_runs(HERE)
    assert waiting(database) == []
    broker.release_former_runs(Identity("here", 2))
    assert len(waiting(database)) == 1


def test_what_a_dead_worker_had_taken_waits_again_and_what_a_living_one_has_does_not(database):
    for key in "ab":
        queue.enqueue(tasks.do_row, key)
    for worker in ("dead", "living"):
        Broker(identity=Identity(worker, 1)).dequeue()
    workers.stamp("living", 1)
    assert workers.living_workers() == ["living"]
    broker.release_lost(["living"], presence_seconds=0)
    assert waiting(database) == ['["tests.support.queue.tasks.do_row", "a"]']


def test_a_task_that_never_ends_is_dropped_after_three_deliveries(database):
    queue.enqueue(tasks.do_row, "a")
    for run in (1, 2, 3):
        assert Broker(identity=Identity("here", run)).dequeue()
        broker.release_former_runs(Identity("here", run + 1))
    assert database[broker.QUEUE].count_documents({}) == 0


def test_the_lease_of_the_ticker_has_one_holder_and_moves_when_given_back(database):
    first, second = workers.TickerLease("first"), workers.TickerLease("second")
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.give_back()
    assert second.hold()


def test_a_lease_that_ran_out_is_taken_over(database):
    assert workers.TickerLease("first").hold()
    database["coursehub_lease"].update_one({"_id": "ticker"}, [{"$set": {"until": "$$NOW"}}])
    assert workers.TickerLease("second").hold()


def test_status_counts_tasks_and_workers_but_no_heartbeats(database):
    queue.enqueue(tasks.do_row, "a")
    queue.producer.ring("coursehub.queue.producer.heartbeat", only_for_worker="here")
    workers.stamp("here", 1)
    assert queue.status() == {"workers": 1, "waiting": 1, "running": 0}


def test_no_model_of_the_queue_stays_in_an_admin_site():
    from django.contrib import admin
    from django_q.models import Failure, OrmQ, Schedule, Success

    queue.hide_queue_models(admin.site)
    assert not any(admin.site.is_registered(model) for model in (Failure, OrmQ, Schedule, Success))
    site = AdminSite()
    site.register(Schedule)
    queue.hide_queue_models(site)
    assert not site.is_registered(Schedule)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ([Sign.GUARD, Sign.TICK, Sign.TASK_PASSED], ""),
        ([Sign.BUSY, Sign.TICK], ""),
        ([Sign.GUARD, Sign.MONGODB_AWAY], ""),
        ([Sign.GUARD, Sign.TICK], "tasks"),
        ([Sign.GUARD, Sign.TASK_PASSED], "ticker"),
        ([Sign.TICK, Sign.TASK_PASSED], "guard"),
    ],
)
def test_a_group_must_end_when_one_of_its_duties_is_silent_without_excuse(signs, verdict):
    watch = SilenceWatch(now=0)
    watch.note(Sign.GUARD.value, now=1)
    watch.note(b"".join(sign.value for sign in signs), now=15)
    reason = watch.verdict(now=1 + SILENCE_SECONDS + 1)
    assert verdict in reason
    assert bool(reason) == bool(verdict)


def test_a_group_has_time_to_start():
    watch = SilenceWatch(now=0)
    assert watch.verdict(now=START_SECONDS - 1) == ""
    assert "did not start" in watch.verdict(now=START_SECONDS + 1)


def _ring(lane: queue.Lane, *names: str, head_start_seconds: float = 0) -> None:
    for name in names:
        queue.enqueue(tasks.do_row, name, turn=queue.Turn(lane, head_start_seconds))


def _taken(database, count: int) -> list[str]:
    """The names of the tasks that one group takes, in that order."""
    group = Broker(identity=HERE)
    numbers = [ObjectId(ack_id) for _ in range(count) for ack_id, _ in group.dequeue()]
    bells = {task["_id"]: json.loads(task["bell"])[1] for task in database[broker.QUEUE].find()}
    return [bells[number] for number in numbers]


def test_a_read_does_not_wait_behind_sixteen_slices_of_sending(database):
    _ring(queue.Lane.SENDING, *(f"batch {number}" for number in range(16)))
    _ring(queue.Lane.READING, "read")
    assert "read" in _taken(database, 2)


def test_a_batch_does_not_wait_behind_forty_reads(database):
    _ring(queue.Lane.READING, *(f"read {number}" for number in range(40)))
    _ring(queue.Lane.SENDING, "batch")
    _ring(queue.Lane.OTHER, "short")
    assert {"batch", "short"} < set(_taken(database, 3))


def test_lanes_go_on_taking_turns(database):
    _ring(queue.Lane.SENDING, *(f"batch {number}" for number in range(5)))
    _ring(queue.Lane.READING, *(f"read {number}" for number in range(5)))
    kinds = [name.split()[0] for name in _taken(database, 10)]
    assert kinds == ["batch", "read"] * 5


def test_within_a_lane_a_head_start_comes_first_and_is_given_to_a_task_that_waits_already(database):
    _ring(queue.Lane.READING, "clock", head_start_seconds=-60)
    _ring(queue.Lane.READING, "people", "another")
    _ring(queue.Lane.READING, "another", head_start_seconds=3600)
    _ring(queue.Lane.READING, "another", head_start_seconds=-60)
    assert _taken(database, 3) == ["another", "people", "clock"]


def test_what_the_clock_asked_for_is_not_overtaken_for_ever(database):
    _ring(queue.Lane.READING, "clock", head_start_seconds=-60)
    database[broker.QUEUE].update_one({}, [{"$set": {"place_at": broker.seconds_from_now(-1)}}])  # a minute later
    _ring(queue.Lane.READING, "people")
    assert _taken(database, 2) == ["clock", "people"]
