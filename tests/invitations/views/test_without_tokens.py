"""Without any usable token set: the preview says so, confirming queues the batch, and errors of the form are shown."""

import html

import pytest

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import tasks
from invitations.models import Batch
from invitations.selectors import batch_status
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from progress.polling import poller

NONE_LEFT = "No token set can be used at present; the maintenance team must regenerate one."


@pytest.fixture
def without_tokens(academy):
    token_services.revoke(number=1, actor="maintenance")


def page_of(client, batch) -> str:
    return html.unescape(client.get(f"/invitations/{batch.pk}/").content.decode())


def test_preview_says_that_there_are_no_tokens_and_not_how_many_hours_they_last(upload, without_tokens, client_for):
    page = page_of(client_for("trainer"), upload("ada@example.org"))
    assert f'<span role="alert">{NONE_LEFT}</span> You may confirm now' in page
    assert "0.0 hours" not in page
    assert "Confirm and invite 1 when there are tokens" in page


def test_confirmed_batch_waits_and_is_sent_once_there_are_tokens(upload, without_tokens, client_for, academy, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 25  # a pace at which the hours are reckoned
    client, batch = client_for("trainer"), upload("ada@example.org")
    outside_transaction(Batch).update_one({"id": batch.pk.hex}, {"$set": {"members_checked_at": None}})
    answer = client.post(f"/invitations/{batch.pk}/confirm/", follow=True)
    batch.refresh_from_db()
    assert batch.state == Batch.State.QUEUED
    assert batch_status.status(batch.pk)["reason"].startswith(NONE_LEFT)
    assert NONE_LEFT in html.unescape(answer.content.decode())
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0
    token_services.exchange_code(number=2, code=academy.self_client_code(token_services.SCOPE), actor="maintenance")
    assert poller.poll(batch.course_id, only_if_due=False, afresh=True).outcome == "read"
    tasks.prepare()
    tasks.refine(str(batch.pk))
    assert tasks.send(str(batch.pk)) == Batch.State.COMPLETED
    assert [entry["email"] for entry in academy.counters()["invitations"]] == ["ada@example.org"]


def test_error_of_the_form_is_shown_on_the_page(upload, client_for):
    client, batch = client_for("trainer"), upload("ada@example.org")
    answer = client.post(f"/invitations/{batch.pk}/confirm/", {"start_at": "nonsense"}, follow=True)
    assert "Write the time to start at as 2027-12-31 09:00." in html.unescape(answer.content.decode())
    batch.refresh_from_db()
    assert batch.state == Batch.State.PREVIEW


@pytest.mark.parametrize(
    ("values", "is_none"),
    [
        ({"state": "cooling"}, False),
        ({"state": "exhausted", "uses": 18, "access_expires_at": None}, True),
        ({"state": "retiring", "uses": 18}, False),  # its last access token lives
        ({"state": "retiring", "uses": 18, "access_expires_at": None}, True),
        ({"state": "broken"}, True),
    ],
)
def test_what_counts_as_a_usable_set(academy, values, is_none):
    assert token_services.why_none() == ""
    outside_transaction(TokenSet).update_one({"number": 1}, {"$set": values})
    assert bool(token_services.why_none()) is is_none
    assert Course.objects.exists()
