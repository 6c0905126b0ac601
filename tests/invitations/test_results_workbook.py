"""A workbook comes back as a workbook: each value as it was, and columns of ours behind."""

import io
from datetime import date, datetime

import pytest
from python_calamine import CalamineWorkbook

from coursehub import clock
from invitations import results_csv, results_workbook, services
from invitations.models import Batch, Piece
from invitations.parsing.errors import FileRefused
from invitations.repair import without_names
from invitations.sending import sender
from tests.support import workbooks
from tests.support.files import csv_of
from tests.support.workbooks import xlsx

ID = 3000094000002000004


def _values(book) -> None:
    sheet = book.worksheets()[1]
    sheet.write(5, 4, "=1+1")
    sheet.write_string(5, 5, "https://example.org")
    sheet.write_datetime(5, 6, date(2027, 12, 31), book.add_format({"num_format": "dd.mm.yyyy"}))
    sheet.write_datetime(5, 7, datetime(2027, 12, 31, 9, 30), book.add_format({"num_format": "dd.mm.yyyy hh:mm"}))
    sheet.write_string(5, 8, "007")
    sheet.write_number(5, 9, ID)
    sheet.write_boolean(5, 10, True)
    sheet.write_formula(5, 11, "=2+2", None, 4)


@pytest.fixture
def sent(course, person, academy):
    """`sent(content)`: the batch of that file, sent."""

    def make(content: bytes) -> Batch:
        batch = services.upload(user=person("trainer"), course=course, filename="class.xlsx", content=content)
        Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
        batch.refresh_from_db()
        if batch.made_names:
            assert without_names.choose(batch, Batch.Names.FILLED, actor="trainer")
            batch.refresh_from_db()
        assert services.confirm(batch, actor="trainer")
        sender.send_slice(batch.pk)
        return Batch.objects.get(pk=batch.pk)

    return make


def _rows(content: bytes) -> list[list]:
    return list(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).iter_rows())


def test_each_value_comes_back_as_it_was_with_our_columns_behind(sent):
    learners = [
        ["Class of 2027"],
        [],
        [],
        ["email", "first name"],
        ["nobody", "B"],
        ["ada@example.org", "Ada", "", "x"],
    ]
    batch = sent(xlsx([["Read me"]], learners, then=_values))
    made = b"".join(results_workbook.of(batch))
    rows = _rows(made)
    ours = rows[3][12:]
    assert rows[0][0] == "Class of 2027"
    assert ours == results_csv.HEADINGS
    assert rows[5][:4] == ["ada@example.org", "Ada", "", "x"]
    assert rows[5][4:6] == ["=1+1", "https://example.org"]
    assert rows[5][6:12] == [date(2027, 12, 31), datetime(2027, 12, 31, 9, 30), "007", float(ID), True, 4.0]
    assert rows[4][12] == "invalid"
    status, _, member_id, invited_at, line = rows[5][12:]
    row = batch.invitation_set.get(line=6)
    assert (status, member_id, line) == ("invited", row.member_id, 6.0)
    assert isinstance(invited_at, datetime)
    assert b"<f>" not in made


def test_formulas_and_links_come_back_as_text(sent):
    batch = sent(xlsx([["email", "note"], ["ada@example.org", "=HYPERLINK(1)"]]))
    with_formulas = workbooks.unzipped(b"".join(results_workbook.of(batch)))
    sheet = with_formulas["xl/worksheets/sheet1.xml"].decode()
    assert "HYPERLINK" in sheet
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet


@pytest.mark.parametrize(
    "content", [workbooks.ods([["email"], ["ada@example.org"]]), workbooks.xls()], ids=["ods", "xls"]
)
def test_other_workbooks_come_back_as_xlsx(sent, course, content):
    if content[:4] == workbooks.xls()[:4]:
        content = workbooks.xls().replace(b"Kurs", b"Rang")  # no column of courses
    rows = _rows(b"".join(results_workbook.of(sent(content))))
    assert [row[0] for row in rows][1] == "ada@example.org"
    assert "invited" in rows[1]


def test_the_results_as_csv_are_the_sheet_s_text(sent):
    batch = sent(xlsx([["title"], ["email", "first name"], ["ada@example.org", "Ada\nByron"]]))
    lines = b"".join(results_csv.of(batch).chunks).decode().split("\r\n")
    assert lines[0] == "title"
    assert lines[2].startswith("ada@example.org,Ada\u2028Byron,invited,")
    assert lines[2].endswith(",3")


def test_only_a_workbook_that_is_kept_comes_back_as_one(sent, client_for):
    plain = sent(csv_of("ada@example.org"))
    with pytest.raises(FileRefused, match="no workbook"):
        results_workbook.of(plain)
    client = client_for("trainer")
    assert "results.xlsx" not in client.get(f"/invitations/{plain.pk}/").content.decode()
    assert client.get(f"/invitations/{plain.pk}/results.xlsx")["Location"] == f"/invitations/{plain.pk}/"
    batch = sent(xlsx([["email", "name"], ["grace@example.org", "Grace Hopper"]]))
    assert "results.xlsx" in client.get(f"/invitations/{batch.pk}/").content.decode()
    Piece.objects.filter(batch=batch).delete()
    assert "results.xlsx" not in client.get(f"/invitations/{batch.pk}/").content.decode()


def test_the_download_is_a_workbook_by_name_and_kind_for_those_who_may_see_the_batch(sent, client_for):
    batch = sent(xlsx([["email", "name"], ["ada@example.org", "Ada Byron"]]))
    answer = client_for("trainer").get(f"/invitations/{batch.pk}/results.xlsx")
    assert answer["Content-Disposition"] == 'attachment; filename="class-results.xlsx"'
    assert answer["Content-Type"] == results_workbook.CONTENT_TYPE
    assert client_for("trainer", "trainer2").get(f"/invitations/{batch.pk}/results.xlsx").status_code == 404
