"""Inviting once more takes nothing away from the first invitation, and posts once per learner and press."""

from datetime import timedelta

import pytest

from coursehub import clock
from coursehub.models import AuditEvent
from invitations import services, tasks
from invitations.claims import row_leases
from invitations.models import Batch, Invitation
from invitations.sending import existing_learners, second_invitation, sender
from progress.polling import poller
from tests.support.invitations.answer_workers import drive

State = Invitation.State
EMAILS = [f"learner{n}@example.org" for n in range(5)]


@pytest.fixture
def sent(confirmed, academy):
    academy.switch(progress_speed=0)
    batch = confirmed(*EMAILS)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    return batch


def _press(batch) -> int:
    lines = list(Invitation.objects.filter(batch=batch).values_list("line", flat=True))
    return second_invitation.want(batch, lines, invited_before=clock.now() + timedelta(days=1), actor="trainer")


def _states(batch) -> set[str]:
    return set(Invitation.objects.filter(batch=batch).values_list("state", flat=True))


def _count(batch, **wanted) -> int:
    return Invitation.objects.filter(batch=batch, **wanted).count()


def test_a_press_posts_once_per_learner(sent, look, invited_counts):
    assert _press(sent) == 5
    assert _press(sent) == 0, "it is under way"
    assert _states(sent) == {State.INVITED}
    look(sent)
    assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS, 2)
    assert _count(sent, state=State.INVITED, again=False, times_again=1, invited_again_at__isnull=False) == 5
    assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS, 2)


def test_who_accepted_meanwhile_is_left_out(sent, academy, course, look, invited_counts):
    assert _press(sent) == 5
    academy.put_learner(course.course_id, EMAILS[0], 30)
    look(sent)
    assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    assert invited_counts() == {**dict.fromkeys(EMAILS, 2), EMAILS[0]: 1}
    left = Invitation.objects.get(batch=sent, email=EMAILS[0])
    assert (left.state, left.reason, left.again) == (State.INVITED, second_invitation.ACCEPTED, False)


def test_a_cancel_leaves_everybody_invited_and_undo_reaches_them(sent, course, invited_counts):
    before = list(Invitation.objects.filter(batch=sent).values("state", "invited_at", "member_id"))
    assert _press(sent) == 5
    assert services.cancel(sent, actor="trainer")
    sent.refresh_from_db()
    assert (sent.state, sent.inviting_again) == (Batch.State.COMPLETED, False)
    assert list(Invitation.objects.filter(batch=sent).values("state", "invited_at", "member_id")) == before
    assert _count(sent, again=True) == 0
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
    assert services.undo(sent, actor="trainer")
    assert sender.send_slice(sent.pk) == Batch.State.CANCELLED
    assert _states(sent) == {State.REVOKED}


def test_a_cancel_in_the_middle_keeps_what_was_sent(sent, look, invited_counts, monkeypatch, settings):
    settings.INVITE_CONCURRENCY = 1
    _press(sent)
    look(sent)
    Batch.objects.filter(pk=sent.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(sent.pk, 1, waiting=second_invitation.AGAIN.waiting, to=State.INVITING_AGAIN)
    assert services.cancel(sent, actor="trainer")
    row_leases.settle([second_invitation.AGAIN.call(row, second_invitation_client())])
    assert _states(sent) == {State.INVITED}
    assert sum(invited_counts().values()) == 6


def second_invitation_client():
    from oauthtokens import services as token_services

    return token_services.client()


def test_a_death_on_the_way_sends_nothing_a_second_time(sent, look, invited_counts):
    _press(sent)
    look(sent)
    Batch.objects.filter(pk=sent.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(sent.pk, 1, waiting=second_invitation.AGAIN.waiting, to=State.INVITING_AGAIN)
    Invitation.objects.filter(pk=row["id"]).update(lease_until=clock.now() - timedelta(seconds=1))
    tasks.sweep()
    assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    dead = Invitation.objects.get(pk=row["id"])
    assert (dead.state, dead.reason) == (State.INVITED, row_leases.AGAIN_UNANSWERED)
    assert invited_counts()[dead.email] == 1


@pytest.mark.parametrize("fault", ["500", "reset_after_acting"])
def test_an_unanswered_second_invitation_is_never_sent_again(sent, look, academy, invited_counts, fault):
    _press(sent)
    look(sent)
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 1, "fault": fault}])
    assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    assert _states(sent) == {State.INVITED}
    assert sorted(invited_counts().values()) == ([1, 2, 2, 2, 2] if fault == "500" else [2] * 5)
    assert _count(sent, reason=row_leases.AGAIN_UNANSWERED) == 1


def test_the_next_press_counts_anew(sent, look, invited_counts):
    for _ in range(2):
        assert _press(sent) == 5
        look(sent)
        assert sender.send_slice(sent.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS, 3)
    assert _count(sent, times_again=2) == 5


def test_nothing_is_sent_before_the_members_were_read(sent, invited_counts):
    _press(sent)
    assert not existing_learners.refine(sent.pk), "they were last read before the press"
    assert sender.send_slice(sent.pk) == Batch.State.QUEUED
    assert invited_counts() == dict.fromkeys(EMAILS, 1)


def test_it_is_audited(sent):
    _press(sent)
    services.cancel(sent, actor="trainer")
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"batch.inviting_again", "batch.inviting_again_cancelled"} <= actions


def test_a_learner_who_left_the_course_is_invited_once_more(sent, course, look, invited_counts):
    poller.poll(course.course_id, only_if_due=False, afresh=True)
    _press(sent)
    look(sent)
    sender.send_slice(sent.pk)
    assert invited_counts() == dict.fromkeys(EMAILS, 2)


def test_learners_whom_only_a_look_found_are_invited_once_more_too(confirmed, academy, look, invited_counts):
    """Their answers were no help, so nobody wrote down when they were invited: the moment of the call counts."""
    academy.switch(invitation_answers=[
        {"for": "learner0@*", "status": 502, "acts": True}, {"for": "learner1@*", "status": 403, "acts": True},
    ], progress_speed=0)  # fmt: skip
    batch = confirmed(*EMAILS)
    drive(batch.course_id, 100)
    assert _states(batch) == {State.INVITED}
    assert _count(batch, invited_at=None) == 2
    assert _press(batch) == 5


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_press_posts_once_whatever_is_answered(sent, academy, status):
    academy.switch(invitation_answers=[{"status": status, "acts": True}])
    assert _press(sent) == 5
    drive(sent.course_id, 100)
    assert {count for (_, email), count in academy.posts().items() if email in EMAILS} == {2}
    assert _states(sent) == {State.INVITED}
    assert _count(sent, again=True) == 0
    assert _count(sent, reason__startswith="Not invited once more: ") == 5


def test_a_press_leaves_out_whom_the_last_one_reached(sent, look, invited_counts):
    yesterday, tomorrow = (clock.now() + timedelta(days=days) for days in (-1, 1))
    lines = list(Invitation.objects.filter(batch=sent).values_list("line", flat=True))
    assert second_invitation.want(sent, lines, invited_before=tomorrow, actor="trainer") == 5
    look(sent)
    sender.send_slice(sent.pk)
    Invitation.objects.filter(batch=sent).update(invited_at=yesterday - timedelta(days=1))
    assert second_invitation.want(sent, lines, invited_before=yesterday, actor="trainer") == 0
