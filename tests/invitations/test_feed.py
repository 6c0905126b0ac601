"""The sockets of batches, against a real web process."""

import time
from uuid import uuid4

import pytest

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import services
from invitations.models import Batch, Invitation
from tests.support.files import csv_of
from tests.support.stage.web import lose_history

State = Invitation.State


@pytest.fixture
def make_batch(database, person):
    course = Course.objects.create(course_id="3000000001", name="Course")

    def make(rows: int = 3, owner: str = "trainer") -> Batch:
        content = csv_of(*(f"learner{uuid4().hex}@example.org" for _ in range(rows)))
        return services.upload(user=person("trainer", owner), course=course, filename="a.csv", content=content)

    return make


def _path(batch: Batch) -> str:
    return f"/ws/invitations/{batch.pk}/"


def _settle(batch: Batch, count: int) -> None:
    """Let `count` pending rows be invited, one write each, as the worker does."""
    rows = outside_transaction(Invitation)
    for _ in range(count):
        rows.update_one({"batch_id": batch.pk.hex, "state": "pending"}, [{"$set": {"state": "invited"}}])


def test_a_batch_begins_with_its_status_and_counts_up(web, make_batch, client_for):
    batch = make_batch()
    client = client_for("trainer")
    socket = web.connect(_path(batch), client)
    snapshot, status = socket.receive(), client.get(f"/invitations/{batch.pk}/status.json").json()
    assert snapshot | {"revision": 0} == {"type": "snapshot", **status} | {"revision": 0}
    _settle(batch, 1)
    counts = socket.receive()
    assert (counts["type"], counts["counts"]) == ("counts", {"pending": 2, "invited": 1})
    assert counts["revision"] > snapshot["revision"]


def test_a_move_of_the_batch_is_told(web, make_batch, client_for):
    batch = make_batch()
    socket = web.connect(_path(batch), client_for("trainer"))
    assert socket.receive()["state"] == "preview"
    services.confirm(batch, actor="trainer")
    assert socket.receive()["state"] == "queued"


def test_many_rows_make_about_four_frames_a_second_and_the_last_one_is_right(web, make_batch, client_for):
    batch = make_batch(rows=400)
    socket = web.connect(_path(batch), client_for("trainer"))
    socket.receive()
    began = time.monotonic()
    _settle(batch, 400)
    told = [socket.receive_until(lambda frame: frame["counts"] == {"invited": 400})]
    # Changes that were read after that frame tell its counts again, and then nothing more comes.
    told += socket.until_silent(0.6)
    assert [frame["counts"] for frame in told] == [{"invited": 400}] * len(told)
    assert socket.received - 1 <= 2 + (time.monotonic() - began) * 4.5


def test_other_batches_do_not_disturb(web, make_batch, client_for):
    batch, other = make_batch(), make_batch()
    socket = web.connect(_path(batch), client_for("trainer"))
    socket.receive()
    _settle(other, 3)
    assert socket.is_silent(0.5)


def test_a_batch_is_for_its_uploader_and_for_administrators(web, make_batch, client_for):
    batch = make_batch()
    for client in (client_for("trainer", "other"), client_for("maintenance"), client_for("nobody")):
        assert web.connect(_path(batch), client).receive() == {"type": "closed", "code": 4403}
    assert web.connect(_path(batch)).receive() == {"type": "closed", "code": 4401}
    assert web.connect(_path(batch), client_for("administrator")).receive()["id"] == str(batch.pk)
    missing = web.connect(f"/ws/invitations/{uuid4()}/", client_for("administrator"))
    assert missing.receive() == {"type": "closed", "code": 4403}


def test_the_list_is_live_and_holds_ones_own_batches(web, make_batch, client_for):
    mine, foreign = make_batch(), make_batch(owner="other")
    trainer = web.connect("/ws/invitations/", client_for("trainer"))
    administrator = web.connect("/ws/invitations/", client_for("administrator"))
    assert [batch["id"] for batch in trainer.receive()["batches"]] == [str(mine.pk)]
    assert {batch["id"] for batch in administrator.receive()["batches"]} == {str(mine.pk), str(foreign.pk)}
    _settle(foreign, 1)
    assert administrator.receive()["batches"][0]["counts"] == {"pending": 2, "invited": 1}
    assert trainer.is_silent(0.3)
    new = make_batch(rows=1)
    assert trainer.receive_until(lambda frame: frame["batches"][0]["state"] == "preview")["batches"][0]["id"] == str(
        new.pk
    )


def test_lost_history_ends_in_a_snapshot(web, make_batch, client_for):
    batch = make_batch()
    socket = web.connect(_path(batch), client_for("trainer"))
    socket.receive()
    lose_history(outside_transaction(Invitation), state="failed")
    frame = socket.receive_until(lambda frame: frame["type"] == "snapshot" and frame["counts"])
    assert frame["counts"] == {"failed": 3}
