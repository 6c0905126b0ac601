"""Values that came and could not be read, and lists that repeat themselves: said by the course, and never believed."""

import logging

import pytest

from coursehub.models import Course
from progress.models import Member
from progress.polling import member_store, poller, unreadable_values
from tests.support.makers import make_course, remote_member, store

ID = "3000000001"


def _unread(number: int, *fields: str, sample: str = "n/a", **values):
    values = {"percent": None} | values if "percent" in fields else values
    return remote_member(number, unreadable=fields, samples=(sample,) * len(fields), **values)


def test_the_old_value_is_kept_and_the_course_says_what_was_not_read(database):
    make_course()
    store(*(remote_member(number, percent=42) for number in range(5)))
    store(*(_unread(number, "percent") for number in range(3)), _unread(4, "last_login_at", sample="", percent=42))
    assert {member.percent for member in Member.objects.all()} == {42}
    assert unreadable_values.sentence(ID) == (
        "Progress of 3 learners could not be read (percent: “n/a”); "
        "Last visit of 1 learner could not be read (last_login_at). What was known before is shown."
    )
    store(*(remote_member(number, percent=43) for number in range(5)))
    assert unreadable_values.sentence(ID) == ""


def test_what_is_not_stored_is_no_trouble_and_the_same_again_is_no_change(database):
    make_course()
    assert store(_unread(1, "total_lessons"), _unread(2, "percent")) == 2
    assert unreadable_values.sentence(ID).startswith("Progress of 1 learner ")
    assert store(_unread(1, "total_lessons"), _unread(2, "percent")) == 0


def test_rows_stored_before_there_was_such_a_note_are_unchanged(database):
    from coursehub.mongo import outside_transaction

    make_course()
    store(remote_member(1))
    outside_transaction(Member).update_many({}, {"$unset": {"unreadable": ""}})
    assert store(remote_member(1)) == 0


@pytest.fixture
def course(academy) -> Course:
    return Course.objects.order_by("course_id").first()


def test_a_read_says_it_and_a_read_without_trouble_takes_it_back(course, academy, client_for, caplog):
    caplog.set_level(logging.DEBUG, logger="progress")
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    academy.switch(percent_style="words", progress_speed=0)
    before = dict(Member.objects.values_list("member_id", "percent"))
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    assert dict(Member.objects.values_list("member_id", "percent")) == before
    course.refresh_from_db()
    everybody = Member.objects.for_course(course.course_id).count()
    assert course.unreadable.startswith(f"Progress of {everybody} learners could not be read (percent: “n/a”)")
    page = client_for("administrator").get(f"/progress/{course.course_id}/").content.decode()
    assert "could not be read (percent: “n/a”)" in page
    assert (
        "could not be read (percent: “n/a”)"
        in client_for("administrator").get(f"/admin/coursehub/course/{course.pk}/change/").content.decode()
    )
    academy.switch(percent_style="whole")
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    course.refresh_from_db()
    assert course.unreadable == ""
    assert not any("@" in record.getMessage() for record in caplog.records if record.name.startswith("progress"))


def test_a_list_that_repeats_itself_is_said_and_nobody_is_gone(course, academy):
    academy.add_learners(course.course_id, 230)
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    before = Member.objects.for_course(course.course_id).count()
    assert before > 200
    academy.switch(si_ignored=True)
    for _ in range(member_store.SWEEPS_UNTIL_GONE + 1):
        done = poller.poll(course.course_id, only_if_due=False, afresh=True)
        assert done.outcome == "failed"
    course.refresh_from_db()
    assert course.poll_error.startswith("TrainerCentral repeats the first learners of the course")
    assert Member.objects.for_course(course.course_id).count() == before
    assert not Member.objects.filter(absent_sweeps__gt=0).exists()


def test_a_short_list_is_read_from_an_academy_that_repeats_itself(course, academy):
    academy.switch(si_ignored=True)
    other = Course.objects.order_by("course_id").last()
    academy.add_learners(other.course_id, 230)
    assert poller.poll(other.course_id, only_if_due=False, afresh=True).outcome == "failed"
    done = poller.poll(course.course_id, only_if_due=False, afresh=True)
    assert (done.outcome, done.learners) == ("read", Member.objects.for_course(course.course_id).count())
