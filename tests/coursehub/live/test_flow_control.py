"""When a client counts as slow, and when as gone."""

from hypothesis import given
from hypothesis import strategies as st

from coursehub.live.flow_control import GIVE_UP_SECONDS, MAX_CHANGES, MAX_SECONDS, SLOWEST_BYTES_PER_SECOND, Outstanding


def test_a_client_that_acknowledges_is_never_slow():
    outstanding = Outstanding()
    for revision in range(1000):
        outstanding.sent(revision, now=revision * 1.0)
        outstanding.acknowledged(revision)
        assert not outstanding.is_slow(revision + 100.0)


def test_two_hundred_unacknowledged_frames_are_too_many():
    outstanding = Outstanding()
    for revision in range(MAX_CHANGES - 1):
        outstanding.sent(revision, now=0.0)
    assert not outstanding.is_slow(0.0)
    outstanding.sent(MAX_CHANGES, now=0.0)
    assert outstanding.is_slow(0.0)


def test_five_seconds_without_acknowledgement_are_too_long_and_ten_the_end():
    outstanding = Outstanding()
    outstanding.sent(7, now=100.0)
    assert not outstanding.is_slow(100.0 + MAX_SECONDS - 0.1)
    assert outstanding.is_slow(100.0 + MAX_SECONDS)
    assert not outstanding.is_hopeless(100.0 + GIVE_UP_SECONDS - 0.1)
    assert outstanding.is_hopeless(100.0 + GIVE_UP_SECONDS)


def test_a_large_snapshot_is_not_late_while_it_may_still_be_on_its_way():
    outstanding = Outstanding()
    outstanding.sent(7, now=100.0, size_bytes=30 * SLOWEST_BYTES_PER_SECOND)
    assert not outstanding.is_slow(130.0)
    assert outstanding.is_slow(130.0 + MAX_SECONDS)
    assert outstanding.is_hopeless(130.0 + GIVE_UP_SECONDS)


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 50))
def test_an_acknowledgement_covers_everything_up_to_its_revision(steps, acknowledged):
    outstanding, revision = Outstanding(), 0
    sent = []
    for step in steps:
        revision += step
        outstanding.sent(revision, now=0.0)
        sent.append(revision)
    outstanding.acknowledged(acknowledged)
    assert outstanding.is_hopeless(GIVE_UP_SECONDS) == any(one > acknowledged for one in sent)
