"""No button goes round the look at the members: who is there is settled, nobody who is there is posted to."""

from urllib.parse import urlencode

import pytest

from invitations import services
from invitations.claims import learner_claims, row_leases
from invitations.models import NOT_LOOKED_UP, Batch, Claim, Invitation
from invitations.selectors import batch_status, findings
from invitations.sending import sender
from oauthtokens import services as token_services

State = Invitation.State
ADA, GRACE = "ada@example.org", "grace@example.org"
SETTLE_SECONDS = 15 + 120 + 1


def _row(batch, email) -> Invitation:
    return Invitation.objects.get(batch=batch, email=email)


@pytest.fixture
def refused(confirmed, academy):
    """A batch of two learners whose invitations were refused."""
    academy.switch(learner_limit=1)
    batch = confirmed(ADA, GRACE)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED_WITH_ERRORS
    assert batch_status.status(batch.pk)["counts"] == {State.FAILED: 2}
    academy.switch(learner_limit=0)
    return batch


def test_try_again_settles_who_is_there_and_posts_to_the_others(refused, academy, course, look, invited_counts):
    academy.put_learner(course.course_id, ADA, 0)
    assert services.retry(refused, actor="trainer")
    assert sender.send_slice(refused.pk) == Batch.State.QUEUED
    look(refused)
    assert sender.send_slice(refused.pk) == Batch.State.COMPLETED
    assert invited_counts() == {GRACE: 1}
    ada = _row(refused, ADA)
    assert (ada.state, ada.reason) == (State.INVITED, "Found among the course's members.")
    assert Claim.objects.filter(email_folded=ADA, invitation_id=ada.pk).exists(), "no other upload invites her"


def test_a_row_that_was_called_for_is_not_taken_before_a_look(refused, look):
    services.retry(refused, actor="trainer")
    # As if something had let the batch run without its look: the rows themselves keep the promise.
    Batch.objects.filter(pk=refused.pk).update(state=Batch.State.RUNNING)
    assert row_leases.take(refused.pk, 10) == []


def test_a_row_that_waits_gets_its_look_while_the_batch_runs(confirmed, academy, look, invited_counts):
    batch = confirmed(ADA, GRACE)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(batch.pk, 1)
    assert learner_claims.win([row])
    from coursehub.trainercentral import errors

    row_leases.settle([row_leases.called_again(row, State.PENDING, errors.Forbidden())])
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED, "the other row was sent, this one waits"
    assert invited_counts() == {GRACE: 1}
    look(batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}


def test_rows_of_unknown_outcome_say_what_is_known(confirmed, academy, later, client_for, settings):
    settings.INVITE_CONCURRENCY = 1
    academy.switch(fail_next=[{"path_contains": "addCourseAttendee", "times": 2, "fault": "500"}], progress_speed=0)
    academy.switch(pending_listed=False)
    batch = confirmed(ADA, GRACE, "alan@example.org")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING)
    [row] = row_leases.take(batch.pk, 1)
    learner_claims.win([row])
    row_leases.settle([sender.SEND.call(row, token_services.client())])
    assert _row(batch, ADA).explanation.endswith(NOT_LOOKED_UP)
    sender.send_slice(batch.pk)
    for seconds in (SETTLE_SECONDS, 61, SETTLE_SECONDS):
        later(seconds)
        sender.send_slice(batch.pk)
    batch.refresh_from_db()
    assert batch.state == Batch.State.COMPLETED_WITH_ERRORS
    [finding] = findings.of(batch)
    assert finding.count == 2
    assert finding.sentence.startswith("Not among the ")
    assert " and again at " in finding.sentence
    page = client_for("trainer").get(f"/invitations/{batch.pk}/").content.decode()
    assert "Send 2 again" in page
    assert finding.sentence in page
    results = b"".join(client_for("trainer").get(f"/invitations/{batch.pk}/results.csv")).decode()
    assert finding.sentence in results


@pytest.fixture
def two_unknown(confirmed):
    batch = confirmed(ADA, GRACE)
    Invitation.objects.filter(batch=batch).update(
        state=State.UNKNOWN, finding="Not among the 7 learners read at 09:00."
    )
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMPLETED_WITH_ERRORS)
    return batch


def test_one_decision_settles_all_rows_of_a_finding(two_unknown, client_for):
    address = f"/invitations/{two_unknown.pk}/unknown/"
    text = _row(two_unknown, ADA).finding
    client_for("trainer").post(address, {"finding": "another", "decision": "already-there"})
    assert batch_status.status(two_unknown.pk)["counts"] == {State.UNKNOWN: 2}
    client_for("trainer", "trainer2").post(address, {"finding": text, "decision": "already-there"})
    assert batch_status.status(two_unknown.pk)["counts"] == {State.UNKNOWN: 2}
    client_for("trainer").post(address, {"finding": text, "decision": "already-there"})
    assert batch_status.status(two_unknown.pk)["counts"] == {State.ALREADY_ENROLLED: 2}
    assert Batch.objects.get(pk=two_unknown.pk).state == Batch.State.COMPLETED


def test_send_all_again_looks_first(two_unknown, client_for, academy, course, look, invited_counts):
    academy.put_learner(course.course_id, ADA, 0)
    text = _row(two_unknown, ADA).finding
    client_for("trainer").post(f"/invitations/{two_unknown.pk}/unknown/", {"finding": text, "decision": "send-again"})
    assert sender.send_slice(two_unknown.pk) == Batch.State.QUEUED
    look(two_unknown)
    assert sender.send_slice(two_unknown.pk) == Batch.State.COMPLETED
    assert invited_counts() == {GRACE: 1}


def test_the_admin_lists_the_rows_of_one_finding(two_unknown, client_for):
    Invitation.objects.filter(batch=two_unknown, email=GRACE).update(finding="")
    address = f"/admin/invitations/invitation/?batch__id__exact={two_unknown.pk}"
    client = client_for("administrator")
    assert "Not among the 7 learners read at 09:00. (1)" in client.get(address).content.decode()
    listed = client.get(f"{address}&finding=none").context["cl"].queryset
    assert [row.email for row in listed] == [GRACE]
    text = _row(two_unknown, ADA).finding
    listed = client.get(f"{address}&{urlencode({'finding': text})}").context["cl"].queryset
    assert [row.email for row in listed] == [ADA]
    assert client.get("/admin/invitations/invitation/?batch__id__exact=nonsense").status_code in (200, 302)


def test_a_list_that_moves_while_it_is_read_lets_nobody_be_posted_to_again(refused, academy, course, look):
    academy.add_learners(course.course_id, 150)
    assert services.retry(refused, actor="trainer")
    academy.switch(page_shift=30)
    before = academy.posts()
    look(refused)
    assert batch_status.status(refused.pk)["counts"] == {State.UNKNOWN: 2}, "they are looked up by the rule"
    sender.send_slice(refused.pk)
    assert academy.posts() == before
