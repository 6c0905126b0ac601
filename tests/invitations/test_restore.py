"""After a restore nobody is invited a second time, whatever was sent since the backup."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from coursehub import clock
from coursehub.backup import dump
from coursehub.backup.restore import restore as restore_backup
from invitations import services, tasks
from invitations.models import Batch, Claim, Invitation
from invitations.selectors import batch_status
from invitations.sending import existing_learners, sender
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from progress.polling import poller
from tests.support.patience import wait_for

State = Invitation.State
EMAILS = [f"learner{number}@example.org" for number in range(40)]


@pytest.fixture
def taken(academy, tmp_path):
    """`taken()`: a backup of now."""
    path = tmp_path / "backup.zip"

    def take():
        dump.take(path, actor="test")
        return path

    return take


@pytest.fixture
def restore(database, academy):
    """`restore(path, lost=True)`: the restore; when the database was lost, on an empty one, with a regenerated set."""

    def do(path, *, lost: bool = False):
        if lost:
            database.client.drop_database(database.name)
        done = restore_backup(path, actor="test")
        if lost:
            code = academy.self_client_code(token_services.SCOPE)
            token_services.exchange_code(number=1, code=code, actor="maintenance")
        return done

    return do


def _sent_while(batch, academy, act):
    """Sends the batch to its end, and calls `act` when some of it was sent."""
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(sender.send_slice, batch.pk)
        wait_for(lambda: len(academy.invitations()) >= 5, 60, "some was sent")
        done = act()
        sent.result()
    while Batch.objects.get(pk=batch.pk).state == Batch.State.RUNNING:
        sender.send_slice(batch.pk)
    return done


def _resumed_to_its_end(batch, later) -> str:
    assert services.resume(Batch.objects.get(pk=batch.pk), actor="trainer")
    existing_learners.refine(batch.pk)
    sender.send_slice(batch.pk)
    for seconds in (137, 61, 61, 137, 61, 61):
        later(seconds)
        sender.send_slice(batch.pk)
        state = Batch.objects.get(pk=batch.pk).state
        if state in Batch.FINAL:
            break
    return state


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.timeout(400)
def test_a_batch_that_ran_at_the_backup_invites_nobody_twice(
    confirmed, academy, taken, restore, invited_counts, later, settings, lost, listed
):
    settings.INVITE_CONCURRENCY = 2
    academy.switch(latency_ms=40, pending_listed=listed, progress_speed=0)
    batch = confirmed(*EMAILS)
    path = _sent_while(batch, academy, taken)
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
    done = restore(path, lost=lost)
    restored = Batch.objects.get(pk=batch.pk)
    assert (restored.state, "restore" in restored.reason) == (Batch.State.PAUSED, True)
    rows = Invitation.objects.filter(batch=batch)
    assert not rows.filter(state__in=[State.PENDING, State.SENDING]).exists()
    assert done.settled["rows_of_unknown_outcome"] == rows.filter(state=State.UNKNOWN).count() > 0
    assert (done.settled["claims_kept"] > 0) is not lost
    assert tasks.due() == []
    assert sender.send_slice(batch.pk) == Batch.State.PAUSED
    state = _resumed_to_its_end(batch, later)
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
    if listed:
        assert (state, rows.filter(state=State.INVITED).count()) == (Batch.State.COMPLETED, len(EMAILS))
    else:
        assert state == Batch.State.COMPLETED_WITH_ERRORS, "a person decides about what was not found"


@pytest.mark.timeout(400)
def test_what_was_never_sent_is_sent_by_the_rule(confirmed, academy, taken, restore, invited_counts, later, settings):
    settings.INVITE_CONCURRENCY = 1
    academy.switch(progress_speed=0)
    batch = confirmed(*EMAILS[:20])
    Invitation.objects.filter(batch=batch, line__gt=9).update(state=State.NOT_ATTEMPTED)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    sender.send_slice(batch.pk)
    Invitation.objects.filter(batch=batch, line__gt=9).update(state=State.PENDING)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING, finished_at=None)
    restore(taken())
    assert len(invited_counts()) == 8
    assert _resumed_to_its_end(batch, later) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS[:20], 1)


@pytest.mark.fault
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_backup_at_any_moment_and_a_loss_at_any_later_one(
    confirmed, academy, taken, restore, invited_counts, later, settings, seed
):
    chance = random.Random(seed)
    settings.INVITE_CONCURRENCY = 2
    academy.switch(latency_ms=[10, 60], progress_speed=0)
    batch = confirmed(*EMAILS)

    def act():
        time.sleep(chance.uniform(0, 0.4))  # any moment, as the test's name says; so does the next
        path = taken()
        time.sleep(chance.uniform(0, 0.4))
        services.pause(batch, actor="trainer")
        return path

    path = _sent_while(batch, academy, act)
    restore(path, lost=chance.random() < 0.5)
    state, counted = _resumed_to_its_end(batch, later), invited_counts()
    assert set(counted.values()) == {1}
    rows = dict(Invitation.objects.filter(batch=batch).values_list("email", "state"))
    assert {email for email, state in rows.items() if state == State.INVITED} == set(counted)
    left = set(rows.values()) - {State.INVITED}
    assert (state, left) in [(Batch.State.COMPLETED, set()), (Batch.State.COMPLETED_WITH_ERRORS, {State.UNKNOWN})]


@pytest.mark.parametrize(("lost", "state"), [(False, State.ALREADY_INVITED), (True, State.ALREADY_ENROLLED)])
def test_a_preview_that_was_confirmed_since_does_not_invite_again(
    upload, academy, course, taken, restore, invited_counts, lost, state
):
    """By the claims that are kept; and where the database was lost, by the course's members, who are read anew."""
    academy.switch(pending_listed=lost, progress_speed=0)
    batch = upload(*EMAILS[:4])
    path = taken()
    assert services.confirm(batch, actor="trainer")
    sender.send_slice(batch.pk)
    assert len(invited_counts()) == 4
    restore(path, lost=lost)
    batch = Batch.objects.get(pk=batch.pk)
    assert (batch.state, "Ask before you confirm" in batch.reason) == (Batch.State.PREVIEW, True)
    assert services.confirm(batch, actor="trainer")
    assert not existing_learners.refine(batch.pk), "it waits for the course's members"
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED
    poller.poll(course.course_id, only_if_due=False)
    assert existing_learners.refine(batch.pk)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert batch_status.status(batch.pk)["counts"] == {state: 4}
    assert invited_counts() == dict.fromkeys(EMAILS[:4], 1)


def test_a_new_upload_knows_who_was_invited_since_the_backup(upload, confirmed, taken, restore, invited_counts):
    path = taken()
    sender.send_slice(confirmed(*EMAILS[:3]).pk)
    restore(path)
    assert not Batch.objects.exists()
    assert batch_status.status(upload(*EMAILS[:5]).pk)["counts"] == {State.ALREADY_INVITED: 3, State.PENDING: 2}
    assert Claim.objects.count() == 3


def test_a_batch_that_is_to_begin_later_was_not_sent(upload, taken, restore):
    batch = upload(*EMAILS[:3])
    services.confirm(batch, actor="trainer", start_at=clock.now() + timedelta(hours=1))
    restore(taken())
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.PAUSED
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 3}


def test_the_token_sets_are_those_of_now_and_of_a_lost_database_spent(confirmed, academy, taken, restore, settings):
    path = taken()
    code = academy.self_client_code(token_services.SCOPE)
    token_services.exchange_code(number=1, code=code, actor="maintenance")
    now = TokenSet.objects.values().get(number=1)
    assert restore(path).settled["token_sets_kept"] == 1
    assert TokenSet.objects.values().get(number=1) == now
