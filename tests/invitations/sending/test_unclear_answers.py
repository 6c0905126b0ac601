"""Answers that nobody has documented: what they do to rows, to their batch, and what is learnt of them."""

import pytest

from coursehub import academy as learnt
from coursehub.models import AcademyAnswer
from coursehub.trainercentral.profile import Meaning
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.sending import circuit_breaker, post, sender, unclear_answers

State = Invitation.State
EMAILS = [f"learner{number}@example.org" for number in range(8)]
ODD = {"status": 200, "body": {"data": {"code": "ST_41", "message": "ALREADY_REGISTERED"}}}


def _counts(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def _resume(batch) -> None:
    Batch.objects.filter(pk=batch.pk, state=Batch.State.PAUSED).update(state=Batch.State.RUNNING, resume_at=None)


def _driven(batch, look) -> str:
    """The state after what workers and the ticker do until the batch has ended, for 30 slices at most."""
    for _ in range(30):
        state = sender.send_slice(batch.pk)
        if state in Batch.FINAL:
            break
        _resume(batch)
        if state == Batch.State.QUEUED:
            look(batch)
    return state


@pytest.fixture(autouse=True)
def one_thread(settings, academy):
    settings.INVITE_CONCURRENCY = 1
    academy.switch(progress_speed=0)


def test_three_unclear_answers_are_looked_up_and_their_kind_is_learnt(confirmed, academy, invited_counts):
    academy.switch(invited_shape="status_only")
    batch = confirmed(*EMAILS)
    assert sender.send_slice(batch.pk) == Batch.State.RUNNING
    assert _counts(batch) == {State.INVITED: 3, State.PENDING: 5}, "three were looked up before the fourth is sent"
    [kind] = AcademyAnswer.objects.all()
    assert (kind.meaning, kind.by_itself, kind.there, kind.absent) == (Meaning.INVITED, True, 3, 0)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
    assert Invitation.objects.filter(batch=batch, answer_kind="").count() == 5, "these were understood at once"


def test_unclear_answers_that_did_not_act_pause_the_batch_and_ask(confirmed, academy, invited_counts):
    academy.switch(invitation_answers=[{**ODD, "acts": False}])
    batch = confirmed(*EMAILS)
    sender.send_slice(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.resume_at) == (Batch.State.PAUSED, None)
    assert "An administrator is asked" in batch.reason
    assert _counts(batch) == {State.UNKNOWN: 3, State.PENDING: 5}
    assert list(academy.posts().values()) == [1, 1, 1]
    [question] = learnt.open_questions()
    assert (question.there, question.absent, learnt.waiting(question.key)) == (0, 3, 3)


@pytest.mark.parametrize(
    ("meaning", "state", "rows"),
    [
        (Meaning.INVITED, Batch.State.QUEUED, {State.INVITED: 3, State.PENDING: 5}),
        (Meaning.ALREADY_ENROLLED, Batch.State.QUEUED, {State.ALREADY_ENROLLED: 3, State.PENDING: 5}),
        (Meaning.REFUSED, Batch.State.QUEUED, {State.FAILED: 3, State.PENDING: 5}),
        (Meaning.WAIT, Batch.State.QUEUED, {State.PENDING: 8}),
        (Meaning.STOP, Batch.State.PAUSED, {State.FAILED: 3, State.PENDING: 5}),
    ],
)
def test_an_administrator_s_answer_settles_the_waiting_rows(confirmed, academy, look, meaning, state, rows):
    academy.switch(invitation_answers=[{**ODD, "acts": False}])
    batch = confirmed(*EMAILS)
    sender.send_slice(batch.pk)
    [question] = learnt.open_questions()
    assert learnt.decide(question.key, meaning, actor="admin")
    batch.refresh_from_db()
    assert (batch.state, _counts(batch)) == (state, rows)
    academy.switch(invitation_answers=[])
    if state == Batch.State.QUEUED:
        look(batch)
        for _ in range(3):
            sender.send_slice(batch.pk)
        assert Batch.objects.get(pk=batch.pk).state in Batch.FINAL
        assert set(academy.posts().values()) == ({1, 2} if meaning is Meaning.WAIT else {1})


def test_one_learner_who_is_refused_does_not_hold_the_batch(confirmed, academy, look, invited_counts):
    academy.switch(forbidden_learners=[EMAILS[0]])
    batch = confirmed(*EMAILS)
    assert _driven(batch, look) == Batch.State.COMPLETED_WITH_ERRORS
    failed = Invitation.objects.get(batch=batch, state=State.FAILED)
    assert (failed.email, bool(failed.reason)) == (EMAILS[0], True)
    assert invited_counts() == dict.fromkeys(EMAILS[1:], 1)
    assert max(academy.posts().values()) == post.MOST_REFUSALS


def test_learners_who_are_all_refused_pause_the_batch_for_a_person(confirmed, academy):
    many = [f"learner{number}@example.org" for number in range(circuit_breaker.REFUSED_IN_A_ROW + 2)]
    academy.switch(forbidden_learners=many)
    batch = confirmed(*many)
    for _ in range(circuit_breaker.REFUSED_IN_A_ROW):
        sender.send_slice(batch.pk)
        batch.refresh_from_db()
        assert batch.state == Batch.State.PAUSED
        if batch.resume_at is None:
            break
        _resume(batch)
    assert batch.reason.startswith(f"The last {circuit_breaker.REFUSED_IN_A_ROW} learners were refused")
    assert batch.reason.endswith("until somebody resumes.")
    assert set(academy.posts().values()) == {1}, "each of them was tried once"


@pytest.mark.parametrize("acts", [True, False])
def test_a_refused_token_posts_nobody_twice_between_two_looks(confirmed, academy, look, acts):
    refused = {"status": 401, "body": {"errors": [{"errorCode": "INVALID_OAUTHTOKEN"}]}, "acts": acts, "times": 1}
    academy.switch(invitation_answers=[refused])
    batch = confirmed(*EMAILS)
    assert _driven(batch, look) == Batch.State.COMPLETED
    assert sorted(academy.invitations().values()) == [1] * 8
    assert sorted(academy.posts().values()) == ([1] * 8 if acts else [1] * 7 + [2])


def test_settling_twice_changes_nothing(confirmed, academy):
    academy.switch(invitation_answers=[{**ODD, "acts": False}])
    batch = confirmed(*EMAILS)
    sender.send_slice(batch.pk)
    [question] = learnt.open_questions()
    for _ in range(2):
        unclear_answers.settle(question.key, Meaning.REFUSED, "admin")
    assert _counts(batch) == {State.FAILED: 3, State.PENDING: 5}
