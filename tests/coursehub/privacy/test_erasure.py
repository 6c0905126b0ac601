"""One learner is erased everywhere, the audit trail still verifies, and a restore does not bring them back."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from coursehub import audit, clock
from coursehub.backup import dump, restore
from coursehub.models import AccessEnd, AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.privacy import erasure, pseudonyms
from invitations import retention, services
from invitations.models import Batch, Claim, Invitation, Piece
from invitations.selectors import batch_status
from invitations.sending import sender
from invitations.uploads import import_rows
from progress.models import LearnerReport, Member, ProgressEntry
from progress.polling import poller

State = Invitation.State
ADA, GRACE = "Ada@example.org", "grace@example.org"


@pytest.fixture
def sent(confirmed, course):
    batch = confirmed(ADA, GRACE)
    sender.send_slice(batch.pk)
    poller.poll(course.course_id, only_if_due=False)
    assert Member.objects.filter(email_folded="ada@example.org").exists()
    return batch


def _held_anywhere(database, text: str) -> set[str]:
    """The collections in which `text` stands anywhere, in whatever case."""
    names = [name for name in database.list_collection_names() if not name.startswith("system.")]
    return {name for name in names if any(text in str(row).lower() for row in database[name].find())}


def test_nothing_of_the_learner_is_left_in_any_collection(sent, database):
    audit.record(action="something.done", detail={"learner": pseudonyms.of(ADA)})
    counts = erasure.erase("  ADA@example.org ", actor="admin")
    assert (counts["invitations"], counts["claims"], counts["uploaded_files"], counts["members"]) == (1, 1, 1, 1)
    assert _held_anywhere(database, "ada@example.org") == set()
    assert _held_anywhere(database, GRACE) >= {Invitation._meta.db_table, Member._meta.db_table}
    assert batch_status.status(sent.pk)["counts"] == {State.INVITED: 2}, "the figures stay"
    assert audit.verify().first_broken is None
    assert not ProgressEntry.objects.exclude(member_id__in=Member.objects.values_list("member_id", flat=True)).exists()
    assert erasure.erase(ADA, actor="admin")["invitations"] == 0, "it may run twice"


def test_an_address_is_named_the_same_until_it_is_forgotten(database):
    name = pseudonyms.of(ADA)
    assert pseudonyms.of("ada@EXAMPLE.org") == name != pseudonyms.of(GRACE)
    assert pseudonyms.forget(ADA)
    assert pseudonyms.of(ADA) != name


def test_a_row_that_was_not_sent_is_not_sent(confirmed, invited_counts):
    batch = confirmed(ADA, GRACE)
    erasure.erase(ADA, actor="admin")
    sender.send_slice(batch.pk)
    assert invited_counts() == {GRACE: 1}
    assert batch_status.status(batch.pk)["counts"] == {State.INVITED: 1, State.NOT_ATTEMPTED: 1}


def test_an_erased_learner_is_a_stranger_who_may_be_invited(sent, upload):
    erasure.erase(ADA, actor="admin")
    assert batch_status.status(upload(ADA).pk)["counts"] == {State.PENDING: 1}


def test_an_end_of_access_and_a_report_go_too(confirmed, course, database):
    batch = confirmed(ADA)
    Invitation.objects.filter(batch=batch).update(access_expires_at=clock.now() + timedelta(days=30))
    sender.send_slice(batch.pk)
    poller.poll(course.course_id, only_if_due=False)
    member = Member.objects.get(email_folded="ada@example.org")
    key = LearnerReport.key_of(course.course_id, member.member_id, "tests")
    LearnerReport.objects.create(id=key, course_id=course.course_id, member_id=member.member_id, kind="tests")
    assert AccessEnd.objects.exists()
    erasure.erase(ADA, actor="admin")
    assert _held_anywhere(database, "ada@example.org") == set()
    assert not LearnerReport.objects.exists()


@pytest.fixture
def backup(sent, tmp_path):
    """Of a database that holds both learners, and has named both in the trail."""
    for email in (ADA, GRACE):
        audit.record(action="something.done", detail={"learner": pseudonyms.of(email)})
    dump.take(tmp_path / "backup.zip", actor="admin")
    return tmp_path / "backup.zip"


def test_what_a_restore_brings_back_is_erased_again(backup, database):
    erasure.erase(ADA, actor="admin")
    done = restore.restore(backup, actor="admin")
    assert (done.erased_again, done.first_broken) == (1, None)
    assert _held_anywhere(database, "ada@example.org") == set()
    assert _held_anywhere(database, GRACE) >= {
        Invitation._meta.db_table, Claim._meta.db_table, Member._meta.db_table, "coursehub_addresskey"
    }  # fmt: skip
    said = io.StringIO()
    call_command("erase_learner", "--again", stdout=said)
    assert said.getvalue() == "0 learners erased again.\n"


def test_who_was_erased_long_before_the_backup_and_uploaded_since_stays(sent, upload, tmp_path, database):
    erasure.erase(ADA, actor="admin")
    database[erasure.TABLE].update_many({"at": {"$ne": None}}, {"$set": {"at": clock.now() - timedelta(days=30)}})
    upload(ADA)
    dump.take(tmp_path / "backup.zip", actor="admin")
    assert restore.restore(tmp_path / "backup.zip", actor="admin").erased_again == 0
    assert Invitation._meta.db_table in _held_anywhere(database, "ada@example.org")


def test_who_is_erased_before_the_file_is_read_is_not_in_its_preview(upload, monkeypatch, database):
    monkeypatch.setattr("invitations.uploads.upload.READ_AT_ONCE_BYTES", 0)
    batch = upload(ADA, GRACE)
    erasure.erase(ADA, actor="admin")
    assert Piece.objects.filter(batch=batch).exists(), "the file is not read yet"
    assert import_rows.read(batch.pk) == import_rows.READ
    assert _held_anywhere(database, "ada@example.org") == set()
    assert not Piece.objects.filter(batch=batch).exists()
    assert batch_status.status(batch.pk)["counts"] == {State.NOT_ATTEMPTED: 1, State.PENDING: 1}


def test_a_file_that_is_being_read_stays_until_it_was_read(upload, monkeypatch, database):
    monkeypatch.setattr("invitations.uploads.upload.READ_AT_ONCE_BYTES", 0)
    monkeypatch.setattr(import_rows, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 1)
    batch = upload(ADA, GRACE)
    assert import_rows.read(batch.pk) == import_rows.UNFINISHED
    erasure.erase(ADA, actor="admin")
    while import_rows.read(batch.pk) == import_rows.UNFINISHED:
        pass
    assert batch_status.status(batch.pk)["counts"] == {State.NOT_ATTEMPTED: 1, State.PENDING: 1}
    assert _held_anywhere(database, "ada@example.org") == set()


@pytest.mark.parametrize("ends", ["cancelled", "half read and cancelled", "refused"])
def test_who_is_erased_before_a_file_is_read_that_ends_unread_is_not_in_it(
    upload, monkeypatch, database, settings, ends
):
    others = [f"learner{number}@example.org" for number in range(20)]
    with monkeypatch.context() as patch:
        patch.setattr(import_rows, "read", lambda _: None)
        batch = upload(ADA, *others)
    erasure.erase(ADA, actor="admin")
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 10)
    if ends == "refused":
        settings.UPLOAD_MAX_ROWS = 20
        assert import_rows.read(batch.pk) == import_rows.REFUSED
    else:
        monkeypatch.setattr(import_rows, "SLICE_SECONDS", -1)
        assert ends == "cancelled" or import_rows.read(batch.pk) == import_rows.UNFINISHED
        assert services.cancel(batch, actor="trainer")
    batch.refresh_from_db()
    assert batch.state == Batch.State.CANCELLED
    assert _held_anywhere(database, "ada@example.org") == set()


def test_a_cancel_deletes_no_file_when_nobody_was_erased_since_or_it_was_read(upload, monkeypatch):
    erasure.erase(GRACE, actor="admin")
    with monkeypatch.context() as patch:
        patch.setattr(import_rows, "read", lambda _: None)
        unread = upload(ADA)
    assert services.cancel(unread, actor="trainer")
    read = upload(ADA)
    erasure.erase(GRACE, actor="admin")
    assert services.cancel(read, actor="trainer")
    assert set(Piece.objects.values_list("batch_id", flat=True)) == {unread.pk, read.pk}


def test_a_key_alone_does_not_come_back(backup, database):
    """The learner is held by no app at the backup; only the trail's name for the address is."""
    for model in (Invitation, Claim, Member):
        outside_transaction(model).delete_many({"email_folded": "ada@example.org"})
    Piece.objects.all().delete()
    dump.take(backup.with_name("later.zip"), actor="admin")
    erasure.erase(ADA, actor="admin")
    assert restore.restore(backup.with_name("later.zip"), actor="admin").erased_again == 1
    assert _held_anywhere(database, "ada@example.org") == set()


