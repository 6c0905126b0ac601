"""A row of unknown outcome is sent again by one rule only; what the rule cannot settle a person decides."""

import pytest

from coursehub import academy as learnt
from coursehub.models import AuditEvent
from coursehub.trainercentral import TrainerCentralClient, errors
from invitations import services
from invitations.models import Batch, Claim, Invitation, Sweep
from invitations.reconciliation import member_scan
from invitations.selectors import batch_status
from invitations.sending import sender

State = Invitation.State
SETTLE_SECONDS = 15 + 120 + 1  # read time-out and RECONCILE_SETTLE_SECONDS, and a moment more
ADA, GRACE = "ada@example.org", "grace@example.org"


def _counts(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


@pytest.fixture
def unknown(confirmed, academy, settings):
    """A batch whose first row got an answer that says nothing, and whose second was invited."""
    settings.INVITE_CONCURRENCY = 1
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 1, "fault": "500"}], progress_speed=0)
    batch = confirmed(ADA, GRACE)
    sender.send_slice(batch.pk)
    assert _counts(batch) == {State.UNKNOWN: 1, State.INVITED: 1}
    return batch


def test_two_sweeps_that_prove_the_absence_send_the_row_again(unknown, invited_counts, later):
    status = batch_status.status(unknown.pk)
    assert (status["state"], bool(status["reason"]), bool(status["finish_at"])) == (Batch.State.RUNNING, True, True)
    later(SETTLE_SECONDS)
    assert sender.send_slice(unknown.pk) == Batch.State.RUNNING
    assert invited_counts() == {GRACE: 1}
    later(61)
    assert sender.send_slice(unknown.pk) == Batch.State.RUNNING
    assert sender.send_slice(unknown.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}
    assert Claim.objects.filter(email_folded=ADA).count() == 1, "the second call is made under the same claim"
    assert AuditEvent.objects.filter(action="batch.rows_sent_again").count() == 1


@pytest.mark.parametrize("seconds", [SETTLE_SECONDS - 20, 61])
def test_no_sweep_counts_before_the_call_has_settled(unknown, later, invited_counts, seconds):
    later(seconds)
    sender.send_slice(unknown.pk)
    later(61 if seconds > 100 else 20)
    sender.send_slice(unknown.pk)
    assert _counts(unknown)[State.UNKNOWN] == 1
    assert invited_counts() == {GRACE: 1}


def test_without_proof_that_pending_learners_are_listed_a_person_decides(unknown, academy, invited_counts, later):
    academy.switch(pending_listed=False)
    for seconds in (SETTLE_SECONDS, 61, SETTLE_SECONDS):
        later(seconds)
        sender.send_slice(unknown.pk)
    assert batch_status.status(unknown.pk)["state"] == Batch.State.COMPLETED_WITH_ERRORS
    assert _counts(unknown) == {State.UNKNOWN: 1, State.INVITED: 1}
    assert invited_counts() == {GRACE: 1}


def test_an_accepted_learner_is_no_proof(unknown, academy, course, invited_counts, later):
    academy.put_learner(course.course_id, GRACE, 40)
    for seconds in (SETTLE_SECONDS, 61):
        later(seconds)
        sender.send_slice(unknown.pk)
    assert batch_status.status(unknown.pk)["state"] == Batch.State.COMPLETED_WITH_ERRORS
    assert invited_counts() == {GRACE: 1}


def test_a_learner_who_appears_late_was_invited(unknown, academy, course, invited_counts, later):
    academy.put_learner(course.course_id, ADA, 0)
    later(SETTLE_SECONDS)
    assert sender.send_slice(unknown.pk) == Batch.State.COMPLETED
    assert invited_counts() == {GRACE: 1}
    assert Invitation.objects.get(batch=unknown, email=ADA).reason == "Found among the course's members."


def test_a_sweep_of_many_pages_goes_on_where_it_stopped(unknown, academy, course, later, monkeypatch):
    academy.add_learners(course.course_id, 250)
    academy.switch(latency_ms=200)
    monkeypatch.setattr("invitations.reconciliation.rule.SLICE_SECONDS", 0.3)
    later(SETTLE_SECONDS)
    sender.send_slice(unknown.pk)
    assert 0 < Sweep.objects.get(ended_at=None).offset <= 250
    monkeypatch.setattr("invitations.reconciliation.rule.SLICE_SECONDS", 15.0)
    later(3)
    sender.send_slice(unknown.pk)
    swept = Sweep.objects.order_by("number").last()
    assert swept.ended_at is not None
    assert swept.offset >= 250
    assert swept.is_proof


def test_a_sweep_says_how_many_learners_it_read(unknown, academy, course, later):
    members = len(academy.add_learners(course.course_id, 230)) + 1
    later(SETTLE_SECONDS)
    sender.send_slice(unknown.pk)
    swept = Sweep.objects.order_by("number").last()
    assert (swept.passes, swept.flaw, swept.is_proof) == (1, "", True)
    assert swept.learners >= members


