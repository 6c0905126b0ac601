"""Administrators act on many batches and rows at once; each action asks first and is audited."""

import pytest

from coursehub.models import AuditEvent
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.sending import sender

BATCHES, ROWS = "/admin/invitations/batch/", "/admin/invitations/invitation/"


def _act(client, page, action, objects, *, confirmed=True):
    chosen = {"action": action, "_selected_action": [str(one.pk) for one in objects]}
    return client.post(page, chosen | ({"confirmed": "yes"} if confirmed else {}), follow=True)


def test_an_action_asks_first_and_changes_nothing_before_the_answer(confirmed, client_for):
    batch = confirmed("ada@example.org")
    page = _act(client_for("administrator"), BATCHES, "pause", [batch], confirmed=False).content.decode()
    assert "confirm-action" in page
    assert Batch.objects.get().state == Batch.State.QUEUED


def test_batches_are_paused_resumed_and_cancelled_by_the_lot(confirmed, client_for):
    batches = [confirmed("ada@example.org"), confirmed("grace@example.org", "alan@example.org")]
    client = client_for("administrator", "head")
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert "done for 2" in _act(client, BATCHES, action, batches).content.decode()
        assert set(Batch.objects.values_list("state", flat=True)) == {state}
        assert AuditEvent.objects.filter(actor="head", action__contains=f"batch.{action}").count() == 2
    assert "done for 0; 2 could not be" in _act(client, BATCHES, "pause", batches).content.decode()


def test_finished_batches_are_tried_again_and_undone(confirmed, client_for):
    batch = confirmed("ada@example.org", "grace@example.org")
    sender.send_slice(batch.pk)
    client = client_for("administrator")
    assert "done for 1" in _act(client, BATCHES, "undo", [batch]).content.decode()
    sender.send_slice(batch.pk)
    assert batch_status.status(batch.pk)["counts"] == {"revoked": 2}
    assert "done for 0" in _act(client, BATCHES, "retry", [batch]).content.decode()


def test_rows_of_unknown_outcome_are_decided_by_the_lot(upload, client_for):
    batch = upload("ada@example.org", "grace@example.org", "alan@example.org")
    Invitation.objects.filter(batch=batch).update(state="unknown")
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMPLETED_WITH_ERRORS)
    client, rows = client_for("administrator"), list(Invitation.objects.order_by("line"))
    assert "done for 2" in _act(client, ROWS, "already_there", rows[:2]).content.decode()
    assert "done for 1" in _act(client, ROWS, "send_again", rows).content.decode()
    assert batch_status.status(batch.pk)["counts"] == {"already_enrolled": 2, "pending": 1}
    assert AuditEvent.objects.filter(action__startswith="invitation.").count() == 3


@pytest.mark.parametrize("role", ["maintenance", "trainer", "stranger", "anonymous"])
def test_nobody_else_acts(confirmed, client_for, role):
    batch = confirmed("ada@example.org")
    _act(client_for(role), BATCHES, "cancel", [batch])
    assert Batch.objects.get().state == Batch.State.QUEUED


def test_lists_are_filtered_and_searched(confirmed, client_for):
    confirmed("ada@example.org")
    client = client_for("administrator")
    assert "class.csv" in client.get(f"{BATCHES}?state__exact=queued&q=class").content.decode()
    assert "class.csv" not in client.get(f"{BATCHES}?state__exact=paused").content.decode().split("<tbody")[-1]
    assert "ada@example.org" in client.get(f"{ROWS}?state__exact=pending&q=ada").content.decode()
