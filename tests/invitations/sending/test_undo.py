"""Undo revokes exactly what the batch invited, each learner once, and frees them to be invited anew."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from coursehub.models import AuditEvent
from invitations import services
from invitations.claims import row_leases
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.sending import sender, undo
from progress.polling import poller

State = Invitation.State
EMAILS = [f"learner{n}@example.org" for n in range(12)]


@pytest.fixture
def sent(confirmed, academy, course):
    """Twelve learners invited by this batch, in a course that had others before."""
    batch = confirmed(*EMAILS)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    return batch


def _revoked(academy) -> list[str]:
    revocations = [call for call in academy.calls() if "updateCourseAttendee" in call["endpoint"]]
    return sorted(call["detail"].split(", ")[1] for call in revocations)


def _counts(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def test_each_learner_of_the_batch_is_revoked_once_and_nobody_else(sent, academy):
    assert services.ACTIONS["undo"](sent, actor="trainer")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: sender.send_slice(sent.pk), range(3)))
    batch = Batch.objects.get(pk=sent.pk)
    assert (batch.state, batch.undoing) == (Batch.State.CANCELLED, False)
    assert "12 learners" in batch.reason
    assert _counts(sent) == {State.REVOKED: 12}
    assert _revoked(academy) == sorted(EMAILS)
    assert list(AuditEvent.objects.filter(action="batch.undone").values_list("detail", flat=True)) == [
        {"revoked": 12, "kept": 0}
    ]


def test_an_undo_that_takes_many_slices_is_not_closed_early(sent, academy, monkeypatch):
    monkeypatch.setattr(sender, "SLICE_SECONDS", 0.05)
    services.undo(sent, actor="trainer")
    for _ in range(20):
        if sender.send_slice(sent.pk) == Batch.State.CANCELLED:
            break
        assert Batch.objects.get(pk=sent.pk).undoing
    assert _revoked(academy) == sorted(EMAILS)


def test_an_undo_goes_on_after_a_pause_and_after_its_worker_died(sent, academy, later):
    services.undo(sent, actor="trainer")
    Batch.objects.filter(pk=sent.pk).update(state=Batch.State.RUNNING)
    assert len(row_leases.take(sent.pk, 1, waiting=undo.UNDO.waiting, to=State.REVOKING)) == 1
    services.pause(sent, actor="trainer")
    sender.send_slice(sent.pk)
    assert _revoked(academy) == []
    services.resume(sent, actor="trainer")
    later(row_leases.LEASE_SECONDS + 1)
    assert row_leases.expire_leases() == 1
    sender.send_slice(sent.pk)
    assert _revoked(academy) == sorted(EMAILS)


def test_who_was_undone_can_be_uploaded_again_and_is_invited_by_the_next_generation(sent, upload, invited_counts):
    services.undo(sent, actor="trainer")
    sender.send_slice(sent.pk)
    again = upload(*EMAILS)
    assert _counts(again) == {State.PENDING: 12}
    services.confirm(again, actor="trainer")
    assert sender.send_slice(again.pk) == Batch.State.COMPLETED
    assert invited_counts() == dict.fromkeys(EMAILS, 2)
    assert not services.undo(sent, actor="trainer"), "nothing of the first batch is left to undo"


def test_members_stored_before_the_undo_do_not_keep_a_learner_out(sent, upload, course):
    poller.poll(course.course_id, only_if_due=False)
    services.undo(sent, actor="trainer")
    sender.send_slice(sent.pk)
    assert _counts(upload(*EMAILS)) == {State.PENDING: 12}


def test_a_running_batch_is_not_undone(confirmed):
    batch = confirmed(*EMAILS)
    assert not services.undo(batch, actor="trainer")


def test_a_refused_revocation_stays_invited_with_the_reason(sent, academy, course):
    Invitation.objects.filter(batch=sent, email=EMAILS[0]).update(member_id="")
    services.undo(sent, actor="trainer")
    sender.send_slice(sent.pk)
    assert _counts(sent) == {State.REVOKED: 11, State.INVITED: 1}
    assert "course member id" in Invitation.objects.get(batch=sent, state=State.INVITED).reason
    assert "1 stay invited" in Batch.objects.get(pk=sent.pk).reason
