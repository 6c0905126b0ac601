"""What a batch that waits for its course's members is told about it."""

from datetime import timedelta

import pytest

from coursehub import clock, course_members, rate_limit
from coursehub.models import Course
from progress.polling import poll_lease
from tests.support.makers import make_course

MINE = "3000000001"


@pytest.fixture
def wanted(database) -> Course:
    make_course(MINE)
    course_members.ask_for_sweep([MINE], since=clock.now())
    return Course.objects.get()


def _ask_before(*numbers: int, **fields) -> None:
    for number in numbers:
        course_id = f"4{number:09}"
        make_course(course_id, wanted_at=clock.now() - timedelta(minutes=1), wanted_since=clock.now(), **fields)


def _seconds(waiting: course_members.Waiting) -> float:
    return (waiting.expected_at - clock.now()).total_seconds()


def test_nothing_in_front(wanted):
    waiting = course_members.waiting_for([MINE])
    assert (waiting.courses, waiting.reads_in_front, waiting.trouble) == (1, 0, "")
    assert waiting.sentence == (
        "The list of the course's learners is being read anew; nothing is sent before that. "
        "It should be done within a minute."
    )


def test_wishes_from_before_and_reads_under_way_are_in_front_and_later_ones_are_not(wanted):
    _ask_before(1, 2)
    make_course("4000000003", wanted_at=clock.now() + timedelta(minutes=1), wanted_since=clock.now())
    make_course("4000000004", poll_due_at=clock.now() - timedelta(hours=1))
    make_course("4000000005", poll_lease_until=clock.now() + timedelta(seconds=30))
    make_course("4000000006", wanted_at=clock.now() - timedelta(minutes=1), gone_at=clock.now())
    waiting = course_members.waiting_for([MINE])
    assert waiting.reads_in_front == 3
    assert "3 reads are in front; it should be done within a minute." in waiting.sentence


def test_the_time_follows_the_budget_and_the_size_of_the_lists(wanted, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 60
    free = _seconds(course_members.waiting_for([MINE]))
    assert 2 < free < 8
    _ask_before(1, sweep_calls=100, sweep_rows=9_500)
    assert 100 < _seconds(course_members.waiting_for([MINE])) - free < 104
    Course.objects.filter(sweep_calls=100).update(poll_offset=9_500 // 2)
    assert 49 < _seconds(course_members.waiting_for([MINE])) - free < 54
    rate_limit.pause(300)
    assert _seconds(course_members.waiting_for([MINE])) > 300
    assert "at about " in course_members.waiting_for([MINE]).sentence


def test_a_batch_that_is_sent_takes_its_share(wanted, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 60
    _ask_before(1, sweep_calls=50)
    alone = _seconds(course_members.waiting_for([MINE]))
    rate_limit.draw_slot(rate_limit.INVITATIONS, within_seconds=5)
    assert _seconds(course_members.waiting_for([MINE])) > alone + 40


def test_trouble_is_said_with_when_it_is_tried_again(wanted):
    lease = poll_lease.win(MINE, only_if_due=True, afresh=False)
    poll_lease.fail(lease, "TrainerCentral cannot be reached.", wait_seconds=600)
    waiting = course_members.waiting_for([MINE])
    assert waiting.trouble == "TrainerCentral cannot be reached."
    assert 590 < _seconds(waiting) < 601
    assert "TrainerCentral cannot be reached. It is tried again at about" in waiting.sentence


def test_after_the_read(wanted):
    lease = poll_lease.win(MINE, only_if_due=True, afresh=False)
    poll_lease.finish(lease, poll_lease.Done(sweep=poll_lease.Sweep(calls=2, rows=0, unproven=0)))
    assert course_members.waiting_for([MINE]).courses == 0
    assert "read anew" in course_members.waiting_for([MINE]).sentence


def test_many_courses(wanted):
    _ask_before(1)
    assert "The learners of 2 courses are being read anew" in course_members.waiting_for([MINE, "4000000001"]).sentence
