"""After a throttle everybody waits, longer each time in a row, and then one caller tries for all."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from coursehub import clock, rate_limit, throttles
from coursehub.mongo import outside_transaction
from coursehub.throttles import Turn
from coursehub.trainercentral import errors
from oauthtokens import services as token_services

INVITE, MEMBERS = "addCourseAttendee.json", "course/<id>/courseMembers.json"


def told(seconds: float | None = None, endpoint: str = INVITE) -> errors.Throttled:
    return errors.Throttled("HTTP 429", wait_seconds=seconds, endpoint=endpoint)


def budget() -> dict:
    return outside_transaction(throttles.BUDGET).find_one(throttles.THE_ONE)


def let_the_wait_end() -> None:
    over = {"$set": {"paused_until": clock.now() - timedelta(seconds=1)}}
    outside_transaction(throttles.BUDGET).update_one(throttles.THE_ONE, over)


@pytest.fixture(autouse=True)
def quick(settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0


def in_a_thread(function, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def test_waits_grow_while_throttled_in_a_row(database):
    waits = []
    for _ in range(8):
        waits.append(round(rate_limit.throttled(told())))
        let_the_wait_end()
    assert waits == [5, 15, 60, 300, 900, 1800, 1800, 1800]


def test_throttles_of_calls_that_were_under_way_belong_to_one_wait(database):
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(rate_limit.throttled, [told()] * 8))
    assert all(4 < wait <= 5 for wait in waits)
    assert budget()["throttles"] == 1


@pytest.mark.parametrize(("said", "waited"), [(90, 90), (1, 5), (None, 5), (80_000, 7200)])
def test_what_they_say_is_the_least_if_it_makes_sense(database, said, waited):
    assert rate_limit.throttled(told(said)) == pytest.approx(waited, abs=0.1)


def test_constant_answer_does_not_shorten_the_waits(database):
    rate_limit.throttled(told(1))
    assert 4 < rate_limit.throttled(told(1)) <= 5
    let_the_wait_end()
    assert 14 < rate_limit.throttled(told(1)) <= 15


def test_one_thread_goes_first_and_the_others_when_it_was_answered(database):
    rate_limit.throttled(told())
    assert throttles.turn(INVITE) is Turn.WAIT, "the wait is not over"
    let_the_wait_end()
    assert throttles.turn(INVITE) is Turn.FIRST
    assert in_a_thread(throttles.turn, INVITE) is Turn.WAIT
    assert in_a_thread(throttles.turn, MEMBERS) is Turn.FREE, "that endpoint was not throttled"
    rate_limit.called(INVITE, None)
    assert in_a_thread(throttles.turn, INVITE) is Turn.FREE
    assert budget()["throttles"] == 0


def test_first_who_gets_no_answer_lets_another_try_and_the_row_stands(database):
    rate_limit.throttled(told())
    let_the_wait_end()
    assert throttles.turn(INVITE) is Turn.FIRST
    rate_limit.called(INVITE, errors.Unreachable())
    assert in_a_thread(throttles.turn, INVITE) is Turn.FIRST
    assert budget()["throttles"] == 1


def test_another_endpoint_that_answers_does_not_end_the_row(database):
    rate_limit.throttled(told(endpoint=INVITE))
    rate_limit.throttled(told(endpoint=MEMBERS))
    let_the_wait_end()
    assert throttles.turn(MEMBERS) is Turn.FIRST
    rate_limit.called(MEMBERS, errors.NotFound())
    assert (budget()["throttles"], budget()["throttled"]) == (1, [INVITE])


def test_call_without_a_throttle_writes_nothing(database):
    before = budget()
    rate_limit.called(INVITE, None)
    assert budget() == before


@pytest.mark.parametrize(
    ("per_minute", "headers"),
    [(0, {}), (0, {"Retry-After": "0"}), (6000, {"Retry-After": "Sat, 01 Jan 2022 00:00:00 GMT"})],
)
def test_of_many_callers_one_is_throttled_per_wait(academy, settings, monkeypatch, headers, per_minute):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = per_minute, 0
    monkeypatch.setattr(throttles, "WAIT_SECONDS", (0.7, 0.8))
    throttle = {"status": 429, "headers": headers, "for": "*@slow.example.org", "times": 10}
    academy.switch(invitation_answers=[throttle])
    client, course_id = token_services.client(), "3000094000002000004"

    def until_taken(number: int) -> str:
        while True:
            try:
                return client.invite(
                    course_id=course_id, email=f"l{number}@slow.example.org", first_name="A", last_name="B"
                ).member_id
            except errors.Throttled:
                time.sleep(0.01)  # a caller that asks again at once

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(until_taken, range(8)))
    at = [call["at_ms"] for call in academy.calls() if call["status"] == 429]
    under_way = [one for one in at if one - at[0] < 600]  # when the first wait began
    alone = at[len(under_way) - 1 :]
    assert len(at) == 10
    assert len(under_way) <= 8
    assert all(later - earlier > 600 for earlier, later in itertools.pairwise(alone)), "one per wait"
    assert set(academy.invitations().values()) == {1}


class Overtaken:
    """The budget's document, as a thread reads it that another's throttle overtakes between the read and the rest."""

    def __init__(self, collection) -> None:
        self.collection = collection

    def find_one(self, *arguments):
        found = self.collection.find_one(*arguments)
        throttles.note(told())
        return found


def test_who_looked_before_a_throttle_tells_nobody_that_all_is_free(database, monkeypatch):
    rate_limit.pause(0)  # nothing is remembered of earlier looks
    with monkeypatch.context() as patch:
        patch.setattr(rate_limit, "outside_transaction", lambda name: Overtaken(outside_transaction(name)))
        assert in_a_thread(partial(rate_limit.reserve_slot, rate_limit.INVITATIONS, within_seconds=0))
    assert not rate_limit.reserve_slot(rate_limit.INVITATIONS, within_seconds=0)
