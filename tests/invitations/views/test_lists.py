"""A list comes in as a file or pasted, never both; sheets are chosen on the page; whatever is wrong is one sentence."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from invitations.models import Batch, Invitation
from invitations.views.shared import TOO_LATE
from tests.support.files import csv_of
from tests.support.workbooks import xlsx

UPLOAD = "/invitations/upload/"
SHEETS = [
    ("Class", [["email", "name"], ["ada@example.org", "Ada Byron"]]),
    ("Others", [["email", "name"], ["alan@example.org", "Alan Turing"]]),
]


@pytest.fixture
def client(course, client_for):
    return client_for("trainer")


def _paste(client, course, text, **more):
    return client.post(UPLOAD, {"course": course.course_id, "text": text, **more}, follow=True)


def _current_sheet(page: str) -> str:
    return re.findall(r'name="sheet" value="(\d+)"\s+aria-current', page)[0]


def _file(content: bytes, name: str = "class.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_one_learner_by_hand_is_a_paste_of_one_line(client, course):
    page = _paste(client, course, "Ada Lovelace <ada@example.org>").content.decode()
    row = Invitation.objects.get()
    assert (row.email, row.first_name, row.last_name) == ("ada@example.org", "Ada", "Lovelace")
    assert Batch.objects.get().filename == "pasted list"
    assert "pasted list" in page


def test_what_is_no_address_in_a_pasted_list_is_a_row_that_says_so(client, course):
    _paste(client, course, "ada@example.org; nobody; grace@example.org")
    found = dict(Invitation.objects.values_list("email", "reason"))
    assert set(found) == {"ada@example.org", "nobody", "grace@example.org"}
    assert found["nobody"].startswith("Not an e-mail address")


def test_cells_copied_from_a_spreadsheet_are_read_as_a_file(client, course):
    _paste(client, course, "E-Mail\tVorname\r\nada@example.org\tAda\r\n")
    assert Invitation.objects.get().first_name == "Ada"


@pytest.mark.parametrize(
    ("text", "file", "words"),
    [
        ("", None, "Choose a file to upload, or paste a list."),
        (" \r\n ", None, "Choose a file to upload, or paste a list."),
        ("ada@example.org", csv_of("ada@example.org"), "take one of them away"),
        ("Ada Lovelace", None, "no e-mail address in what you pasted"),
        ("@", None, "None of the 1 rows can be invited"),
        ("\x00@\x00", None, "None of the 1 rows can be invited"),
        ("@" * 1_000_000, None, "None of the 1 rows can be invited"),
    ],
)
def test_what_cannot_be_used_comes_back_in_one_sentence_with_the_text(client, course, text, file, words):
    answer = _paste(client, course, text, **({"file": _file(file)} if file else {}))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Batch.objects.exists()


def test_lone_surrogates_and_other_odd_bytes_make_no_trouble(client, course):
    body = f"course={course.course_id}&text=ada@example.org%0A%ED%A0%80@%00%FF"
    answer = client.post(UPLOAD, body, content_type="application/x-www-form-urlencoded", follow=True)
    assert answer.status_code == 200
    assert Invitation.objects.filter(email="ada@example.org").exists()


def test_more_text_than_a_form_takes_leads_back_with_one_sentence(client, course):
    for text in ("ada@example.org\n" * 200_000, "a" * 3_000_000):
        answer = _paste(client, course, text)
        assert answer.status_code == 200
        assert "That is more text than 2.0\u00a0MB: upload it as a file instead." in answer.content.decode()
    assert not Batch.objects.exists()


def test_a_pasted_list_over_the_limit_of_uploads_is_refused(client, course, settings):
    settings.UPLOAD_MAX_BYTES = 100
    assert "The list is larger than" in _paste(client, course, "ada@example.org\n" * 50).content.decode()


def test_another_sheet_is_chosen_on_the_preview(client, course):
    answer = client.post(UPLOAD, {"course": course.course_id, "file": _file(xlsx(*SHEETS), "class.xlsx")})
    address = answer["Location"]
    page = client.get(address).content.decode()
    assert _current_sheet(page) == "1"
    page = client.post(f"{address}sheet/", {"sheet": "2"}, follow=True).content.decode()
    assert _current_sheet(page) == "2"
    assert "alan@example.org" in page
    for wrong in ("", "3", "0", "x", "9" * 5_000):
        page = client.post(f"{address}sheet/", {"sheet": wrong}, follow=True).content.decode()
        assert "There is no such sheet" in page, wrong
    assert Invitation.objects.get().email == "alan@example.org"


def test_a_file_without_sheets_offers_none(client, course):
    address = client.post(UPLOAD, {"course": course.course_id, "file": _file(csv_of("ada@example.org"))})["Location"]
    assert "sheet-form" not in client.get(address).content.decode()
    assert "no such sheet" in client.post(f"{address}sheet/", {"sheet": "1"}, follow=True).content.decode()


def test_a_page_that_shows_an_earlier_reading_confirms_nothing(client, course):
    address = client.post(UPLOAD, {"course": course.course_id, "file": _file(xlsx(*SHEETS), "class.xlsx")})["Location"]
    batch = Batch.objects.get()
    assert f'name="reading" value="{batch.read_fence}"' in client.get(address).content.decode()
    client.post(f"{address}sheet/", {"sheet": "2"})
    page = client.post(f"{address}confirm/", {"reading": str(batch.read_fence)}, follow=True).content.decode()
    assert TOO_LATE.split(":")[0] in page
    batch.refresh_from_db()
    assert batch.state == Batch.State.PREVIEW
    client.post(f"{address}confirm/", {"reading": str(batch.read_fence)})
    batch.refresh_from_db()
    assert batch.state == Batch.State.QUEUED


@pytest.mark.parametrize(("role", "code"), [("administrator", 302), ("other", 404), ("stranger", 403)])
def test_who_may_choose_a_sheet(client_for, upload, role, code):
    batch = upload("ada@example.org")
    client = client_for("trainer", "trainer2") if role == "other" else client_for(role)
    assert client.post(f"/invitations/{batch.pk}/sheet/", {"sheet": "1"}).status_code == code
