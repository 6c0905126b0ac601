"""Slots are evenly spaced across all callers, and a pause holds everybody."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

from coursehub import pacing


def test_parallel_callers_get_slots_one_interval_apart(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 600, 0

    def draw(_):
        wait_seconds = pacing.draw_slot(pacing.PROGRESS, within_seconds=60)
        return time.monotonic() + wait_seconds

    with ThreadPoolExecutor(8) as pool:
        starts = sorted(pool.map(draw, range(24)))
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert starts[-1] - starts[0] > 23 * 0.1 * 0.9
    assert sum(gap < 0.05 for gap in gaps) <= 2  # reading the clock in Python is not exact


def test_a_slot_too_far_away_is_not_drawn(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 60, 0
    assert pacing.draw_slot(pacing.PROGRESS, within_seconds=0.5) == 0
    assert pacing.draw_slot(pacing.PROGRESS, within_seconds=0.5) is None
    assert 0.5 < pacing.draw_slot(pacing.PROGRESS, within_seconds=5) <= 1


def test_a_pause_moves_the_next_slot_of_everybody(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0
    assert pacing.draw_slot(pacing.INVITATIONS, within_seconds=1) == 0
    pacing.pause(30)
    assert pacing.draw_slot(pacing.PROGRESS, within_seconds=1) is None
    assert 28 < pacing.draw_slot(pacing.PROGRESS, within_seconds=60) <= 30
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 600
    assert 28 < pacing.draw_slot(pacing.PROGRESS, within_seconds=60) <= 30


def test_a_reserved_slot_is_spent_once(database, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PACING_JITTER_SECONDS = 120, 0
    assert pacing.reserve_slot(pacing.INVITATIONS, within_seconds=1)
    began = time.monotonic()
    pacing.wait_for_slot(pacing.INVITATIONS)
    assert time.monotonic() - began < 0.2
    pacing.wait_for_slot(pacing.INVITATIONS)
    assert time.monotonic() - began > 0.3
