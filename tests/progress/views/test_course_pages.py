"""The pages of courses: who sees what, and what they say."""

import asyncio
import csv
import re
from datetime import UTC, datetime
from html import unescape
from io import StringIO
from urllib.parse import unquote

import pytest

from coursehub.downloads import Separator, safe_cell
from coursehub.models import AuditEvent, Course, CourseAccess
from progress.course_table import PAGE_ROWS
from progress.models import DailyFigures
from tests.support.makers import make_course, remote_member, store

COURSE = "/progress/3000000001/"
SEEN = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
PAGES = (
    COURSE,
    *(f"{COURSE}{name}" for name in ("status.json", "risks.json", "revoked.json", "export.csv", "thresholds/")),
    *(f"{COURSE}learners/m2/{name}" for name in ("", "reports/")),
)
POSTS = (f"{COURSE}thresholds/", f"{COURSE}learners/m2/reports/tests/")


CAST = {
    ("administrator",): 200,
    ("maintenance",): 403,
    ("trainer",): 200,
    ("trainer", "other_trainer"): 403,
    ("stranger",): 403,
    ("anonymous",): 302,
}


def _csv_rows(answer, delimiter: str = ",") -> list[list[str]]:
    async def everything() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    written = asyncio.run(everything())
    assert written.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(written.decode("utf-8-sig")), delimiter=delimiter))


@pytest.fixture
def course(database, person) -> Course:
    course = make_course(seen_by=[person("trainer")])
    store(remote_member(1, percent=100), remote_member(2, percent=50), remote_member(3))
    return course


@pytest.mark.parametrize("page", PAGES)
def test_a_course_is_for_its_trainers_and_for_administrators(course, client_for, page):
    answers = {who: client_for(*who).get(page).status_code for who in CAST}
    assert answers == CAST


