"""Uploading stores a judged batch or nothing; every move names the states it may leave."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from coursehub.models import AuditEvent
from invitations import services
from invitations.models import Batch, Claim, Invitation
from invitations.parsing import reader
from invitations.selectors import batch_status

State = Invitation.State


def _states(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def test_every_row_is_stored_with_its_verdict(upload):
    batch = upload("ada@example.org", "ADA@example.org", "nobody", "grace@example.org")
    assert batch.state == Batch.State.PREVIEW
    assert _states(batch) == {State.PENDING: 2, State.DUPLICATE: 1, State.INVALID: 1}
    duplicate = Invitation.objects.get(batch=batch, state=State.DUPLICATE)
    assert (duplicate.line, duplicate.reason) == (3, "The same address as in line 2.")


def test_a_file_without_a_good_row_is_refused_and_leaves_nothing(upload):
    with pytest.raises(reader.FileRefused, match="None of the 2 rows"):
        upload("nobody", "nobody either")
    assert not Batch.objects.exists()
    assert not Invitation.objects.exists()


def test_only_one_of_many_confirmations_confirms(upload):
    batch = upload("ada@example.org")
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: services.confirm(batch, actor="trainer"), range(8)))
    assert results.count(True) == 1
    assert AuditEvent.objects.filter(action="batch.confirmed").count() == 1


def test_a_cancelled_batch_cannot_be_confirmed(upload):
    batch = upload("ada@example.org")
    assert services.cancel(batch, actor="trainer")
    assert not services.confirm(batch, actor="trainer")
    assert _states(batch) == {State.NOT_ATTEMPTED: 1}


def test_a_learner_claimed_by_an_earlier_upload_is_already_invited(upload, course):
    key = Claim.key_of(course.course_id, "ada@example.org")
    Claim.objects.create(key=key, course_id=course.course_id, email_folded="ada@example.org", invitation_id=1)
    batch = upload("ada@example.org", "grace@example.org")
    assert _states(batch) == {State.ALREADY_INVITED: 1, State.PENDING: 1}


def test_the_revision_of_a_status_grows(upload):
    batch = upload("ada@example.org")
    before = batch_status.status(batch.pk)["revision"]
    services.confirm(batch, actor="trainer")
    after = batch_status.status(batch.pk)["revision"]
    assert before < after < 2**53, "JavaScript must be able to hold it"


def test_there_is_no_status_of_an_unknown_batch(database):
    assert batch_status.status("00000000-0000-0000-0000-000000000000") is None
    assert batch_status.status("no-uuid") is None
