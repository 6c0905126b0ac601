"""The list of batches: found by file, course, state and learner; previews that nobody confirms are put away."""

from datetime import timedelta

import pytest

from coursehub import clock
from coursehub.models import AuditEvent, Course
from invitations import retention, services
from invitations.models import Batch, Invitation, Piece
from tests.support.files import csv_of
from tests.support.invitations import rows as rows_of_tests


@pytest.fixture
def batches(person, academy):
    """Three of the trainer's and one of somebody else's: by name."""
    one, two = Course.objects.order_by("course_id")[:2]
    made = {
        "autumn": rows_of_tests.batch_of(person("trainer"), one, 20, filename="autumn (1).csv"),
        "spring": rows_of_tests.batch_of(person("trainer"), two, 0, filename="spring.csv"),
        "done": rows_of_tests.batch_of(person("trainer"), one, 0, filename="done.csv", state=Batch.State.COMPLETED),
        "foreign": rows_of_tests.batch_of(person("trainer", "trainer2"), one, 20, filename="autumn-foreign.csv"),
    }
    rows_of_tests.store(made["spring"], [rows_of_tests.row(0, email_folded="anna@example.org")])
    return made


def _found(client, **query: str) -> set[str]:
    page = client.get("/invitations/", query)
    assert page.status_code == 200
    return {batch.filename for batch in page.context["batches"]}


def test_a_batch_is_found_by_its_file_its_course_and_its_state(client_for, batches):
    client = client_for("trainer")
    assert _found(client, q="AUTUMN") == {"autumn (1).csv"}
    assert _found(client, q="(1)") == {"autumn (1).csv"}
    assert _found(client, q=batches["spring"].course_name.upper()) == {"spring.csv"}
    assert _found(client, state="completed") == {"done.csv"}
    assert _found(client, state="preview", q="spring") == {"spring.csv"}
    assert _found(client, state="completed", q="spring") == set()
    assert _found(client, state="nonsense") == {"autumn (1).csv", "spring.csv", "done.csv"}
    assert _found(client, q="a.tumn") == set()


def test_a_learner_s_address_finds_the_batches_that_one_may_see(client_for, batches):
    trainer, administrator = client_for("trainer"), client_for("administrator")
    assert _found(trainer, q="anna@example.org") == {"spring.csv"}
    assert _found(trainer, q="Anna@") == {"spring.csv"}
    assert _found(trainer, q="learner.7@mail7.example.org") == {"autumn (1).csv"}
    assert _found(administrator, q="learner.7@mail7.example.org") == {"autumn (1).csv", "autumn-foreign.csv"}
    assert _found(trainer, q="nna@example.org") == set()
    assert _found(client_for("trainer", "trainer3"), q="anna@example.org") == set()
    assert "none has a learner whose address begins so" in trainer.get("/invitations/?q=zoe@").content.decode()


def test_the_list_is_sorted_newest_first_and_its_pages_keep_the_search(client_for, person, course):
    for number in range(30):
        rows_of_tests.batch_of(person("trainer"), course, 0, filename=f"class-{number}.csv")
    client = client_for("trainer")
    page = client.get("/invitations/?q=class&state=preview")
    names = [batch.filename for batch in page.context["batches"]]
    assert names == [f"class-{number}.csv" for number in range(29, 4, -1)]
    assert "?q=class&amp;state=preview&amp;page=2" in page.content.decode()
    assert len(client.get("/invitations/?q=class&state=preview&page=2").context["batches"]) == 5


def test_a_preview_is_discarded_and_the_same_file_can_be_uploaded_again(client_for, upload):
    batch, client = upload("ada@example.org"), client_for("trainer")
    assert client.get("/invitations/").content.decode().count(f"/invitations/{batch.pk}/discard/") == 1
    before = AuditEvent.objects.count()
    answer = client.post(f"/invitations/{batch.pk}/discard/", follow=True)
    assert answer.redirect_chain == [("/invitations/", 302)]
    assert "“class.csv” is discarded" in answer.content.decode()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (Batch.State.CANCELLED, "Discarded by trainer.")
    assert Invitation.objects.get(batch=batch).state == Invitation.State.NOT_ATTEMPTED
    assert AuditEvent.objects.count() == before, "nothing was sent and nothing deleted"
    assert f"/invitations/{batch.pk}/discard/" not in client.get("/invitations/").content.decode()
    again = upload("ada@example.org")
    assert (again.pk != batch.pk, again.state) == (True, Batch.State.PREVIEW)


def test_only_a_preview_can_be_discarded_and_only_by_who_may_see_it(client_for, confirmed, upload):
    batch, client = confirmed("ada@example.org"), client_for("trainer")
    assert "no longer possible" in client.post(f"/invitations/{batch.pk}/discard/", follow=True).content.decode()
    assert client.get(f"/invitations/{batch.pk}/discard/").status_code == 405
    batch.refresh_from_db()
    assert batch.state == Batch.State.QUEUED
    preview = upload("grace@example.org")
    assert client_for("trainer", "trainer2").post(f"/invitations/{preview.pk}/discard/").status_code == 404
    assert client_for("maintenance").post(f"/invitations/{preview.pk}/discard/").status_code == 403
    preview.refresh_from_db()
    assert preview.state == Batch.State.PREVIEW


def test_a_preview_that_nobody_confirmed_is_put_away_when_its_page_said(
    client_for, upload, person, course, later, settings
):
    batch, client = upload("ada@example.org"), client_for("trainer")
    kept_until = batch.created_at + timedelta(days=settings.UPLOAD_KEEP_DAYS)
    assert retention.kept_until(batch) == kept_until
    assert "Kept until" in client.get(f"/invitations/{batch.pk}/").content.decode()
    assert retention.due() == []
    later(settings.UPLOAD_KEEP_DAYS * 86_400 + 60)
    assert clock.now() > kept_until
    assert retention.due() == [str(batch.pk)]
    assert retention.forget(batch.pk) == "forgotten"
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (Batch.State.CANCELLED, retention.TOO_OLD)
    assert not Piece.objects.filter(batch=batch).exists()
    assert _found(client, q="ada@example.org") == set()
    again = services.upload(
        user=person("trainer"), course=course, filename="class.csv", content=csv_of("ada@example.org")
    )
    assert again.pk != batch.pk


def test_the_home_page_lists_the_latest_batches_without_buttons(client_for, batches):
    page = client_for("trainer").get("/").content.decode()
    assert "autumn (1).csv" in page
    assert "/discard/" not in page
