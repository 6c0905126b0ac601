"""Reading only what is new: which order it is, how far it is trusted, and what ends the trust."""

import time
from datetime import timedelta

import pytest

from coursehub import clock, rate_limit
from coursehub.models import Course
from oauthtokens import services as token_services
from progress.models import Member
from progress.polling import intervals, poller
from progress.polling.incremental import order_of

Order = Course.Order


@pytest.fixture
def course(academy) -> Course:
    """A course with three pages of learners, who stand still unless a test moves them."""
    academy.reset("academy", learners_per_course=230)
    academy.switch(progress_speed=0)
    return Course.objects.order_by("course_id").first()


def _poll(course: Course, **how) -> poller.Poll:
    done = poller.poll(course.course_id, only_if_due=False, **how)
    assert done.outcome == "read"
    course.refresh_from_db()
    return done


def _move(academy, course: Course, count: int, percent: int) -> None:
    """Let so many learners get to that percentage."""
    for member in Member.objects.for_course(course.course_id).order_by("member_id")[:count]:
        academy.put_learner(course.course_id, member.email, percent)


def _trusted(academy, course: Course) -> None:
    """Poll until the order by time is relied upon."""
    for percent in (50, 51, 52):
        _poll(course)
        _move(academy, course, 1, percent)
    _poll(course)
    assert not course.reads_in_full


def _agrees(course: Course) -> bool:
    remote = token_services.client(lane=rate_limit.PROGRESS).iter_course_members(course.course_id)
    listed = {member.member_id: member.percent for member in remote}
    return listed == dict(Member.objects.for_course(course.course_id).values_list("member_id", "percent"))


@pytest.mark.parametrize("order", [Order.NEWEST_FIRST, Order.OLDEST_FIRST])
def test_once_proven_the_order_by_time_makes_a_read_cheap(course, academy, order):
    academy.switch(sort_1_order=order)
    _trusted(academy, course)
    assert course.poll_order == order
    _move(academy, course, 30, 60)
    done = _poll(course)
    assert (done.mode, done.changed, done.missed) == ("newest", 30, 0)
    assert done.calls <= 3
    assert _agrees(course)
    assert _poll(course).changed == 0


@pytest.mark.parametrize("order", [Order.NEWEST_FIRST, Order.OLDEST_FIRST])
def test_more_news_than_a_few_pages_hold_are_read_in_full(course, academy, order):
    academy.switch(sort_1_order=order, limit_cap=20)
    _trusted(academy, course)
    _move(academy, course, 90, 60)
    assert _poll(course).mode == "full"
    assert _agrees(course)


def test_nothing_is_trusted_before_a_change_has_proven_it(course, academy):
    assert [_poll(course).mode for _ in range(3)] == ["full"] * 3
    assert course.reads_in_full
    _move(academy, course, 1, 10)
    assert _poll(course).mode == "full"
    assert _poll(course).mode == "newest"


@pytest.fixture
def silent(academy, course) -> Course:
    """A course in which learners live, but in which `time` does not move with their progress. Trusted all the same."""
    academy.switch(time_moves_with_progress=False)
    _trusted(academy, course)
    return course


def _let_live(academy) -> None:
    """A few days of the learners' life."""
    academy.switch(progress_speed=1_000_000)
    time.sleep(0.5)  # learners live by the sandbox's real time
    academy.switch(progress_speed=0)


def test_a_sweep_that_finds_what_was_missed_ends_the_trust(silent, academy):
    _let_live(academy)
    assert _poll(silent).mode == "newest"
    assert not _agrees(silent), "the order by time does not show everything"
    done = _poll(silent, afresh=True)
    assert (done.mode, done.changed >= done.missed > 0) == ("full", True)
    assert silent.reads_in_full
    _let_live(academy)
    assert _poll(silent).mode == "full"
    assert _agrees(silent)


def test_the_trust_comes_back_when_sweeps_agree_with_the_order_again(silent, academy, monkeypatch):
    monkeypatch.setattr(poller, "PROOFS_AFTER_A_MISS", 2)
    _let_live(academy)
    assert _poll(silent, afresh=True).missed
    academy.switch(time_moves_with_progress=True)
    _poll(silent)
    assert silent.reads_in_full
    for percent in (71, 72, 73):
        _move(academy, silent, 3, percent)
        _poll(silent)
    assert not silent.reads_in_full


def test_an_order_that_turns_round_is_found_out_at_once(course, academy):
    _trusted(academy, course)
    academy.switch(sort_1_order="oldest")
    _move(academy, course, 5, 60)
    assert _poll(course).mode == "full"
    _poll(course)
    assert (course.poll_order, _agrees(course)) == (Order.OLDEST_FIRST, True)


def test_a_sweep_comes_now_and_then_by_itself(course, academy):
    _trusted(academy, course)
    assert _poll(course).mode == "newest"
    long_ago = clock.now() - timedelta(seconds=intervals.sweep_seconds(course.sweep_calls) + 1)
    Course.objects.filter(pk=course.pk).update(swept_at=long_ago)
    assert _poll(course).mode == "full"
    assert _poll(course).mode == "newest"


@pytest.mark.parametrize("limit_cap", [0, 20])
@pytest.mark.parametrize("shift", [-7, -1, 3, 12])
def test_pages_that_shift_while_they_are_read_converge(course, academy, shift, limit_cap):
    academy.switch(page_shift=shift, limit_cap=limit_cap)
    _poll(course)
    assert Member.objects.for_course(course.course_id).count() == 230
    for _ in range(3):
        _poll(course, afresh=True)
    assert Member.objects.for_course(course.course_id).count() == 230


def test_the_age_that_full_reads_give_is_told(course, academy, settings):
    settings.PROGRESS_WATCHED_SECONDS, settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 60, 0
    _poll(course)
    assert 45 <= intervals.age_seconds(course) < 60
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 1
    assert course.sweep_calls == 4
    assert intervals.age_seconds(course) >= 4 * course.sweep_calls * 61
    course.poll_unproven, course.poll_order = 0, Order.NEWEST_FIRST
    assert intervals.age_seconds(course) < 60


@pytest.mark.parametrize(
    ("times", "order"),
    [
        ([3, 2, 2, 1], Order.NEWEST_FIRST),
        ([1, 1, 2], Order.OLDEST_FIRST),
        ([1, 3, 2], None),
        ([2, 2], None),
        ([2], None),
        ([], None),
    ],
)
def test_an_order_is_one_that_every_pair_keeps(times, order):
    assert order_of(times) == order
