"""Which batches go on when there are tokens again: those that were paused for want of them, and no others."""

import pytest

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations import services, tasks, transitions
from invitations.models import Batch
from invitations.sending import circuit_breaker
from oauthtokens import services as token_services
from progress import tasks as progress_tasks
from progress.polling import poller

NO_TOKENS = errors.TokenUnavailable("no set is ready")


@pytest.fixture
def paused(confirmed):
    """`paused(error)`: a batch that the breaker has paused for an hour because of this error."""

    def make(error: errors.TrainerCentralError) -> Batch:
        batch = confirmed("ada@example.org")
        transitions.start(batch.pk)
        circuit_breaker.trip(batch.pk, error)
        outside_transaction(Batch).update_one({"id": batch.pk.hex}, [{"$set": {"resume_at": clock.after(3600)}}])
        return batch

    return make


def new_tokens(academy) -> None:
    token_services.exchange_code(number=2, code=academy.self_client_code(token_services.SCOPE), actor="maintenance")


def state_after_a_tick(batch) -> str:
    tasks.due()
    batch.refresh_from_db()
    return batch.state


def test_batch_paused_for_want_of_tokens_goes_on_once_there_are_some(paused, academy):
    batch = paused(NO_TOKENS)
    assert state_after_a_tick(batch) == Batch.State.PAUSED  # the tokens of before help nobody
    new_tokens(academy)
    assert state_after_a_tick(batch) == Batch.State.RUNNING
    assert (batch.reason, batch.awaits_tokens_since, batch.resume_at) == ("", None, None)


def test_batch_paused_for_another_reason_stays_paused(paused, academy):
    batch = paused(errors.Unreachable("refused"))
    new_tokens(academy)
    assert state_after_a_tick(batch) == Batch.State.PAUSED


def test_batch_that_a_person_paused_as_well_stays_paused(paused, academy):
    batch = paused(NO_TOKENS)
    services.pause(batch, actor="trainer")
    new_tokens(academy)
    assert state_after_a_tick(batch) == Batch.State.PAUSED


def test_later_pause_for_another_reason_is_not_ended_by_tokens(paused, academy):
    batch = paused(NO_TOKENS)
    new_tokens(academy)
    assert state_after_a_tick(batch) == Batch.State.RUNNING
    circuit_breaker.trip(batch.pk, errors.Unreachable("refused"))
    new_tokens(academy)
    assert state_after_a_tick(batch) == Batch.State.PAUSED


def test_course_rests_for_want_of_tokens_until_there_are_some_and_one_in_other_trouble_rests_on(academy, course):
    token_services.revoke(number=1, actor="maintenance")
    assert poller.poll(course.course_id, only_if_due=False).outcome == "failed"
    others = Course.objects.exclude(pk=course.pk)
    far = clock.now() + clock.timedelta(hours=1)
    others.update(poll_due_at=far, poll_not_before=far, poll_failures=3)
    progress_tasks.tick()
    course.refresh_from_db()
    assert course.poll_due_at > clock.now()
    new_tokens(academy)
    progress_tasks.tick()
    course.refresh_from_db()
    assert course.poll_due_at <= clock.now()
    assert (course.poll_failures, course.poll_not_before, course.awaits_tokens_since) == (0, None, None)
    assert set(others.values_list("poll_failures", flat=True)) == {3}
    assert poller.poll(course.course_id).outcome == "read"
