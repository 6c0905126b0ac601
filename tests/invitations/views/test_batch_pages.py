"""The trainer's pages: redirects, sentences, and nobody else's batches."""

import json
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from coursehub import clock
from coursehub.downloads import Separator
from invitations import tasks
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from tests.support.files import csv_of

UPLOAD = "/invitations/upload/"


def _post(client, course, content, name="class.csv"):
    return client.post(UPLOAD, {"course": course.course_id, "file": SimpleUploadedFile(name, content)})


class _Alerts(HTMLParser):
    """What a screen reader says of every [role=alert]."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[bool] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in ("input", "br", "img", "path"):
            return
        given = dict(attrs)
        inside = bool(self.open_tags and self.open_tags[-1]) or given.get("role") == "alert"
        self.open_tags.append(inside and given.get("aria-hidden") != "true")

    def handle_endtag(self, tag):
        if self.open_tags:
            self.open_tags.pop()

    def handle_data(self, data):
        if self.open_tags and self.open_tags[-1] and data.strip():
            self.texts.append(data.strip())


def _alerts(answer) -> list[str]:
    parser = _Alerts()
    parser.feed(answer.content.decode())
    return parser.texts


def test_a_good_file_leads_to_its_preview(client_for, course):
    client = client_for("trainer")
    answer = _post(client, course, csv_of("ada@example.org", "nobody"))
    batch = Batch.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/invitations/{batch.pk}/")
    page = client.get(answer["Location"]).content.decode()
    assert "nobody" in page
    assert "Not an e-mail address" in page


def test_the_preview_says_which_columns_were_read_and_which_not(client_for, course):
    client = client_for("trainer")
    content = b"E-Mail,Vorname,bis wann\nada@example.org,Ada,2027-01-01\n"
    page = client.get(_post(client, course, content)["Location"]).content.decode()
    said = page[page.index('id="columns-read"') :].split("</p>")[0]
    assert "E-mail address from <b>“E-Mail”</b>, First name from <b>“Vorname”</b>" in said
    assert "Not used: “bis wann”" in said
    assert "so it does not end" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "not text"),
        (b"name\nAda\n", "e-mail column"),
        (b"email\nnobody\n", "None of the 1 rows"),
        (b"email\n", "no rows"),
    ],
)
def test_a_bad_file_comes_back_with_one_sentence_and_stores_nothing(client_for, course, content, words):
    answer = _post(client_for("trainer"), course, content)
    assert answer.status_code == 200
    [sentence] = _alerts(answer)
    assert words in sentence
    assert not Batch.objects.exists()


def test_a_file_over_the_limit_is_refused(client_for, course, settings):
    settings.UPLOAD_MAX_BYTES = 1000
    answer = _post(client_for("trainer"), course, csv_of("ada@example.org") + b" " * 1000)
    [sentence] = _alerts(answer)
    assert "larger than" in sentence


def test_a_file_that_does_not_tell_its_columns_leads_to_the_question(client_for, course):
    client = client_for("trainer")
    answer = _post(client, course, b"Whom;Called\nada@example.org;Ada\n")
    page = client.get(answer["Location"]).content.decode()
    assert "What do the columns hold?" in page
    assert "<td>ada@example.org</td>" in page
    columns = f"{answer['Location']}columns/"
    for wrong, words in [
        ({"email": "9"}, "valid choice"),
        ({}, "e-mail addresses"),
        ({"email": "0", "name": "0"}, "Two"),
        ({"email": "1"}, "holds none"),
    ]:
        assert words in client.post(columns, wrong, follow=True).content.decode()
    assert client.post(columns, {"email": "0", "first_name": "1"}).status_code == 302
    tasks.read(answer["Location"].split("/")[2])
    assert Invitation.objects.get().first_name == "Ada"
    assert "What do the columns hold?" not in client.get(answer["Location"]).content.decode()


def test_what_the_token_sets_would_not_last_for_does_not_start_now(client_for, upload, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 1
    settings.PACING_JITTER_SECONDS = 3600 * 200
    batch, client = upload("ada@example.org"), client_for("trainer")
    page = client.get(f"/invitations/{batch.pk}/").content.decode()
    assert "the batch would stop half-way" in page
    assert "confirm-button" not in page
    confirm = f"/invitations/{batch.pk}/confirm/"
    assert "would stop half-way" in client.post(confirm, follow=True).content.decode()
    assert "Write the time" in client.post(confirm, {"start_at": "soon"}, follow=True).content.decode()
    assert Batch.objects.get().state == Batch.State.PREVIEW
    assert (
        "within the next year" in client.post(confirm, {"start_at": "2127-12-31T09:00"}, follow=True).content.decode()
    )
    in_a_month = (clock.now() + timedelta(days=30)).replace(second=0, microsecond=0)
    client.post(confirm, {"start_at": f"{timezone.localtime(in_a_month):%Y-%m-%dT%H:%M}"})
    batch.refresh_from_db()
    assert (batch.state, batch.start_at) == (Batch.State.QUEUED, in_a_month)
    assert "Starts" in client.get(f"/invitations/{batch.pk}/").content.decode()


@pytest.mark.parametrize("start_at", ["0001-01-01T00:00", "2025-12-01T09:00"])
def test_a_start_that_is_past_is_refused_in_one_sentence(client_for, upload, settings, start_at):
    settings.TIME_ZONE = "Asia/Kolkata"
    batch, client = upload("ada@example.org"), client_for("trainer")
    page = client.post(f"/invitations/{batch.pk}/confirm/", {"start_at": start_at}, follow=True).content.decode()
    batch.refresh_from_db()
    assert (batch.state, batch.start_at) == (Batch.State.PREVIEW, None)
    assert "is past: choose a later time, or confirm at once." in page


@pytest.mark.parametrize("page", ["columns", "confirm"])
@pytest.mark.parametrize(
    ("role", "code"),
    [("administrator", 302), ("maintenance", 403), ("trainer", 302), ("other", 404), ("stranger", 403)],
)
def test_who_may_answer_for_a_batch(client_for, upload, page, role, code):
    batch = upload("ada@example.org")
    client = client_for("trainer", "trainer2") if role == "other" else client_for(role)
    assert client.post(f"/invitations/{batch.pk}/{page}/").status_code == code
    assert client_for("anonymous").post(f"/invitations/{batch.pk}/{page}/")["Location"].startswith("/accounts/login/")


def test_no_file_and_a_foreign_course_are_refused(client_for, course):
    client = client_for("trainer", "trainer2")
    assert (
        "Choose a file to upload, or paste"
        in _alerts(client_for("trainer").post(UPLOAD, {"course": course.course_id}))[0]
    )
    assert "no access" in _alerts(_post(client, course, csv_of("ada@example.org")))[0]


@pytest.mark.parametrize("separator", Separator)
def test_the_template_invites_nobody_until_it_is_filled_in(client_for, course, separator):
    client = client_for("trainer")
    template = client.get(f"/invitations/template.csv?separator={separator.value}").content
    assert template.startswith(b"\xef\xbb\xbf")
    assert _alerts(_post(client, course, template)) == ["The file has headings but no rows."]
    line = separator.character.join(["ada@example.org", "Zoë", "Lovelace", "2099-12-31"])
    assert _post(client, course, template + f"{line}\r\n".encode()).status_code == 302
    row = Invitation.objects.get()
    assert (row.email, row.first_name, row.last_name, row.state) == ("ada@example.org", "Zoë", "Lovelace", "pending")


def test_the_upload_page_offers_the_template_with_each_separator_and_shows_an_example(client_for, course):
    page = client_for("trainer").get(UPLOAD).content.decode()
    assert [f"template.csv?separator={one.value}" in page for one in Separator] == [True, True, True]
    assert "ada@example.org" in page


def test_another_trainer_s_batch_does_not_exist(client_for, upload):
    batch = upload("ada@example.org")
    other = client_for("trainer", "trainer2")
    for page in ("", "status.json", "rows.json"):
        assert other.get(f"/invitations/{batch.pk}/{page}").status_code == 404
    assert other.post(f"/invitations/{batch.pk}/confirm/").status_code == 404
    assert client_for("administrator").get(f"/invitations/{batch.pk}/").status_code == 200


def test_an_action_that_comes_too_late_says_so(client_for, upload):
    batch, client = upload("ada@example.org"), client_for("trainer")
    assert client.post(f"/invitations/{batch.pk}/confirm/").status_code == 302
    again = client.post(f"/invitations/{batch.pk}/confirm/", follow=True)
    assert "no longer possible" in again.content.decode()
    assert client.post(f"/invitations/{batch.pk}/explode/").status_code == 404
    assert client.get(f"/invitations/{batch.pk}/confirm/").status_code == 405


def test_status_and_rows_answer_what_the_page_shows(client_for, upload):
    batch, client = upload("ada@example.org", "nobody"), client_for("trainer")
    status = client.get(f"/invitations/{batch.pk}/status.json").json()
    assert set(status) == {"id", "state", "reason", "counts", "total", "rate_per_minute", "finish_at", "revision"}
    assert status == batch_status.status(batch.pk) | {"revision": status["revision"]}
    rows = client.get(f"/invitations/{batch.pk}/rows.json?state=invalid&page=7").json()
    assert (rows["page"], rows["pages"], rows["total"]) == (1, 1, 1)
    assert rows["rows"][0]["email"] == "nobody"
    json.dumps(rows)


def test_a_name_that_looks_like_markup_is_shown_as_text(client_for, course):
    client = client_for("trainer")
    _post(client, course, b"email,first name\nada@example.org,<script>alert(1)</script>\n")
    page = client.get(f"/invitations/{Batch.objects.get().pk}/").content.decode()
    assert Invitation.objects.get().first_name.startswith("<script>")
    assert "<script>alert(1)" not in page


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=strategies.one_of(
        strategies.binary(max_size=400),
        strategies.text(max_size=200).map(lambda text: f"email,course,expires\n{text}".encode()),
        strategies.text('a@.,;"\n\r\t \0é=#0123456789', max_size=200).map(
            lambda text: f"sep=;\nWhom;E-Mail\n;ada@example.org{text}".encode("utf-16")
        ),
    )
)
def test_no_bytes_make_the_upload_fail(client_for, course, content):
    assert _post(client_for("trainer"), course, content).status_code in (200, 302)
