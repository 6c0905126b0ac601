"""A workbook goes the way of a CSV file: the same preview, the same limits; any sheet of it can be read."""

import pytest

from coursehub.models import AuditEvent
from invitations import retention, services
from invitations.models import Batch, Invitation, Piece
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.uploads import anew, file_store, import_rows
from tests.support import workbooks
from tests.support.files import csv_of
from tests.support.workbooks import LEARNERS, xlsx

State = Invitation.State
OTHERS = [["title"], [], ["E-Mail", "Name"], ["alan@example.org", "Alan Turing"], ["nobody", ""]]


@pytest.fixture
def send_in(course, person):
    def make(content: bytes, course=course, name="class.xlsx"):
        return services.upload(user=person("trainer"), course=course, filename=name, content=content)

    return make


def _with_email_in(batch, at: int) -> Format:
    return Format(**batch.format).with_columns({"email": at})


def _rows(batch) -> list[tuple[int, str, str]]:
    return list(Invitation.objects.filter(batch=batch).order_by("line").values_list("line", "email", "state"))


@pytest.mark.parametrize("content", [xlsx(LEARNERS), workbooks.ods(LEARNERS)], ids=["xlsx", "ods"])
def test_a_workbook_is_in_preview_at_once_with_the_numbers_of_its_rows(send_in, content):
    batch = send_in(content)
    assert batch.state == Batch.State.PREVIEW
    assert _rows(batch) == [(2, "ada@example.org", State.PENDING), (3, "grace@example.org", State.PENDING)]
    assert b"".join(file_store.of_batch(batch.pk)) == content
    assert b"".join(file_store.of_batch(batch.pk, "sheet-1")).startswith(b"email,first name\r\n")


def test_the_same_workbook_again_is_the_same_batch(send_in):
    content = xlsx(("Class", LEARNERS), ("Others", OTHERS))
    assert send_in(content).pk == send_in(content).pk
    assert Piece.objects.count() == 2


def test_a_workbook_that_cannot_be_used_leaves_nothing_behind(send_in):
    for content in (xlsx([["name"], ["Ada"]]), workbooks.bomb(), workbooks.compound("EncryptedPackage")):
        with pytest.raises(FileRefused):
            send_in(content)
    assert not Batch.objects.exists()
    assert not Piece.objects.exists()


def test_another_sheet_takes_the_place_of_the_one_that_was_read(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Others", OTHERS)))
    assert services.choose_sheet(batch, 2, user=person("trainer"))
    batch.refresh_from_db()
    assert batch.state == Batch.State.PREVIEW
    assert _rows(batch) == [(4, "alan@example.org", State.PENDING), (5, "nobody", State.INVALID)]
    assert (batch.total, batch.format["text"]) == (2, "sheet-2")
    assert AuditEvent.objects.filter(action="batch.read_anew").count() == 1
    assert services.choose_sheet(batch, 1, user=person("trainer"))
    assert [email for _, email, _ in _rows(batch)] == ["ada@example.org", "grace@example.org"]


def test_a_sheet_that_cannot_be_used_changes_nothing(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Notes", [["nothing"]])))
    before = _rows(batch)
    for number in (0, 2, 3):
        with pytest.raises(FileRefused):
            services.choose_sheet(batch, number, user=person("trainer"))
    batch.refresh_from_db()
    assert (_rows(batch), batch.format["text"], batch.state) == (before, "sheet-1", Batch.State.PREVIEW)


def test_a_sheet_without_a_good_row_is_shown_and_can_be_left_again(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Bad", [["email"], ["nobody"], ["a@b"]])))
    assert services.choose_sheet(batch, 2, user=person("trainer"))
    batch.refresh_from_db()
    assert batch.state == Batch.State.PREVIEW
    assert {state for _, _, state in _rows(batch)} == {State.INVALID}
    assert services.choose_sheet(batch, 1, user=person("trainer"))
    assert [state for _, _, state in _rows(batch)] == [State.PENDING] * 2


def test_a_sheet_with_unclear_columns_asks_for_them(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Bare", [["x", "alan@example.org"], ["y", "kurt@example.org"]])))
    assert services.choose_sheet(batch, 2, user=person("trainer"))
    batch.refresh_from_db()
    assert batch.state == Batch.State.UPLOADED
    assert services.choose_columns(batch, _with_email_in(batch, 1), user=person("trainer"))
    assert [email for _, email, _ in _rows(batch)] == ["alan@example.org", "kurt@example.org"]


def test_columns_chosen_for_one_sheet_are_not_those_of_another(send_in, person):
    bare = [["x", "alan@example.org"], ["y", "kurt@example.org"]]
    batch = send_in(xlsx(("Bare", bare), ("Bare too", [row[::-1] for row in bare])))
    seen = Batch.objects.get(pk=batch.pk)
    assert services.choose_sheet(batch, 2, user=person("trainer"))
    form = _with_email_in(seen, 1)
    assert not services.choose_columns(seen, form, user=person("trainer"), reading=seen.read_fence)


def test_texts_are_deleted_with_the_bytes(send_in):
    batch = send_in(xlsx(LEARNERS))
    assert retention.forget(batch.pk) == "forgotten"
    assert not Piece.objects.exists()


def test_nothing_is_read_anew_after_the_confirmation_or_without_the_bytes(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Others", OTHERS)))
    form = Format(**batch.format)
    Batch.objects.filter(pk=batch.pk).update(made_names=0)
    assert services.confirm(Batch.objects.get(pk=batch.pk), actor="trainer")
    assert not services.choose_sheet(batch, 2, user=person("trainer"))
    assert not services.read_anew(batch, form, actor="trainer")
    other = send_in(csv_of("ada@example.org"), name="other.csv")
    Piece.objects.filter(batch=other).delete()
    with pytest.raises(FileRefused, match="was deleted"):
        services.read_anew(other, Format(**other.format), actor="trainer")


def test_a_preview_that_was_read_anew_since_is_not_confirmed_unseen(send_in, person):
    batch = send_in(xlsx(("Class", LEARNERS), ("Others", OTHERS)))
    seen = batch.read_fence
    assert services.choose_sheet(batch, 2, user=person("trainer"))
    Batch.objects.filter(pk=batch.pk).update(made_names=0)
    batch.refresh_from_db()
    assert not services.confirm(batch, actor="trainer", reading=seen)
    assert services.confirm(batch, actor="trainer", reading=batch.read_fence)


def test_a_file_that_is_deleted_while_it_is_read_anew_ends_the_batch_and_nobody_vanishes(send_in, monkeypatch):
    monkeypatch.setattr(anew, "READ_AT_ONCE_BYTES", 0)
    batch = send_in(csv_of("ada@example.org"), name="class.csv")
    assert services.read_anew(batch, Format(**batch.format), actor="trainer")
    Piece.objects.filter(batch=batch).delete()
    assert import_rows.read(batch.pk) == import_rows.REFUSED
    batch.refresh_from_db()
    assert (batch.state, "deleted while it was read" in batch.reason) == (Batch.State.CANCELLED, True)


def test_a_cancel_before_the_new_reading_leaves_no_row_of_the_old_one(send_in, monkeypatch):
    monkeypatch.setattr(anew, "READ_AT_ONCE_BYTES", 0)
    batch = send_in(csv_of("ada@example.org"), name="class.csv")
    assert services.read_anew(batch, Format(**batch.format), actor="trainer")
    assert services.cancel(batch, actor="trainer")
    assert not Invitation.objects.filter(batch=batch).exists()