@pytest.mark.parametrize(
    ("fault", "passes", "flaw"),
    [
        ({"page_shift": -7}, 3, member_scan.MOVED),
        ({"page_shift": 1}, 3, member_scan.MOVED),
        ({"si_ignored": True}, 1, errors.NotPaged.default_sentence),
    ],
)
def test_a_sweep_that_may_have_passed_somebody_proves_nothing(
    unknown, academy, course, later, invited_counts, fault, passes, flaw
):
    academy.add_learners(course.course_id, 230)
    academy.switch(**fault)
    for seconds in (SETTLE_SECONDS, 61):
        later(seconds)
        sender.send_slice(unknown.pk)
    swept = Sweep.objects.exclude(ended_at=None).filter(number__gt=1)  # the first one was made at once
    assert list(swept.values_list("passes", "flaw", "is_proof")) == [(passes, flaw, False)] * 2
    assert batch_status.status(unknown.pk)["state"] == Batch.State.COMPLETED_WITH_ERRORS
    assert invited_counts() == {GRACE: 1}


def test_rows_that_moved_once_are_read_again(unknown, academy, course, later, invited_counts, monkeypatch):
    academy.add_learners(course.course_id, 230)
    academy.switch(page_shift=-3)
    read, member_page = [], TrainerCentralClient.member_page

    def calm_down(client, course_id, **place):
        read.append(member_page(client, course_id, **place))
        if len(read) == 3:  # the last page of the first pass
            academy.switch(page_shift=0)
        return read[-1]

    monkeypatch.setattr(TrainerCentralClient, "member_page", calm_down)
    for seconds in (SETTLE_SECONDS, 61):
        later(seconds)
        sender.send_slice(unknown.pk)
    assert list(Sweep.objects.order_by("number").values_list("passes", "flaw")) == [(1, ""), (2, ""), (1, "")]
    assert sender.send_slice(unknown.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}


def _given_up(batch, later):
    Invitation.objects.filter(batch=batch).update(sent_again=2)
    for seconds in (SETTLE_SECONDS, 61):
        later(seconds)
        sender.send_slice(batch.pk)
    return Invitation.objects.get(batch=batch, state=State.UNKNOWN)


def test_a_person_says_that_the_learner_is_there(unknown, invited_counts, later):
    row = _given_up(unknown, later)
    assert services.already_there(unknown, row, actor="trainer")
    assert not services.already_there(unknown, row, actor="trainer")
    assert _counts(unknown) == {State.ALREADY_ENROLLED: 1, State.INVITED: 1}
    assert batch_status.status(unknown.pk)["state"] == Batch.State.COMPLETED
    assert invited_counts() == {GRACE: 1}


def test_a_person_sends_again_under_the_next_generation(unknown, invited_counts, later, look):
    row = _given_up(unknown, later)
    assert services.send_again(unknown, row, actor="trainer")
    assert not services.send_again(unknown, row, actor="trainer")
    assert sender.send_slice(unknown.pk) == Batch.State.QUEUED, "not before a look at the members"
    look(unknown)
    assert sender.send_slice(unknown.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}
    assert set(Claim.objects.filter(email_folded=ADA).values_list("generation", flat=True)) == {1, 2}
    assert AuditEvent.objects.get(action="invitation.sent_again").detail["generation"] == 2


def test_a_learner_is_found_by_another_spelling_of_the_domain(confirmed, academy, course, invited_counts):
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 1, "fault": "500"}], progress_speed=0)
    batch = confirmed("ada@xn--mnchen-3ya.de")
    academy.put_learner(course.course_id, "ada@xn--mnchen-3ya.de", 0)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert _counts(batch) == {State.INVITED: 1}


def test_where_pending_learners_look_like_the_others_whoever_was_invited_is_proof(
    confirmed, academy, settings, invited_counts, later
):
    settings.INVITE_CONCURRENCY = 1
    fault = {"path_contains": "addCourseAttendee", "times": 1, "fault": "500"}
    academy.switch(pending_status="50", progress_speed=0, fail_next=[fault])
    batch = confirmed(ADA, GRACE, "alan@example.org", "edsger@example.org")
    sender.send_slice(batch.pk)
    assert learnt.profile().pending_status == "50", "three who were invited a moment ago are listed so"
    for seconds in (SETTLE_SECONDS, 61):
        later(seconds)
        sender.send_slice(batch.pk)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert set(invited_counts().values()) == {1}


def test_two_learners_may_have_accepted_at_once(confirmed, academy, settings):
    settings.INVITE_CONCURRENCY = 1
    fault = {"path_contains": "addCourseAttendee", "times": 1, "fault": "500"}
    academy.switch(pending_status="50", progress_speed=0, fail_next=[fault])
    sender.send_slice(confirmed(ADA, GRACE, "alan@example.org").pk)
    assert learnt.profile().pending_status is None
