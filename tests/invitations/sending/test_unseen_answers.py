"""An answer that nobody has seen, from the wire to the administrator's decision and back to the rows."""

import pytest

from coursehub import academy
from coursehub.academy import words
from coursehub.models import AcademyAnswer
from coursehub.trainercentral.profile import Meaning
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.sending import sender

State = Invitation.State
EMAILS = tuple(f"learner{number}@example.org" for number in range(5))
ODD = {"data": {"code": 4001, "message": "User {email} already exists"}}


def until_it_rests(batch: Batch) -> str:
    """Send slice after slice, as workers do; the state in which nothing more happens by itself."""
    for _ in range(10):
        state = sender.send_slice(batch.pk)
        if state in (Batch.State.PAUSED, Batch.State.COMPLETED, Batch.State.COMPLETED_WITH_ERRORS):
            return state
    return state


@pytest.fixture
def asked(confirmed, academy):
    """A batch whose answers nobody understands and whose learners are not in the course; the question is open."""
    academy.switch(invitation_answers=[{"status": 200, "body": ODD, "acts": False}])
    batch = confirmed(*EMAILS)
    assert until_it_rests(batch) == Batch.State.PAUSED
    return batch


def test_the_decision_on_the_page_settles_the_rows_and_later_answers(asked, client_for, look, invited_counts):
    question = AcademyAnswer.objects.get()
    waiting = academy.waiting(question.key)
    assert waiting == Invitation.objects.filter(batch=asked, state=State.UNKNOWN).count() >= 3
    assert question.absent >= 3
    page = f"/admin/coursehub/academyanswer/{question.pk}/change/"
    client = client_for("administrator")
    assert f"{waiting} rows wait for this decision." in client.get(page).content.decode()
    assert f"{waiting} rows wait for it." in client.get("/admin/").content.decode()
    client.post(page, {"meaning": "already_enrolled", "instead_of": ""})
    assert academy.waiting(question.key) == 0
    look(asked)  # whoever resumes looks first
    assert until_it_rests(asked) == Batch.State.COMPLETED
    assert batch_status.status(asked.pk)["counts"] == {State.ALREADY_ENROLLED: len(EMAILS)}
    assert AcademyAnswer.objects.get().meaning == Meaning.ALREADY_ENROLLED
    assert invited_counts() == {}


def test_a_batch_whose_answers_mean_invited_teaches_that_by_itself(confirmed, academy, invited_counts):
    academy.switch(invited_shape="status_only")
    batch = confirmed(*EMAILS)
    assert until_it_rests(batch) == Batch.State.COMPLETED
    one = AcademyAnswer.objects.get()
    assert (one.meaning, one.by_itself, one.absent) == (Meaning.INVITED, True, 0)
    assert words.name(one) == 'HTTP 200 “{"status": "success"}”'
    assert batch_status.status(batch.pk)["counts"] == {State.INVITED: len(EMAILS)}
    assert invited_counts() == dict.fromkeys(EMAILS, 1)
