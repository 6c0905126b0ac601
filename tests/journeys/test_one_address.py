"""A learner who is enrolled under one spelling of an address is recognised under every other one."""

import pytest

from coursehub import clock
from invitations import services
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.sending import existing_learners, sender
from progress.polling import poller
from tests.support.files import csv_of

State = Invitation.State
BOTH_WAYS = [
    ("ada@xn--mnchen-3ya.de", "ada@m\u00fcnchen.de"),
    ("jose\u0301@example.org", "jos\u00e9@example.org"),
    ("ADA.Lovelace@Example.ORG", "ada.lovelace@example.org"),
    (" ada\u200b@example.org\ufeff", "ada@example.org"),
]
SPELLINGS = [pair for one, other in BOTH_WAYS for pair in ((one, other), (other, one))]


@pytest.mark.parametrize(("enrolled", "uploaded"), SPELLINGS)
def test_who_is_enrolled_is_not_invited_again(academy, course, person, invited_counts, enrolled, uploaded):
    academy.put_learner(course.course_id, enrolled, 40)
    poller.poll(course.course_id, only_if_due=False)
    content = csv_of(uploaded, "grace@example.org")
    batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=content)
    assert batch_status.status(batch.pk)["counts"] == {State.ALREADY_ENROLLED: 1, State.PENDING: 1}
    assert services.confirm(batch, actor="trainer")
    poller.poll(course.course_id, only_if_due=False)
    Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"grace@example.org": 1}


@pytest.mark.parametrize(("enrolled", "uploaded"), SPELLINGS)
def test_who_enrols_after_the_upload_is_taken_out_by_the_look_before_sending(
    academy, course, person, invited_counts, enrolled, uploaded
):
    batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=csv_of(uploaded))
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 1}
    assert services.confirm(batch, actor="trainer")
    academy.put_learner(course.course_id, enrolled, 0)
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    assert existing_learners.refine(batch.pk)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert batch_status.status(batch.pk)["counts"] == {State.ALREADY_ENROLLED: 1}
    assert invited_counts() == {}


@pytest.mark.parametrize(("enrolled", "uploaded"), SPELLINGS)
def test_whose_invitation_got_no_answer_is_found_by_a_sweep(
    academy, course, confirmed, invited_counts, enrolled, uploaded
):
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 1, "fault": "500"}], progress_speed=0)
    batch = confirmed(uploaded)
    academy.put_learner(course.course_id, enrolled, 0)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert batch_status.status(batch.pk)["counts"] == {State.INVITED: 1}
    assert invited_counts() == {}


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_one_learner_twice_in_a_file_is_one_learner(person, course, first, second):
    content = csv_of(first, second)
    batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=content)
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 1, State.DUPLICATE: 1}
