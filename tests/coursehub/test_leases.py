"""A lease is won by one of many, ends with its deadline, and whoever was overtaken writes nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from coursehub import clock
from coursehub.leases import FencedLease, backoff, jittered_backoff_seconds
from coursehub.mongo import outside_transaction

LEASE = FencedLease(until="until", fence="fence", seconds=60)


@pytest.fixture
def work(database):
    collection = outside_transaction("coursehub_lease_test")
    collection.insert_one({"_id": 1, "done": 0})
    yield collection
    collection.drop()


def test_of_many_one_wins(work):
    with ThreadPoolExecutor(8) as pool:
        won = [held for held in pool.map(lambda _: LEASE.win(work, {"_id": 1}), range(16)) if held]
    assert [held["fence"] for held in won] == [1]


def test_after_its_deadline_another_wins_and_the_first_writes_nothing_more(work):
    first = LEASE.win(work, {"_id": 1}, done={"$add": ["$done", 1]})
    work.update_one({"_id": 1}, {"$set": {"until": clock.now()}})
    second = LEASE.win(work, {"_id": 1, "$expr": {"$eq": ["$done", 1]}})
    assert (first["fence"], second["fence"]) == (1, 2)
    assert not LEASE.write(work, {"_id": 1, "fence": first["fence"]}, LEASE.released())
    assert LEASE.win(work, {"_id": 1}) is None
    assert LEASE.write(work, {"_id": 1, "fence": second["fence"]}, {"done": 2}, {"left": "$done", **LEASE.released()})
    assert work.find_one({"_id": 1})["left"] == 2
    assert LEASE.win(work, {"_id": 1})["fence"] == 3


def test_conditions_of_ones_own_hold_beside_the_leases(work):
    assert LEASE.win(work, {"_id": 1, "$expr": {"$gt": ["$done", 0]}}) is None


@pytest.mark.parametrize(
    ("failures", "counted", "seconds"),
    [(0, False, 5), (1, False, 15), (9, False, 60), (None, False, 5), (1, True, 5), (3, True, 60), (0, True, 5)],
)
def test_waits_grow_with_failures_in_a_row(work, failures, counted, seconds):
    work.update_one({"_id": 1}, {"$set": {"failures": failures}})
    wait = {"wait": backoff("failures", (5, 15, 60), counted=counted)}
    assert work.find_one({"_id": 1}, wait)["wait"] == seconds


@pytest.mark.parametrize(("failures", "longest"), [(0, 2), (1, 4), (2, 8), (50, 900)])
def test_those_who_failed_together_come_back_apart(failures, longest):
    waits = [jittered_backoff_seconds(failures, first_seconds=2, longest_seconds=900) for _ in range(50)]
    assert longest / 2 <= min(waits) < max(waits) <= longest
