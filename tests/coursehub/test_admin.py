"""Courses in the admin: the list read by a button, given to trainers in bulk."""

import pytest
from django.test import Client

from coursehub.models import AuditEvent, Course, CourseAccess
from progress import course_sync
from tests.support.makers import make_course

LIST, SYNC = "/admin/coursehub/course/", "/admin/coursehub/course/sync/"


@pytest.fixture
def trainers(person) -> list:
    return [person("trainer"), person("trainer", "trainer2")]


@pytest.fixture
def two_courses(database) -> list[Course]:
    return [make_course("3000000001"), make_course("3000000002")]


def _act(client: Client, action: str, selected: list[Course], **more):
    data = {"action": action, "_selected_action": [course.pk for course in selected], **more}
    return client.post(LIST, data, follow=True)


def _messages(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def _access() -> set[tuple[str, str]]:
    return set(CourseAccess.objects.values_list("user__username", "course__course_id"))


def test_the_button_reads_the_list_and_says_what_it_found_in_one_sentence(academy, client_for):
    Course.objects.first().delete()
    answer = client_for("administrator").post(SYNC, follow=True)
    assert _messages(answer) == ["5 courses at the academy: 1 new, 0 renamed, 0 gone, 0 back."]
    assert AuditEvent.objects.filter(action="courses.synced", actor="administrator").exists()


def test_an_academy_that_cannot_be_reached_is_one_sentence_too(academy, client_for, monkeypatch):
    monkeypatch.setattr(course_sync, "PATIENCE_SECONDS", 0.5)
    academy.stop()
    (sentence,) = _messages(client_for("administrator").post(SYNC, follow=True))
    assert sentence.endswith(".")
    assert Course.objects.open().count() == 5


@pytest.mark.parametrize(
    ("role", "status"),
    [("administrator", 302), ("maintenance", 403), ("trainer", 403), ("stranger", 403), ("anonymous", 302)],
)
def test_who_may_press_the_button(database, client_for, monkeypatch, role, status):
    pressed = []
    monkeypatch.setattr(course_sync, "sync_now", lambda actor: pressed.append(actor) or "Done.")
    assert client_for(role).post(SYNC).status_code == status
    assert bool(pressed) == (role == "administrator")
    assert client_for(role).get(SYNC).status_code in (302, 403, 405)


def test_courses_are_given_to_trainers_in_bulk(two_courses, trainers, client_for):
    client = client_for("administrator")
    page = _act(client, "give_to_trainers", two_courses)
    assert "2 courses: Course 3000000001, Course 3000000002." in page.content.decode()
    chosen = {"chosen": "1", "trainers": [trainer.pk for trainer in trainers]}
    assert _messages(_act(client, "give_to_trainers", two_courses, **chosen)) == ["4 permissions given to trainers."]
    assert len(_access()) == 4
    assert "trainer, trainer2" in client.get(LIST).content.decode()
    again = _act(client, "give_to_trainers", two_courses, **chosen)
    assert _messages(again) == ["Nothing to do: all was given to trainers before."]
    events = AuditEvent.objects.filter(action="course_access.given", actor="administrator")
    assert {event.target for event in events} == {f"user {trainer.pk}" for trainer in trainers}
    assert events.first().detail == {"courses": ["3000000001", "3000000002"]}


def test_courses_are_taken_from_trainers_in_bulk(two_courses, trainers, client_for):
    for course in two_courses:
        CourseAccess.objects.create(user=trainers[0], course=course)
    chosen = {"chosen": "1", "trainers": [trainer.pk for trainer in trainers]}
    answer = _act(client_for("administrator"), "take_from_trainers", two_courses[:1], **chosen)
    assert _messages(answer) == ["1 permission taken from trainers."]
    assert _access() == {("trainer", "3000000002")}
    assert AuditEvent.objects.get(action="course_access.taken").detail == {"courses": ["3000000001"]}


@pytest.mark.parametrize(
    ("trainer_ids", "sentence"),
    [([], "Choose at least one trainer."), (["4711"], "Choose trainers of the list."), (["x"], "is not a valid value")],
)
def test_a_choice_that_is_none_is_one_sentence_and_gives_nothing(two_courses, client_for, trainer_ids, sentence):
    answer = _act(client_for("administrator"), "give_to_trainers", two_courses, chosen="1", trainers=trainer_ids)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not _access()


def test_an_administrator_is_no_trainer_to_give_to(two_courses, person, client_for):
    administrator = person("administrator")
    _act(client_for("administrator"), "give_to_trainers", two_courses, chosen="1", trainers=[administrator.pk])
    assert not _access()


@pytest.mark.parametrize("role", ["maintenance", "trainer", "stranger"])
def test_nobody_else_gives_courses(two_courses, trainers, client_for, role):
    _act(client_for(role), "give_to_trainers", two_courses, chosen="1", trainers=[trainers[0].pk])
    assert not _access()


def test_the_list_takes_the_same_few_queries_however_many_courses(
    two_courses, trainers, client_for, django_assert_max_num_queries
):
    for number in range(30):
        CourseAccess.objects.create(user=trainers[0], course=make_course(f"5{number:09}"))
    client = client_for("administrator")
    with django_assert_max_num_queries(15):
        assert client.get(LIST).status_code == 200
