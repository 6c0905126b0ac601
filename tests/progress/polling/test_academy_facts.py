"""What polling finds out about the academy by the way."""

import pytest

from coursehub import academy
from coursehub.models import AcademyProfile, Course
from progress.polling import poller


@pytest.fixture
def course_id(academy) -> str:
    course = Course.objects.order_by("course_id").first().course_id
    academy.add_learners(course, 40)
    return course


def known() -> dict:
    return {name: fact["value"] for name, fact in academy.facts().items()}


def poll(course_id: str) -> None:
    assert poller.poll(course_id, only_if_due=False, afresh=True).outcome == "read"


def test_a_poll_notes_the_largest_page_and_the_order_by_time(sandbox, course_id):
    poll(course_id)
    assert known()["newest_first"] is True
    assert known()["largest_page"] >= 40
    assert "page_cap" not in known()


def test_a_silent_cap_is_noted_and_taken_back_when_a_larger_page_comes(sandbox, course_id):
    sandbox.switch(limit_cap=12)
    poll(course_id)
    assert (known()["page_cap"], known()["largest_page"]) == (12, 12)
    assert academy.profile().page_cap == 12
    sandbox.switch(limit_cap=0)
    poll(course_id)
    assert academy.profile().page_cap is None
    assert known()["largest_page"] >= 40


def test_the_other_order_is_noted(sandbox, course_id):
    sandbox.switch(sort_1_order="oldest")
    poll(course_id)
    assert academy.profile().newest_first is False


def test_a_poll_that_finds_out_nothing_new_writes_nothing(sandbox, course_id):
    poll(course_id)
    before = AcademyProfile.objects.get().facts
    academy.forget()
    poll(course_id)
    assert AcademyProfile.objects.get().facts == before
