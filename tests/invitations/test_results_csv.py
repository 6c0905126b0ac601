"""The uploaded file comes back with the same bytes in every cell, and uploading that again runs only the rest."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from coursehub import clock
from coursehub.models import Course
from invitations import results_csv, retention, services
from invitations.models import Batch, Claim, Invitation, Piece
from invitations.repair import without_names
from invitations.selectors import batch_status
from invitations.sending import sender
from progress.polling import poller

State = Invitation.State
FILES = {
    "utf-8, crlf": b'email,first name\r\nada@example.org,"Ada, Countess"\r\ngrace@example.org,Grace\r\n',
    "mark, semicolons, no last newline": "\ufeffemail;first name\nada@example.org;Äda\ngrace@example.org;".encode(),
    "utf-16": "email\tfirst name\r\nada@example.org\tÄda\r\ngrace@example.org\t\r\n".encode("utf-16"),
    "windows-1252": "email;first name\r\nada@example.org;Zoë\r\ngrace@example.org;Grace\r\n".encode("cp1252"),
    "ragged, blank, newline in a cell": (
        b'email,first name,note\nada@example.org,Ada,"two\nlines",surplus\n\n,,\ngrace@example.org\n'
    ),
    "repeated headings, bad rows": (
        b'email,first name\nada@example.org,x\nemail,first name\n"no ""address",\ngrace@example.org,\n'
    ),
}


@pytest.fixture
def uploaded(course, person):
    def make(content: bytes) -> Batch:
        batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=content)
        Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
        return batch

    return make


def _sent(batch) -> Batch:
    batch.refresh_from_db()
    if batch.made_names:
        assert without_names.choose(batch, Batch.Names.FILLED, actor="trainer")
        batch.refresh_from_db()
    assert services.confirm(batch, actor="trainer")
    sender.send_slice(batch.pk)
    return Batch.objects.get(pk=batch.pk)


def _text(content: bytes) -> str:
    if content.startswith(b"\xff\xfe"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


@pytest.mark.parametrize("name", FILES)
def test_each_line_of_the_file_comes_back_as_it_was_with_our_columns_behind(uploaded, academy, name):
    content = FILES[name]
    batch = _sent(uploaded(content))
    given = b"".join(results_csv.of(batch).chunks)
    assert given[:2] == content[:2], "byte order marks stay"
    before, after = _text(content), _text(given)
    lines, given_lines = before.splitlines(), after.splitlines()
    assert len(given_lines) == len(lines)
    assert [given for line, given in zip(lines, given_lines, strict=True) if not given.startswith(line)] == []
    delimiter = next(mark for mark in ";\t," if mark in before)
    table = list(csv.reader(io.StringIO(after, newline=""), delimiter=delimiter))
    heading = table[0]
    assert heading[-5:] == results_csv.HEADINGS
    assert {len(row) for row in table if "invited" in row} == {len(heading)}, "ours stand below their headings"
    ada = dict(zip(heading, next(row for row in table if row[0] == "ada@example.org"), strict=True))
    row = Invitation.objects.get(batch=batch, email="ada@example.org")
    assert (ada["coursehub_status"], ada["coursehub_member_id"]) == ("invited", row.member_id)
    assert ada["coursehub_line"] == str(row.line)
    assert ada["coursehub_invited_at"].startswith(f"{row.invited_at:%Y-%m-%dT%H:%M}")


def test_uploading_the_results_runs_only_the_rest(uploaded, academy, invited_counts):
    first = _sent(uploaded(FILES["utf-8, crlf"]))
    Invitation.objects.filter(batch=first, email="grace@example.org").update(state=State.FAILED, reason="Refused.")
    Claim.objects.filter(email_folded="grace@example.org").delete()
    again = uploaded(b"".join(results_csv.of(first).chunks))
    assert batch_status.status(again.pk)["counts"].get(State.ALREADY_INVITED) == 1
    assert Invitation.objects.get(batch=again, email="grace@example.org").state == State.PENDING


def _for_people(batch, separator: str | None = None) -> bytes:
    return b"".join(results_csv.for_spreadsheets(batch, separator).chunks)


def _rows_of(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_no_cell_of_the_results_for_spreadsheets_begins_as_a_formula(uploaded, academy):
    content = b'email,first name\nada@example.org,=1+1\ngrace@example.org,"\tx"\n-alan@example.org,@SUM(A1)\n'
    batch = _sent(uploaded(content))
    rows = _rows_of(_for_people(batch))
    assert len(rows) == 4
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert "=1+1" in b"".join(results_csv.of(batch).chunks).decode()


@pytest.mark.parametrize("name", FILES)
def test_results_for_spreadsheets_are_utf_8_with_a_mark_and_hold_every_cell(uploaded, academy, name):
    batch = _sent(uploaded(FILES[name]))
    given = _for_people(batch, "semicolon")
    assert given.startswith(b"\xef\xbb\xbf")
    before = _text(FILES[name])
    delimiter = next(mark for mark in ";\t," if mark in before)
    wanted = list(csv.reader(io.StringIO(before, newline=""), delimiter=delimiter))
    rows = _rows_of(given, ";")
    assert [row[: len(cells)] for row, cells in zip(rows, wanted, strict=True)] == wanted
    assert rows[0][-6:] == [*results_csv.HEADINGS, "coursehub_time_zone"]


def test_results_for_spreadsheets_tell_ids_times_and_zone_as_excel_keeps_them(uploaded, academy, settings):
    settings.TIME_ZONE = "Europe/Vienna"
    batch = _sent(uploaded(b"email,number\nada@example.org,3000094000003000447\n"))
    at = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    Invitation.objects.filter(batch=batch).update(invited_at=at, member_id="3000094000003000448")
    row = dict(zip(*_rows_of(_for_people(batch)), strict=True))
    assert (row["number"], row["coursehub_member_id"]) == ("'3000094000003000447", "'3000094000003000448")
    assert (row["coursehub_invited_at"], row["coursehub_time_zone"]) == ("2026-01-03 00:30:00", "Europe/Vienna")


def test_results_for_spreadsheets_are_separated_as_asked_else_as_the_file_was(uploaded, academy):
    batch = _sent(uploaded(b"sep=;\nemail;first name\nada@example.org;Ada\n"))
    for separator, delimiter in [(None, ";"), ("nonsense", ";"), ("comma", ","), ("tab", "\t")]:
        heading, ada = _rows_of(_for_people(batch, separator), delimiter)
        assert (heading[:2], ada[:2]) == (["email", "first name"], ["ada@example.org", "Ada"])


@pytest.mark.parametrize("separator", ["comma", "semicolon", "tab"])
def test_results_for_spreadsheets_can_be_uploaded_again_and_invite_nobody_twice(
    uploaded, academy, invited_counts, separator
):
    first = _sent(uploaded("email,first name,note\nada@example.org,Zoë,007\ngrace@example.org,Grace,\n".encode()))
    again = uploaded(_for_people(first, separator))
    assert batch_status.status(again.pk)["counts"] == {State.ALREADY_INVITED: 2}
    assert list(Invitation.objects.filter(batch=again).values_list("first_name", flat=True)) == ["Zoë", "Grace"]


def test_an_address_that_was_made_safe_is_the_same_when_uploaded_again(uploaded, academy):
    first = _sent(uploaded(b"email,first name\n-alan@example.org,Alan\n"))
    again = uploaded(_for_people(first))
    row = Invitation.objects.get(batch=again)
    assert (row.email, row.state) == ("-alan@example.org", State.ALREADY_INVITED)


def test_a_course_s_id_that_was_made_safe_is_the_same_when_uploaded_again(person, academy):
    course = Course.objects.open().filter(course_id__regex="^[0-9]{12,}$").first()
    content = f"email,course\nada@example.org,{course.course_id}\n".encode()
    first = services.upload(user=person("administrator"), course=None, filename="a.csv", content=content)
    again = services.upload(user=person("administrator"), course=None, filename="b.csv", content=_for_people(first))
    row = Invitation.objects.get(batch=again)
    assert (row.course_id, row.state, row.reason) == (course.course_id, State.PENDING, "")


def test_the_name_of_the_results_for_spreadsheets_holds_the_course_s(uploaded, academy, client_for):
    batch = _sent(uploaded(FILES["utf-8, crlf"]))
    Batch.objects.filter(pk=batch.pk).update(course_name="Алгебра 1/2")
    client, page = client_for("trainer"), f"/invitations/{batch.pk}/results"
    named = unquote(client.get(f"{page}-safe.csv?separator=tab")["Content-Disposition"])
    assert named == "attachment; filename*=utf-8''class-Алгебра 1 2-results-safe.csv"
    assert client.get(f"{page}.csv")["Content-Disposition"] == 'attachment; filename="class-results.csv"'


def test_after_the_file_was_deleted_our_columns_are_left_and_say_so(uploaded, academy, client_for):
    batch = _sent(uploaded(FILES["utf-8, crlf"]))
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMPLETED)
    retention.forget(batch.pk)
    assert not Piece.objects.exists()
    answer = client_for("trainer").get(f"/invitations/{batch.pk}/results.csv")
    assert "without-file" in answer["Content-Disposition"]
    text = b"".join(answer).decode()
    assert "was deleted" in text
    assert "example.org" not in text
    assert text.count("invited") == 3  # two rows and one heading
    safe = client_for("trainer").get(f"/invitations/{batch.pk}/results-safe.csv?separator=semicolon")
    assert "without-file" in safe["Content-Disposition"]
    rows = _rows_of(b"".join(safe), ";")
    assert rows[0] == [*results_csv.HEADINGS, "coursehub_time_zone", "coursehub_note"]
    assert ["was deleted" in row[-1] for row in rows[1:]] == [True, True]


def test_results_are_the_owner_s_and_the_administrator_s(uploaded, academy, client_for):
    batch = _sent(uploaded(FILES["utf-8, crlf"]))
    for page in ("results.csv", "results-safe.csv", "learners/", "rows/2/"):
        address = f"/invitations/{batch.pk}/{page}"
        assert client_for("trainer").get(address).status_code == 200
        assert client_for("administrator").get(address).status_code == 200
        assert client_for("trainer", "trainer2").get(address).status_code == 404
        assert client_for("maintenance").get(address).status_code == 403
        assert client_for("stranger").get(address).status_code == 403
        assert client_for("anonymous").get(address).status_code == 302


def test_the_funnel_counts_and_invites_the_late_ones_once_more(
    uploaded, academy, course, client_for, invited_counts, later, look
):
    academy.switch(progress_speed=0)
    batch = _sent(uploaded(FILES["utf-8, crlf"]))
    academy.put_learner(course.course_id, "ada@example.org", 100)
    poller.poll(course.course_id, only_if_due=False)
    client, address = client_for("trainer"), f"/invitations/{batch.pk}/learners/"
    page = client.get(address)
    shown = page.context["funnel"]
    assert (shown.invited, shown.accepted, shown.started, shown.completed) == (2, 1, 1, 1)
    assert shown.late_lines == []
    assert client.post(address, {"days": "7"}).status_code == 302
    assert client.post(address, {"days": "never"}).status_code == 200
    later(8 * 86_400)
    page = client.get(address)
    assert page.context["funnel"].late_lines == [3]
    assert "grace@example.org" in page.content.decode(), "the page names whom it would invite"
    assert client.post(address, {"days": "0"}).status_code == 200, "nobody is invited again on the same day"
    assert client.post(address, {"days": "7"})["Location"] == f"/invitations/{batch.pk}/"
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED, "not before a look at the members"
    look(batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"ada@example.org": 1, "grace@example.org": 2}
    assert Invitation.objects.get(batch=batch, line=3).generation == 2


def test_a_person_decides_about_a_row_on_its_page(uploaded, academy, client_for):
    batch = uploaded(FILES["utf-8, crlf"])
    Invitation.objects.filter(batch=batch).update(state=State.UNKNOWN)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.COMPLETED_WITH_ERRORS)
    client, address = client_for("trainer"), f"/invitations/{batch.pk}/rows/2/"
    assert "already-there-button" in client.get(address).content.decode()
    assert client.post(address, {"decision": "explode"}).status_code == 302
    assert Invitation.objects.get(batch=batch, line=2).state == State.UNKNOWN
    client.post(address, {"decision": "already-there"})
    assert Invitation.objects.get(batch=batch, line=2).state == State.ALREADY_ENROLLED
    client.post(f"/invitations/{batch.pk}/rows/3/", {"decision": "send-again"})
    assert Invitation.objects.get(batch=batch, line=3).state == State.PENDING
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.QUEUED
    assert client.get(f"/invitations/{batch.pk}/rows/99/").status_code == 404
