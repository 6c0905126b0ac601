"""Each learner is invited exactly once, whatever happens on the way."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from coursehub import clock
from coursehub.queue.broker import QUEUE
from coursehub.trainercentral import errors
from invitations import services, tasks
from invitations.claims import learner_claims, row_leases
from invitations.claims.row_leases import Outcome
from invitations.models import Batch, Claim, Invitation
from invitations.selectors import batch_status
from invitations.sending import sender
from oauthtokens import services as token_services
from tests.support.patience import wait_for

State = Invitation.State


def _counts(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def _state(batch) -> str:
    return Batch.objects.get(pk=batch.pk).state


def test_every_good_row_is_invited_once_and_the_batch_completes(confirmed, invited_counts):
    emails = [f"learner{n}@example.org" for n in range(30)]
    batch = confirmed(*emails)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert _counts(batch) == {State.INVITED: 30}
    assert invited_counts() == dict.fromkeys(emails, 1)
    row = Invitation.objects.filter(batch=batch).first()
    assert row.member_id
    assert row.invited_at


def test_one_thread_goes_on_with_the_next_rows_until_all_are_sent(confirmed, invited_counts, settings):
    settings.INVITE_CONCURRENCY = 1
    emails = [f"learner{n}@example.org" for n in range(11)]
    assert sender.send_slice(confirmed(*emails).pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(emails, 1)


def test_a_sender_rings_for_the_others_before_it_begins(confirmed, database, monkeypatch):
    bells = []
    monkeypatch.setattr(sender, "send_slice", lambda batch_id: bells.append(database[QUEUE].count_documents({})) or "")
    batch = confirmed("ada@example.org")
    database[QUEUE].delete_many({})
    tasks.send(str(batch.pk))
    assert bells == [1]


def test_nobody_is_rung_for_a_batch_that_is_done(confirmed, database):
    batch = confirmed("ada@example.org")
    sender.send_slice(batch.pk)
    database[QUEUE].delete_many({})
    tasks.send(str(batch.pk))
    assert database[QUEUE].count_documents({}) == 0


def test_many_senders_of_one_batch_do_not_double_a_call(confirmed, invited_counts):
    emails = [f"learner{n}@example.org" for n in range(60)]
    batch = confirmed(*emails)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: sender.send_slice(batch.pk), range(4)))
    assert _state(batch) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(emails, 1)


def test_two_batches_with_one_learner_make_one_call(confirmed, invited_counts):
    first, second = confirmed("ada@example.org"), confirmed("ADA@example.org", "grace@example.org")
    sender.send_slice(first.pk)
    sender.send_slice(second.pk)
    assert sum(invited_counts().values()) == 2
    assert _counts(second) == {State.ALREADY_INVITED: 1, State.INVITED: 1}


def test_a_call_that_acted_without_an_answer_is_found_by_reading_back(confirmed, academy, invited_counts, settings):
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 1, "fault": "reset_after_acting"}])
    batch = confirmed("ada@example.org", "grace@example.org")
    sender.send_slice(batch.pk)
    assert _counts(batch) == {State.INVITED: 2}
    assert invited_counts() == {"ada@example.org": 1, "grace@example.org": 1}


def test_the_academy_down_pauses_the_batch_with_a_reason_and_it_goes_on_by_itself(confirmed, academy, invited_counts):
    emails = [f"learner{n}@example.org" for n in range(10)]
    batch = confirmed(*emails)
    academy.kill()
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    paused = Batch.objects.get(pk=batch.pk)
    assert "cannot be reached" in paused.reason
    assert _counts(batch) == {State.PENDING: 10}
    assert not Claim.objects.exists()
    academy.start()
    Batch.objects.filter(pk=batch.pk).update(resume_at=clock.now() - timedelta(seconds=1))
    tasks.tick()
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(emails, 1)


def test_a_person_s_pause_is_not_undone_by_the_ticker(confirmed):
    batch = confirmed("ada@example.org")
    services.pause(batch, actor="trainer")
    tasks.tick()
    assert _state(batch) == Batch.State.PAUSED
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    assert _counts(batch) == {State.PENDING: 1}


def test_a_refused_row_fails_with_their_reason_and_can_be_retried(confirmed, academy, look, invited_counts):
    academy.switch(unknown_course="400")
    batch = confirmed("ada@example.org")
    course_id = batch.course_id
    Invitation.objects.filter(batch=batch).update(course_id="1")
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED_WITH_ERRORS
    assert Invitation.objects.get(batch=batch).reason
    Invitation.objects.filter(batch=batch).update(course_id=course_id)
    assert services.retry(batch, actor="trainer")
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED, "not before a look at the members"
    look(batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"ada@example.org": 1}


def test_a_throttled_call_is_not_lost_and_pauses_everybody(confirmed, academy):
    academy.switch(calls_per_minute=1, lockout_seconds=60)
    batch = confirmed("ada@example.org", "grace@example.org", "alan@example.org")
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    counts = _counts(batch)
    assert counts[State.PENDING] + counts.get(State.INVITED, 0) == 3


def test_a_row_whose_sender_died_becomes_unknown_and_is_looked_up(confirmed, academy, invited_counts):
    batch = confirmed("ada@example.org")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(batch.pk, 1)
    assert learner_claims.win([row])
    Invitation.objects.filter(pk=row["id"]).update(lease_until=clock.now() - timedelta(seconds=1))
    tasks.sweep()
    assert _counts(batch) == {State.UNKNOWN: 1}
    assert sender.send_slice(batch.pk) == Batch.State.RUNNING, "it waits for the sweeps that may settle the row"
    assert invited_counts() == {}


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN])
def test_a_late_but_definite_answer_wins(confirmed, state):
    batch = confirmed("ada@example.org")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(batch.pk, 1)
    Invitation.objects.filter(pk=row["id"]).update(state=state)
    row_leases.settle([Outcome(row, State.INVITED, {"member_id": "1"})])
    assert _counts(batch) == {State.INVITED: 1}


def test_moments_are_those_of_the_writing_however_the_clock_moves_meanwhile(confirmed, later):
    batch = confirmed("ada@example.org")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(batch.pk, 1)
    outcome = row_leases.called_again(row, State.PENDING, errors.Forbidden())
    later(3600)
    row_leases.settle([outcome])
    assert abs((Invitation.objects.get(batch=batch).called_at - clock.now()).total_seconds()) < 60


def _posts(calls) -> int:
    return sum("addCourseAttendee" in call["endpoint"] for call in calls)


def test_a_paused_batch_is_probed_by_reading_then_by_one_row(confirmed, academy, invited_counts):
    emails = [f"learner{n}@example.org" for n in range(20)]
    batch = confirmed(*emails)
    academy.switch(error_5xx_ratio=1.0)
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    assert Batch.objects.get(pk=batch.pk).reason
    before = len(academy.calls())
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING, resume_at=None)
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    assert len(academy.calls()) > before, "it was tried"
    assert _posts(academy.calls()[before:]) == 0, "but with no learner"
    academy.switch(error_5xx_ratio=0, fail_next=[{"path_contains": "addCourseAttendee", "times": 99, "fault": "500"}])
    before = len(academy.calls())
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING, resume_at=None)
    sender.send_slice(batch.pk)
    assert _posts(academy.calls()[before:]) == 1, "reading works, so one row goes"
    academy.switch(fail_next=[])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING, resume_at=None)
    sender.send_slice(batch.pk)
    assert Batch.objects.get(pk=batch.pk).failures == 0
    assert _counts(batch).get(State.PENDING, 0) == 0
    assert set(invited_counts().values()) == {1}


def test_no_call_begins_after_a_cancel(confirmed, academy, settings):
    settings.INVITE_CONCURRENCY = 4
    academy.switch(latency_ms=300)
    batch = confirmed(*[f"learner{n}@example.org" for n in range(60)])
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(sender.send_slice, batch.pk)
        wait_for(lambda: len(academy.invitations()) >= settings.INVITE_CONCURRENCY, 60, "every sender has sent")
        assert services.cancel(batch, actor="trainer")
        cancelled_ms = time.time() * 1000
        assert sent.result() == Batch.State.CANCELLED
    late = [call for call in academy.calls() if call["at_ms"] > cancelled_ms]  # when they arrived
    assert len(late) <= settings.INVITE_CONCURRENCY, "only one of each sender, that had been let through before"
    counts = _counts(batch)
    assert set(counts) == {State.INVITED, State.NOT_ATTEMPTED}
    assert counts[State.INVITED] == sum(academy.invitations().values())


def test_an_access_expiry_is_passed_on(confirmed, academy, course):
    batch = confirmed("ada@example.org")
    Invitation.objects.filter(batch=batch).update(access_expires_at=clock.now() + timedelta(seconds=60))
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    academy.advance(61)
    members = token_services.client().iter_course_members(course.course_id)
    assert next(member for member in members if member.email == "ada@example.org").is_revoked
