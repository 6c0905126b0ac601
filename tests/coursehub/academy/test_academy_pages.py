"""The console's pages of what was learnt about the academy: who sees and who decides, and what they say."""

import json

import pytest
from django.contrib.messages import get_messages

from coursehub import academy, roles
from coursehub.academy import answers
from coursehub.console import dashboard
from coursehub.models import AcademyAnswer, AuditEvent
from coursehub.trainercentral.profile import AnswerKind, Meaning
from tests.coursehub.console.test_every_page import assert_complete

LIST, PROFILE = "/admin/coursehub/academyanswer/", "/admin/coursehub/academyprofile/"
CAST = ("administrator", "maintenance", "trainer", "stranger", "anonymous")
KIND = AnswerKind("addCourseAttendee.json", 200, "ST_41", "{code:string,message:string}")
SAMPLE = {"code": "ST_41", "message": "User ada@example.org already exists <script>alert(1)</script>"}
WITHOUT_CODE = AnswerKind("addCourseAttendee.json", 204, "", "empty")


@pytest.fixture
def question(database, monkeypatch):
    """An open question, for which 31 rows wait until somebody answers it."""
    monkeypatch.setattr(answers, "LISTENERS", [lambda *_: rows.clear()])
    rows = list(range(31))
    monkeypatch.setattr(answers, "COUNTERS", [lambda key: len(rows)])
    academy.note_answer(KIND, SAMPLE)
    academy.note_finding(KIND.key, there=3)
    return AcademyAnswer.objects.get()


def page_of(answer: AcademyAnswer) -> str:
    return f"{LIST}{answer.pk}/change/"


def test_who_may_see_and_who_may_decide(question, client_for):
    for page in (LIST, PROFILE, page_of(question)):
        assert tuple(client_for(role).get(page).status_code for role in CAST) == (200, 200, 403, 403, 302)
    for role in ("maintenance", "trainer", "stranger", "anonymous"):
        client_for(role).post(page_of(question), {"meaning": "refused", "instead_of": ""})
        assert AcademyAnswer.objects.get().is_open
    assert client_for("administrator").post(page_of(question), {"meaning": "refused"}).status_code == 302
    assert AcademyAnswer.objects.get().meaning == Meaning.REFUSED


@pytest.mark.parametrize("page", ["add/", "{}/delete/", "{}/history/"])
@pytest.mark.parametrize("model", [LIST, PROFILE])
def test_nothing_is_added_or_deleted_by_hand(question, client_for, model, page):
    pk = question.pk if model == LIST else question.academy_id
    academy.note_fact("page_cap", 50)
    client = client_for("administrator")
    assert client.post(f"{model}{page.format(pk)}", {"post": "yes"}).status_code in (
        (200,) if "history" in page else (403,)
    )
    assert AcademyAnswer.objects.count() == 1


def test_the_question_says_what_was_seen_what_the_look_up_found_and_how_many_wait(question, client_for):
    html = client_for("administrator").get(page_of(question)).content.decode()
    page = assert_complete(html)
    assert "TrainerCentral answers ST_41 to an invitation. What does that mean?" in html
    assert "Of 3 learners so answered, 3 are in the course now." in html
    assert "31 rows wait for this decision." in html
    assert "ada@example.org" not in html
    assert "<script>alert(1)" not in html
    assert [one["value"] for one in page.all("input", type="radio")] == [*Meaning]


def test_maintenance_reads_the_question_and_is_told_who_answers_it(question, client_for):
    html = client_for("maintenance").get(page_of(question)).content.decode()
    assert "An administrator decides what this answer means." in html
    assert not assert_complete(html).all("input", type="radio")


def test_an_answer_settles_what_waits_and_says_so_in_one_sentence(question, client_for):
    answer = client_for("administrator").post(page_of(question), {"meaning": "already_enrolled", "instead_of": ""})
    (sentence,) = [str(message) for message in get_messages(answer.wsgi_request)]
    assert sentence == "ST_41 means: already in the course. 31 of 31 rows that waited are settled."
    assert AuditEvent.objects.get(action="answer.decided").actor == "administrator"


