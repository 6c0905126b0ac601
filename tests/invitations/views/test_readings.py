"""How a file was read is told on its preview, and can be changed there until somebody confirms."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coursehub.models import Course
from invitations import results_csv, services
from invitations.models import Batch, HeadingChoice, Invitation, Piece
from invitations.repair import acts
from invitations.uploads import split
from invitations.views.shared import TOO_LATE
from tests.invitations.parsing.test_field import FOLDER

State = Invitation.State
UPLOAD = "/invitations/upload/"
ADA, GRACE, BOSS = "ada.b@example.org", "grace.h@example.org", "boss@example.org"


@pytest.fixture
def client(course, client_for):
    return client_for("trainer")


@pytest.fixture
def send(client, course):
    """`send(content)`: the batch that an upload of it makes; `send("f05-…")` takes a list of the field."""

    def make(content: bytes | str) -> Batch:
        data = (FOLDER / f"{content}.csv").read_bytes() if isinstance(content, str) else content
        file = SimpleUploadedFile("class.csv", data)
        answer = client.post(UPLOAD, {"course": course.course_id, "file": file})
        assert answer.status_code == 302, answer.content.decode()
        return Batch.objects.latest("created_at")

    return make


def _page(client, batch: Batch) -> str:
    return html.unescape(client.get(f"/invitations/{batch.pk}/").content.decode())


def _post(client, batch: Batch, what: str, **values) -> str:
    answer = client.post(f"/invitations/{batch.pk}/{what}/", values, follow=True)
    assert answer.status_code == 200
    batch.refresh_from_db()
    return html.unescape(answer.content.decode())


def _invited(batch: Batch) -> list[str]:
    rows = Invitation.objects.filter(batch=batch, state=State.PENDING).order_by("line")
    return list(rows.values_list("email", flat=True))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("f05-manager-email-is-the-only-email-heading", "may be somebody else"),
        ("f06-zoom-webinar-sections", "several tables"),
        ("f08-merged-headings-guardian-first", "Several columns hold"),
        ("f33-msforms-anonymous", "hardly any"),
        ("f35-course-column-of-another-system", "names no course"),
        ("f36-certificate-expiry-past", "are past"),
        ("f48-name-and-brackets-no-headings", "no headings"),
        ("f60-canvas-gradebook", "do not say"),
        ("f65-zoom-host-and-participant-email", "Several columns hold"),
    ],
)
def test_a_list_that_leaves_a_doubt_is_asked_about_and_read_by_the_guess(client, send, name, asked):
    batch = send(name)
    assert batch.state == Batch.State.UPLOADED
    assert asked in _page(client, batch)
    guess = {column: str(at) for column, at in batch.format["columns"].items()}
    _post(client, batch, "columns", **guess)
    assert batch.state == Batch.State.PREVIEW
    assert BOSS not in _invited(batch)
    assert _invited(batch)


@pytest.mark.parametrize(
    ("courses", "is_asked"),
    [("{0},,{1},", True), ("{0},{0},{1},{1}", False), (",,{1},", False), ("{0},,,", False)],
)
def test_courses_that_stand_once_above_their_learners_are_asked_about(client, send, course, courses, is_asked):
    other = Course.objects.exclude(pk=course.pk).order_by("course_id").first()
    cells = courses.format(course.course_id, other.course_id).split(",")
    batch = send(
        "\n".join(["course;email", *(f"{cell};learner{at}@example.org" for at, cell in enumerate(cells))]).encode()
    )
    assert ("as where cells are merged" in _page(client, batch)) is is_asked
    assert batch.state == (Batch.State.UPLOADED if is_asked else Batch.State.PREVIEW)


def test_the_columns_of_a_preview_can_be_changed_and_the_preview_is_made_anew(client, send):
    batch = send(f"email,login,first name\n{BOSS},{ADA},Ada\nboss2@example.org,{GRACE},Grace\n".encode())
    assert _invited(batch) == [BOSS, "boss2@example.org"]
    page = _post(client, batch, "columns", email="1", first_name="2", reading=batch.read_fence)
    assert _invited(batch) == [ADA, GRACE]
    assert "E-mail address from <b>“login”</b>" in page
    assert "“email” holds 2 e-mail addresses that nobody is invited by (lines 2, 3)." in page


def test_a_choice_is_shown_the_next_time_and_forgotten_on_request(client, send):
    content = "email,login,first name\n{}\n"
    first = send(content.format(f"{BOSS},{ADA},Ada").encode())
    _post(client, first, "columns", email="1", first_name="2")
    batch = send(content.format(f"{BOSS},{GRACE},Grace").encode())
    assert _invited(batch) == [GRACE]
    assert "those that you chose on" in _page(client, batch)
    page = _post(client, batch, "columns/forget")
    assert _invited(batch) == [BOSS]
    assert "those that you chose" not in page
    assert HeadingChoice.objects.count() == 0


def test_rows_whose_status_says_so_are_left_out_with_one_click_and_taken_back(client, send):
    batch = send("f62-eventbrite-refunded")
    assert "The column “Attendee Status” says of some rows" in _page(client, batch)
    _post(client, batch, "status", leave_out="1")
    assert _invited(batch) == ["aarti@example.org"]
    assert Invitation.objects.get(batch=batch, state=State.INVALID).reason.startswith("Left out: “Attendee Status”")
    _post(client, batch, "status", leave_out="0")
    assert _invited(batch) == ["aarti@example.org", "bina@example.org"]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("f13-two-named-addresses-in-a-cell", [(ADA, "Ada", "Byron"), (GRACE, "Grace", "Hop"), ("bo.s@example.org",)]),
        ("f15-second-address-beyond-headings", [(ADA,), (GRACE,), ("bo.s@example.org",)]),
        ("f16-all-addresses-in-one-line", [(ADA,), (GRACE,), ("bo.s@example.org",)]),
    ],
)
def test_each_of_several_addresses_gets_a_row_with_one_click(client, send, name, people):
    batch = send(name)
    assert "Make a row of each address" in _page(client, batch)
    _post(client, batch, "addresses")
    rows = Invitation.objects.filter(batch=batch, state=State.PENDING).order_by("line")
    told = [(row.email, row.first_name, row.last_name)[: len(wanted)] for row, wanted in zip(rows, people, strict=True)]
    assert told == people
    assert b"".join(results_csv.of(batch).chunks).count(b"pending") == 3
    assert split.NOTHING in _post(client, batch, "addresses"), "a second click makes no other text"
    assert Piece.objects.filter(batch=batch).count() == 2


def test_whatever_has_the_file_read_anew_says_that_corrections_are_lost(client, send):
    table = "email,first name,last name,status\nA@example.org;B@example.org,A,B,Paid\nnobody,N,N,Refunded\n"
    content = f"{table}{ADA},Ada,L,Paid\n{GRACE},G,H,Paid\n".encode()
    before = send(content)
    _post(client, before, "columns", email="0", first_name="1", last_name="2")
    services.discard(before, actor="trainer")
    batch = send(content)
    assert "data-corrections-lost" not in _page(client, batch)
    found = Invitation.objects.get(batch=batch, email=ADA)
    assert services.leave_out(batch, found, seen=acts.token(vars(found)), actor="trainer").is_done
    page = _page(client, batch)
    buttons = ["forget-columns", "status-button", "apart-button", "Read the file so"]
    assert all(text in page for text in buttons)
    assert page.count("data-corrections-lost") == len(buttons)
    _post(client, batch, "columns", email="0", first_name="1", last_name="2")
    assert "data-corrections-lost" not in _page(client, batch)


def test_the_alphabet_of_a_short_list_is_chosen_on_the_preview(client, send):
    batch = send(f"email;first name;last name\n{ADA};Søren;Ærø\n".encode("cp1252"))
    page = _page(client, batch)
    assert "could be of several alphabets" in page
    assert "Sųren" in page
    _post(client, batch, "columns", email="0", first_name="1", last_name="2", encoding="cp1257")
    assert Invitation.objects.get(batch=batch).first_name == "Sųren"


def test_the_encoding_of_one_chinese_name_is_chosen_on_the_preview(client, send):
    batch = send(f"email;name\n{ADA};王小明\n".encode("gb18030"))
    page = _page(client, batch)
    assert "could be of several alphabets" in page
    assert "王小明 (Chinese, simplified)" in page
    _post(client, batch, "columns", email="0", name="1", encoding="gb18030")
    assert Invitation.objects.get(batch=batch).first_name == "王小明"


def test_nothing_is_read_anew_once_it_is_confirmed_or_from_a_page_that_is_overtaken(client, send):
    batch = send(f"email,login,first name,last name\n{BOSS},{ADA},A,B\n".encode())
    _post(client, batch, "columns", email="1", reading=str(batch.read_fence))
    assert TOO_LATE in _post(client, batch, "columns", email="0", reading=str(batch.read_fence - 1))
    assert services.confirm(batch, actor="trainer") or services.cancel(batch, actor="trainer")
    for what in ("columns", "columns/forget", "status", "addresses"):
        assert TOO_LATE in _post(client, batch, what, email="0")
    assert Invitation.objects.get(batch=batch).email == ADA


def test_names_are_not_chosen_from_a_page_that_is_overtaken(client, send):
    batch = send(f"email,login\n{BOSS},{ADA}\n".encode())
    seen = batch.read_fence
    _post(client, batch, "columns", email="1", reading=str(seen))
    assert TOO_LATE in _post(client, batch, "names", names="fill", reading=str(seen))
    assert batch.names == Batch.Names.UNDECIDED
    _post(client, batch, "names", names="fill", reading=str(batch.read_fence))
    assert batch.names == Batch.Names.FILLED


@pytest.mark.parametrize(
    "values",
    [
        {}, {"email": "99"}, {"email": "x"}, {"email": "0", "reading": "x"}, {"email": "0", "encoding": "utf-99"},
        {"email": "0", "reading": "9" * 30}, {"email": "0", "reading": "-" + "9" * 30},
        {"email": "0", "table": "7"}, {"email": "0", "day_first": "year"}, {"email": "0", "first_name": "0"},
        {"email": "1"}, {"email": "\x00"}, {"email": "9" * 5000},
    ],
)  # fmt: skip
def test_nonsense_for_columns_is_one_sentence_or_ignored(client, send, values):
    batch = send(f"email;first name\n{ADA};Søren\n".encode("cp1252"))
    _post(client, batch, "columns", **values)
    assert _invited(batch) == [ADA]


@pytest.mark.parametrize("what", ["columns", "columns/forget", "status", "addresses"])
def test_another_trainer_s_file_cannot_be_read_otherwise(client_for, send, what):
    batch = send("f62-eventbrite-refunded")
    answer = client_for("trainer", "trainer2").post(f"/invitations/{batch.pk}/{what}/")
    assert answer.status_code == 404


@pytest.mark.parametrize("what", ["columns", "confirm"])
@pytest.mark.parametrize("reading", ["9" * 19, "9" * 30, "-1", "x", "1.5"])
def test_a_page_that_somebody_tampered_with_decides_nothing(client, send, what, reading):
    batch = send(f"email,first name,last name\n{ADA},Ada,Byron\n".encode())
    page = _post(client, batch, what, email="0", reading=reading)
    assert "This page is not as it was made: load it again." in page
    assert (batch.state, batch.read_fence) == (Batch.State.PREVIEW, 1)
