"""Slots are evenly spaced across all callers, and a pause holds everybody."""

import itertools
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from coursehub import academy, call_counts, rate_limit, throttles
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors


@pytest.fixture
def drawn(database):
    """`drawn(count)`: the moments of the next so many slots, as MongoDB gave them; no clock of a busy machine."""
    with outside_transaction(throttles.BUDGET).watch() as stream:

        def slot() -> datetime:
            event = next(stream)
            return (event.get("fullDocument") or event["updateDescription"]["updatedFields"])["slot"]

        yield lambda count: [slot() for _ in range(count)]


def test_parallel_callers_get_slots_one_interval_apart(drawn, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 600, 0
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=60), range(24)))
    slots = drawn(24)
    assert all(later - earlier >= timedelta(seconds=0.1) for earlier, later in itertools.pairwise(slots))
    assert max(waits) <= 24 * 0.1


def test_a_slot_too_far_away_is_not_drawn(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 60, 0
    assert rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=0.5) == 0
    assert rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=0.5) is None
    assert 0.5 < rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=5) <= 1


def test_a_pause_moves_the_next_slot_of_everybody(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0
    assert rate_limit.draw_slot(rate_limit.INVITATIONS, within_seconds=1) == 0
    rate_limit.pause(30)
    assert rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=1) is None
    assert 28 < rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=60) <= 30
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 600
    assert 28 < rate_limit.draw_slot(rate_limit.PROGRESS, within_seconds=60) <= 30


def test_a_reserved_slot_is_spent_once(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 60, 0
    assert rate_limit.reserve_slot(rate_limit.INVITATIONS, within_seconds=1)
    began = time.monotonic()
    rate_limit.wait_for_slot(rate_limit.INVITATIONS)
    assert time.monotonic() - began < 0.8
    rate_limit.wait_for_slot(rate_limit.INVITATIONS)
    assert time.monotonic() - began > 0.8


def test_a_caller_gives_up_at_its_own_deadline(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 6, 0
    rate_limit.wait_for_slot(rate_limit.INVITATIONS)
    began = time.monotonic()
    rate_limit.give_up_at(began + 0.3)
    try:
        with pytest.raises(rate_limit.NoSlotInTime):
            rate_limit.wait_for_slot(rate_limit.INVITATIONS)
    finally:
        rate_limit.give_up_at(None)
    assert time.monotonic() - began < 1


def _drawn_by(*lanes: str, seconds: float) -> tuple[Counter, list[float]]:
    """Slots per lane, and when they begin, while each of `lanes` has a caller that wants one after the other."""
    ends_at, slots, counted = time.monotonic() + seconds, [], Counter()

    def want(lane: str) -> None:
        while (left := ends_at - time.monotonic()) > 0:
            if rate_limit.reserve_slot(lane, within_seconds=left):
                rate_limit.wait_for_slot(lane)
                slots.append(time.monotonic())
                counted[lane] += 1

    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(want, lanes))
    return counted, sorted(slots)


def test_two_lanes_that_both_want_calls_share_them(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 1200, 0
    settings.PROGRESS_LANE_SHARE = 0.25
    counted, slots = _drawn_by(*[rate_limit.INVITATIONS] * 6, *[rate_limit.PROGRESS] * 3, seconds=5)
    assert 0.12 < counted[rate_limit.PROGRESS] / len(slots) < 0.45
    assert len(slots) > 80, "what one lane leaves, the other uses"


@pytest.mark.parametrize("lane", [rate_limit.INVITATIONS, rate_limit.PROGRESS])
def test_a_lane_alone_has_all_slots_and_owes_none_afterwards(database, settings, lane):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 1200, 0
    _, slots = _drawn_by(lane, lane, seconds=2)
    assert len(slots) > 30
    counted, _ = _drawn_by(*[rate_limit.INVITATIONS] * 2, *[rate_limit.PROGRESS] * 2, seconds=2)
    assert min(counted.values()) >= 4, "neither has to make up for the time before"


def test_the_calls_of_the_last_minute_are_counted_for_all_lanes(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 60_000, 0
    for number in range(12):
        rate_limit.wait_for_slot((rate_limit.INVITATIONS, rate_limit.PROGRESS)[number % 2])
    counted = call_counts.within_a_minute("coursehub_callbudget", {"_id": "academy"})
    assert 11 <= counted <= 12  # the minute of the clock may have turned


def test_the_pace_of_the_first_throttle_of_a_row_is_a_fact_of_the_academy(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 60_000, 0
    for _ in range(30):
        rate_limit.wait_for_slot(rate_limit.INVITATIONS)
    rate_limit.throttled(errors.Throttled(wait_seconds=0.0))
    pace = academy.profile().throttled_at_per_minute
    assert 27 <= pace <= 30
    for _ in range(3):  # the calls of a row, told twice each
        rate_limit.throttled(errors.Throttled(wait_seconds=0.0))
    assert academy.profile().throttled_at_per_minute == pace


def test_without_a_budget_no_pace_is_noted(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0
    rate_limit.throttled(errors.Throttled())
    assert academy.profile().throttled_at_per_minute is None