@pytest.mark.parametrize("meaning", ["", "nonsense", "\0", "INVITED"])
def test_no_meaning_is_one_sentence(question, client_for, meaning):
    answer = client_for("administrator").post(page_of(question), {"meaning": meaning, "instead_of": ""})
    assert answer.status_code == 200
    assert "Nothing was decided: choose one of the meanings." in answer.content.decode()
    assert AcademyAnswer.objects.get().is_open


def test_who_answers_second_is_shown_the_first_answer(question, client_for):
    academy.decide(KIND.key, Meaning.STOP, actor="grace")
    answer = client_for("administrator").post(page_of(question), {"meaning": "invited", "instead_of": ""})
    html = answer.content.decode()
    assert "Nothing was changed" in html
    assert "Decided by grace, " in html
    assert AcademyAnswer.objects.get().meaning == Meaning.STOP


def test_a_correction_says_what_it_changes(question, client_for):
    academy.decide(KIND.key, Meaning.STOP, actor="grace")
    client = client_for("administrator")
    assert "A correction holds for later answers" in client.get(page_of(question)).content.decode()
    client.post(page_of(question), {"meaning": "invited", "instead_of": "stop"})
    assert academy.profile().meanings == {KIND.key: Meaning.INVITED}


def test_what_was_learnt_and_taken_back_is_shown_as_such(question, client_for):
    client = client_for("administrator")
    academy.learn(KIND.key, Meaning.INVITED)
    assert "Learnt by CourseHub itself" in client.get(page_of(question)).content.decode()
    academy.note_finding(KIND.key, absent=1)
    html = client.get(page_of(question)).content.decode()
    assert "took that back" in html
    assert "Of 4 learners so answered, 3 are in the course now." in html


def test_open_questions_come_first_in_the_list(question, client_for):
    academy.note_answer(WITHOUT_CODE, {})
    academy.decide(KIND.key, Meaning.WAIT, actor="grace")
    html = client_for("administrator").get(LIST).content.decode()
    assert_complete(html)
    assert html.index("HTTP 204 without a code") < html.index("ST_41")


@pytest.mark.parametrize("pk", ["nothing", "x" * 400, "%00"])
def test_a_kind_that_does_not_exist_is_not_found(question, client_for, pk):
    assert client_for("administrator").get(f"{LIST}{pk}/change/").status_code == 404


def test_kinds_of_another_academy_are_not_shown(question, client_for, settings):
    settings.TRAINERCENTRAL_ORG_ID = "7"
    client = client_for("administrator")
    assert client.get(page_of(question)).status_code == 404
    assert "ST_41" not in client.get(LIST).content.decode()
    assert "ST_41" not in json.dumps(dashboard.figures(frozenset({roles.ADMINISTRATOR}))["attention"])


def test_an_open_question_needs_a_hand_until_it_is_answered(question, client_for):
    client = client_for("administrator")
    html = client.get("/admin/").content.decode()
    assert "TrainerCentral answers ST_41 to an invitation; an administrator has to say what that means. 31 rows" in html
    assert page_of(question) in html
    academy.decide(KIND.key, Meaning.INVITED, actor="grace")
    assert "ST_41 to an invitation" not in client.get("/admin/").content.decode()


def test_the_profile_says_what_is_known_since_when_and_from_what(database, client_for, settings):
    client = client_for("maintenance")
    assert "Nothing is known yet" in client.get(PROFILE).content.decode()
    academy.note_fact("page_cap", 50, source=academy.PROBE)
    academy.note_fact("newest_first", False)
    academy.note_fact("throttled_at_per_minute", 24)
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 60
    html = client.get(PROFILE).content.decode()
    assert_complete(html)
    for text in (
        "50, whatever is asked for",
        "oldest first",
        "probe_academy",
        "daily work",
        "24 calls within a minute",
    ):
        assert text in html
    assert "TRAINERCENTRAL_CALLS_PER_MINUTE is 60" in html