def test_erasures_of_two_logs_with_different_keys_are_all_made_again(backup, database):
    """The backup's log knows one, the present one, begun anew after a loss, knows the other."""
    erasure.erase("alan@example.org", actor="admin")
    dump.take(backup.with_name("later.zip"), actor="admin")
    database[erasure.TABLE].delete_many({})
    erasure.erase(ADA, actor="admin")
    restore.restore(backup.with_name("later.zip"), actor="admin")
    assert _held_anywhere(database, "ada@example.org") == set()
    pseudonyms.of("alan@example.org")
    assert erasure.erase_again(actor="admin") == 1
    assert database[erasure.TABLE].count_documents({"key": {"$exists": True}}) == 2


def test_cells_and_bytes_go_after_the_days_they_are_kept(sent, settings, later):
    assert retention.due() == []
    later(settings.UPLOAD_KEEP_DAYS * 86_400 + 60)
    assert retention.due() == [str(sent.pk)]
    assert retention.forget(sent.pk) == "forgotten"
    assert not Piece.objects.exists()
    assert set(Invitation.objects.values_list("email", "first_name", "last_name", "email_folded")) == {("", "", "", "")}
    assert Claim.objects.count() == 2, "who was invited is not invited again"
    assert batch_status.status(sent.pk)["counts"] == {State.INVITED: 2}
    assert retention.due() == []