@pytest.mark.parametrize("page", POSTS)
def test_only_who_may_watch_a_course_may_change_something_about_it(course, client_for, page):
    answers = {who: client_for(*who).post(page).status_code for who in CAST}
    assert answers == {who: 302 if status == 200 else status for who, status in CAST.items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_trainer_gets_403_for_a_foreign_course_and_for_none(course, client_for, page):
    make_course("3000000002")
    client = client_for("trainer")
    for course_id in ("3000000002", "4711"):
        assert client.get(page.replace("3000000001", course_id)).status_code == 403
    assert client_for("administrator").get(page.replace("3000000001", "4711")).status_code == 404


def test_a_stranger_is_sent_to_the_login_page(course, client_for):
    answer = client_for("anonymous").get("/progress/")
    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/progress/")


def test_the_list_holds_ones_own_courses_with_their_figures(course, client_for):
    make_course("3000000002")
    (entry,) = client_for("trainer").get("/progress/").context["courses"]
    figures = {name: entry[name] for name in ("learners", "average_percent", "completed")}
    assert figures == {"learners": 3, "average_percent": 50, "completed": 1}
    assert entry["as_of"] == Course.objects.get(pk=course.pk).polled_at
    assert [entry["learners"] for entry in client_for("administrator").get("/progress/").context["courses"]] == [3, 0]


def test_the_list_takes_the_same_few_queries_however_many_courses(
    course, client_for, person, django_assert_max_num_queries
):
    trainer = person("trainer")
    for number in range(20):
        CourseAccess.objects.create(user=trainer, course=make_course(f"5{number:09}"))
    client = client_for("trainer")
    with django_assert_max_num_queries(10):
        assert len(client.get("/progress/").context["courses"]) == 21


def test_the_status_says_what_the_promise_says(course, client_for):
    status = client_for("trainer").get("/progress/3000000001/status.json").json()
    assert (status["course"], status["revision"], status["trouble"]) == ("3000000001", 3, "")
    assert status["as_of"].endswith("Z")
    assert [member["name"] for member in status["members"]] == ["Learner 0001", "Learner 0002", "Learner 0003"]
    assert status["members"][0].keys() == {"id", "email", "name", "percent", "last_seen", "at"}


def test_the_export_is_the_table_and_safe_to_open(course, client_for, settings):
    settings.TIME_ZONE = "Europe/Vienna"
    course.name = "Álgebra 1/2"
    course.save()
    store(remote_member(4, name='=HYPERLINK("http://evil.example")', percent=12.5, last_login_at=SEEN))
    answer = client_for("trainer").get(f"{COURSE}export.csv?separator=semicolon")
    assert unquote(answer["Content-Disposition"]) == "attachment; filename*=utf-8''progress-Álgebra 1 2.csv"
    rows = _csv_rows(answer, ";")
    last_seen, as_of = "Last seen (Europe/Vienna)", "As of (Europe/Vienna)"
    assert rows[0] == ["Name", "E-mail", "Progress %", "At risk", last_seen, as_of]
    found = {row[0]: row for row in rows[1:]}
    assert found.keys() == {*(f"Learner 000{one}" for one in (1, 2, 3)), '\'=HYPERLINK("http://evil.example")'}
    formula = found['\'=HYPERLINK("http://evil.example")']
    assert (formula[2], formula[4]) == ("12,5", "2026-01-03 00:30:00")


def test_the_page_offers_the_export_with_each_separator_and_what_it_shows(course, client_for):
    page = client_for("trainer").get(f"{COURSE}?show=under_way&q=a%26b").content.decode()
    links = re.findall(r'href="([^"]*export.csv[?]separator=[^"]*)"', page)
    assert [unescape(link) for link in links] == [
        f"{COURSE}export.csv?separator={one.value}&q=a%26b&show=under_way" for one in Separator
    ]


def test_the_export_holds_what_the_address_says_and_no_more(course, client_for):
    client = client_for("trainer")
    address = f"{COURSE}export.csv?show=under_way&sort=-percent"
    store(remote_member(4, percent=70), remote_member(5, percent=10))
    rows = _csv_rows(client.get(address))
    assert [float(row[2]) for row in rows[1:]] == [70, 50, 10]
    shown = client.get(f"{COURSE}?show=under_way&sort=-percent").context["page"].rows
    assert [row[1] for row in rows[1:]] == [member["email"] for member in shown]


def test_the_page_holds_one_page_of_rows_however_many_learners(course, client_for):
    store(*(remote_member(number) for number in range(10, 250)))
    page = client_for("trainer").get(f"{COURSE}?page=2").content.decode()
    assert page.count('<tr data-member="m') == PAGE_ROWS
    assert "101 to 200 of 243 learners" in page
    assert 'href="?page=3"' in page


def test_each_flag_says_its_rule_its_data_and_what_clears_it(course, client_for):
    client = client_for("trainer")
    flags = client.get(f"{COURSE}risks.json").json()["flags"]
    assert flags["m3"][0]["rule"] == "unseen"
    for sentence in (flags["m3"][0]["because"], flags["m3"][0]["clears"]):
        assert sentence in client.get(COURSE).content.decode()
        assert sentence in client.get(f"{COURSE}learners/m3/").content.decode()


def test_a_trainer_sets_the_limits_and_the_audit_trail_knows(course, client_for):
    client = client_for("trainer")
    assert client.post(f"{COURSE}thresholds/", {"behind_points": 40}).status_code == 302
    flags = client.get(f"{COURSE}risks.json").json()["flags"]
    assert {flag["rule"] for found in flags.values() for flag in found} <= {"behind"}
    assert AuditEvent.objects.get(action="risk_thresholds.changed").actor == "trainer"


@pytest.mark.parametrize("value", ["-1", "soon", "101", "9" * 30])
def test_a_limit_that_makes_no_sense_comes_back_with_one_sentence(course, client_for, value):
    answer = client_for("trainer").post(f"{COURSE}thresholds/", {"behind_points": value})
    assert answer.status_code == 200
    assert answer.content.decode().count('role="alert"') == 1
    assert f'value="{value}"' in answer.content.decode()


def test_a_learner_or_report_that_does_not_exist_is_not_found(course, client_for):
    client = client_for("trainer")
    assert client.get(f"{COURSE}learners/m99/").status_code == 404
    assert client.get(f"{COURSE}learners/m99/reports/").status_code == 404
    assert client.post(f"{COURSE}learners/m99/reports/tests/").status_code == 404
    assert client.post(f"{COURSE}learners/m2/reports/secrets/").status_code == 404


def test_the_chart_over_time_has_the_same_numbers_as_text(course, client_for):
    for day, completed in (("2026-01-01", 0), ("2026-01-02", 1)):
        DailyFigures.objects.create(
            id=f"3000000001-{day}", course_id="3000000001", day=day, learners=3, completed=completed, average_percent=50
        )
    page = client_for("trainer").get(COURSE).content.decode()
    assert "From 2026-01-01 to 2026-01-02: those who completed went from 0.0 to 33.3 percent" in page
    assert '<th scope="row">2026-01-02</th><td class="is-number">3</td><td class="is-number">1</td>' in page


def test_a_learners_history_is_shown_newest_first(course, client_for):
    for percent in (60, 70):
        store(remote_member(2, percent=percent))
    history = client_for("trainer").get(f"{COURSE}learners/m2/").context["history"]
    assert [entry["percent"] for entry in history["entries"]] == [70, 60, 50]
    assert history["line"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1"])
def test_a_cell_that_might_be_a_formula_becomes_text(cell):
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ada", "a=b", "", 50.0, -1, None])
def test_any_other_cell_stays_as_it_is(cell):
    assert safe_cell(cell) == cell


def test_a_course_says_when_it_is_gone_and_when_its_data_gets_older_than_it_should(course, client_for):
    client = client_for("trainer")
    page = "/progress/3000000001/"
    text = client.get(page).content.decode()
    assert "no longer at TrainerCentral" not in text
    assert "Invite learners" in text
    Course.objects.filter(pk=course.pk).update(poll_seconds=300)
    assert "Figures get up to 6 min old" in client.get(page).content.decode()
    Course.objects.filter(pk=course.pk).update(gone_at=course.polled_at or "2026-01-01T00:00:00Z")
    text = client.get(page).content.decode()
    assert "no longer at TrainerCentral" in text
    assert "Invite learners" not in text
