"""The pages of courses: who sees what, and what they say."""

import csv
from io import StringIO

import pytest

from coursehub.models import Course, CourseAccess
from coursehub.spreadsheet import safe_cell
from tests.progress.makers import make_course, remote_member, store

PAGES = ("/progress/3000000001/", "/progress/3000000001/status.json", "/progress/3000000001/export.csv")


@pytest.fixture
def course(database, person) -> Course:
    course = make_course(seen_by=[person("trainer")])
    store(remote_member(1, percent=100), remote_member(2, percent=50), remote_member(3))
    return course


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("role", "status"), [("trainer", 200), ("administrator", 200), ("maintenance", 403), ("nobody", 403)]
)
def test_a_course_is_for_its_trainers_and_for_administrators(course, client_for, page, role, status):
    assert client_for(role).get(page).status_code == status


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


def test_the_export_is_the_table_and_safe_to_open(course, client_for):
    store(remote_member(4, name='=HYPERLINK("http://evil.example")'))
    answer = client_for("trainer").get("/progress/3000000001/export.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="progress-3000000001.csv"'
    rows = list(csv.reader(StringIO(answer.content.decode())))
    assert rows[0] == ["Name", "E-mail", "Progress %", "Last seen", "As of"]
    assert {row[0] for row in rows[1:]} >= {"Learner 0001", '\'=HYPERLINK("http://evil.example")'}
    assert len(rows) == 5


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1"])
def test_a_cell_that_might_be_a_formula_becomes_text(cell):
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ada", "a=b", "", 50.0, -1, None])
def test_any_other_cell_stays_as_it_is(cell):
    assert safe_cell(cell) == cell