def test_a_preview_that_nobody_confirmed_is_given_up(upload, settings, later):
    batch = upload(ADA)
    later(settings.UPLOAD_KEEP_DAYS * 86_400 + 60)
    assert retention.forget(batch.pk) == "forgotten"
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.CANCELLED
    assert batch_status.status(batch.pk)["counts"] == {State.NOT_ATTEMPTED: 1}


def test_what_a_batch_knows_of_its_file_goes_with_the_cells(course, person, database):
    """Headings may name somebody, as a first line of a file without any; and a domain may be somebody's own."""
    contact = b"Contact: Jane Roe jane.roe@example.org\nada@example.org\ngrace@example.org\n"
    domain = b"".join(b"l%d@lovelace.example,A,B\n" % number for number in range(30)) + b"ada@lovelaec.example,A,B\n"
    batches = [
        services.upload(user=person("trainer"), course=course, filename="a.csv", content=content)
        for content in (contact, b"email,first name,last name\n" + domain)
    ]
    assert _held_anywhere(database, "jane.roe") >= {Batch._meta.db_table}
    assert _held_anywhere(database, "lovelaec") >= {Batch._meta.db_table}
    for batch in batches:
        assert retention.forget(batch.pk) == "forgotten"
    assert _held_anywhere(database, "jane.roe") == _held_anywhere(database, "lovelaec") == set()


def test_a_cell_that_was_the_reason_to_refuse_a_file_goes_with_the_others(course, person, monkeypatch, database):
    monkeypatch.setattr("invitations.uploads.upload.READ_AT_ONCE_BYTES", 0)
    content = b"email,course\na@example.org,Ada Lovelace\n"
    batch = services.upload(user=person("trainer"), course=None, filename="a.csv", content=content)
    assert import_rows.read(batch.pk) == import_rows.REFUSED
    assert "“Ada Lovelace”" in Batch.objects.get(pk=batch.pk).reason
    assert retention.forget(batch.pk) == "forgotten"
    assert _held_anywhere(database, "lovelace") == set()


@pytest.mark.parametrize(
    ("role", "status"),
    [("administrator", 200), ("maintenance", 403), ("trainer", 403), ("stranger", 403), ("anonymous", 302)],
)
def test_only_administrators_open_the_page(client_for, role, status):
    assert client_for(role).get("/admin/erase-learner/").status_code == status


def test_the_page_erases_only_what_was_typed_twice(sent, client_for):
    client = client_for("administrator")
    for wrong in ({}, {"email": ADA}, {"email": ADA, "confirmation": GRACE}):
        assert 'role="alert"' in client.post("/admin/erase-learner/", wrong).content.decode()
    assert Claim.objects.count() == 2
    answer = client.post("/admin/erase-learner/", {"email": ADA, "confirmation": ADA.lower()}, follow=True)
    assert "1 claims" in answer.content.decode()
    assert Claim.objects.count() == 1
    event = AuditEvent.objects.get(action="learner.erased")
    assert "example.org" not in str(event.detail)


@pytest.fixture
def later(database):
    """`later(135)`: for the rest of the test it is so many seconds later."""
    yield lambda seconds: clock.simulate(ahead_seconds=seconds)
    clock.end_simulation()
