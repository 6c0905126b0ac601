"""What is learnt about an academy: facts, kinds of answers, decisions, and who is told of them."""

import threading

import pytest
from pymongo import errors as mongo_errors

from coursehub import academy, clock
from coursehub.academy import answers, profiles, tasks
from coursehub.models import AcademyAnswer, AcademyProfile, AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.profile import AnswerKind, Meaning, Profile

KIND = AnswerKind("addCourseAttendee.json", 200, "ST_41", '{"code":"string","message":"string"}')
SAMPLE = {"code": "ST_41", "message": "User ada@example.org already exists"}


@pytest.fixture
def listener(database, monkeypatch):
    """What a registered listener was told, oldest first; nobody else listens or counts."""
    told: list[tuple[str, str, str]] = []
    monkeypatch.setattr(answers, "LISTENERS", [])
    monkeypatch.setattr(answers, "COUNTERS", [])
    academy.register_decision_listener(lambda key, meaning, actor: told.append((key, meaning, actor)))
    return told


def stored() -> AcademyAnswer:
    return AcademyAnswer.objects.get()


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


# --- Facts --------------------------------------------------------------------------------------


def test_an_academy_that_nobody_has_seen_has_an_empty_profile(database):
    assert academy.profile() == Profile()
    assert academy.facts() == {}


def test_facts_come_to_the_client_with_since_when_and_from_what(database):
    before = clock.now()
    academy.note_fact("page_cap", 50)
    academy.note_fact("newest_first", False, source=academy.PROBE)
    academy.note_fact("pending_status", "0")
    assert academy.profile() == Profile(page_cap=50, newest_first=False, pending_status="0")
    known = academy.facts()
    assert list(known) == ["page_cap", "newest_first", "pending_status"]
    assert known["newest_first"]["source"] == "probe_academy"
    assert before <= known["newest_first"]["since"] <= clock.now()


def test_a_fact_is_written_only_when_it_changed(database):
    assert academy.note_fact("page_cap", 50)
    since = academy.facts()["page_cap"]["since"]
    academy.forget()
    assert not academy.note_fact("page_cap", 50)
    assert academy.facts()["page_cap"]["since"] == since
    assert academy.note_fact("page_cap", 25)
    assert academy.profile().page_cap == 25
    assert academy.note_fact("page_cap", None)
    assert academy.profile().page_cap is None


def test_what_was_never_known_is_not_noted_as_not_known(database):
    assert not academy.note_fact("page_cap", None)
    assert AcademyProfile.objects.count() == 0


def test_many_writers_of_one_fact_leave_one_document(database):
    threads = [threading.Thread(target=academy.note_fact, args=("page_cap", 10 + n % 2)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    academy.forget()
    assert AcademyProfile.objects.count() == 1
    assert academy.profile().page_cap in (10, 11)


@pytest.mark.parametrize(("name", "value"), [("no_such_fact", 1), ("page_cap", "50"), ("newest_first", 1)])
def test_only_facts_of_the_table_are_noted(database, name, value):
    with pytest.raises(ValueError, match=name if name == "no_such_fact" else "that is no"):
        academy.note_fact(name, value)


def test_every_academy_has_a_profile_of_its_own(database, settings):
    academy.note_fact("page_cap", 50)
    academy.note_answer(KIND, SAMPLE)
    academy.decide(KIND.key, Meaning.REFUSED, actor="ada")
    home = settings.TRAINERCENTRAL_ORG_ID
    settings.TRAINERCENTRAL_ORG_ID = "7"
    assert academy.profile() == Profile()
    assert not academy.decide(KIND.key, Meaning.STOP, actor="ada")
    settings.TRAINERCENTRAL_ORG_ID = home
    assert academy.profile() == Profile(page_cap=50, meanings={KIND.key: Meaning.REFUSED})


def test_the_profile_is_kept_some_seconds_and_what_another_process_noted_comes_then(database, monkeypatch):
    academy.note_fact("page_cap", 50)
    assert academy.profile().page_cap == 50
    outside_transaction(AcademyProfile).update_one({}, {"$set": {"facts.page_cap.value": 30}})
    assert academy.profile().page_cap == 50
    monkeypatch.setattr(profiles, "REREAD_SECONDS", 0.0)
    assert academy.profile().page_cap == 30


def test_without_a_database_the_profile_is_what_was_known_last(database, monkeypatch):
    academy.note_fact("page_cap", 50)
    assert academy.profile().page_cap == 50

    def unreachable(*_):
        raise mongo_errors.ServerSelectionTimeoutError("down")

    academy.forget()
    monkeypatch.setattr(profiles, "outside_transaction", unreachable)
    monkeypatch.setattr(answers, "outside_transaction", unreachable)
    assert academy.profile().page_cap == 50
    academy.note_answer(KIND, SAMPLE)


# --- Kinds of answers ---------------------------------------------------------------------------


def test_a_kind_is_noted_once_and_counted(database):
    for _ in range(3):
        academy.note_answer(KIND, SAMPLE)
    one = stored()
    assert (one.key, one.status, one.code, one.times, one.is_open) == (KIND.key, 200, "ST_41", 3, True)
    assert one.sample == {"code": "ST_41", "message": "User <e-mail> already exists"}
    assert one.first_seen_at <= one.last_seen_at
    assert [question.key for question in academy.open_questions()] == [KIND.key]
    assert academy.profile().meanings == {}


def test_many_processes_that_see_a_kind_for_the_first_time_count_each_sight(database):
    threads = [threading.Thread(target=academy.note_answer, args=(KIND, SAMPLE)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored().times == 12


def test_kinds_that_differ_from_call_to_call_do_not_fill_the_database(database, monkeypatch):
    monkeypatch.setattr(answers, "KINDS_MOST", 5)
    for number in range(9):
        academy.note_answer(AnswerKind("addCourseAttendee.json", 200, "", f"text {number}"), {})
    assert AcademyAnswer.objects.count() == 5
    academy.note_answer(AnswerKind("addCourseAttendee.json", 200, "", "text 0"), {})
    assert sorted(AcademyAnswer.objects.values_list("times", flat=True)) == [1, 1, 1, 1, 2]


def test_a_decision_holds_for_later_answers_is_told_and_audited(listener):
    academy.note_answer(KIND, SAMPLE)
    assert academy.decide(KIND.key, Meaning.ALREADY_ENROLLED, actor="ada")
    assert academy.profile().meanings == {KIND.key: Meaning.ALREADY_ENROLLED}
    assert listener == [(KIND.key, Meaning.ALREADY_ENROLLED, "ada")]
    assert academy.open_questions() == []
    event = AuditEvent.objects.get(action="answer.decided")
    assert (event.actor, event.detail["meaning"], event.detail["before"]) == ("ada", "already_enrolled", "")


def test_a_decision_can_be_corrected_and_saying_it_again_changes_nothing(listener):
    academy.note_answer(KIND, SAMPLE)
    academy.decide(KIND.key, Meaning.INVITED, actor="ada")
    assert not academy.decide(KIND.key, Meaning.INVITED, actor="ada")
    assert academy.decide(KIND.key, Meaning.REFUSED, actor="grace", instead_of=Meaning.INVITED)
    assert academy.profile().meanings == {KIND.key: Meaning.REFUSED}
    assert [meaning for _, meaning, _ in listener] == [Meaning.INVITED, Meaning.REFUSED]
    assert actions().count("answer.decided") == 2


def test_of_two_administrators_who_answer_the_open_question_one_is_heard(listener):
    academy.note_answer(KIND, SAMPLE)
    heard = []

    def say(meaning: Meaning) -> None:
        heard.append(academy.decide(KIND.key, meaning, actor="ada", instead_of=""))

    threads = [threading.Thread(target=say, args=(meaning,)) for meaning in Meaning]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [False, False, False, False, True]
    assert actions() == ["answer.decided"]
    assert stored().meaning == listener[0][1]


def test_nothing_is_decided_about_a_kind_that_was_never_seen(listener):
    assert not academy.decide("0" * 32, Meaning.STOP, actor="ada")
    assert not academy.learn("0" * 32, Meaning.INVITED)
    assert (listener, actions()) == ([], [])


def test_who_waits_is_told_once_more_when_the_caches_are_over(listener, later):
    academy.note_answer(KIND, SAMPLE)
    academy.decide(KIND.key, Meaning.REFUSED, actor="ada")
    assert answers.due_to_tell() == []
    later(200)
    assert answers.due_to_tell() == [KIND.key]
    tasks.tell(KIND.key)
    assert len(listener) == 2
    later(200)
    assert answers.due_to_tell() == []
    assert not answers.tell(KIND.key)


def test_a_listener_that_died_is_told_again(database, monkeypatch, later):
    told = []

    def dies_at_first(*decision) -> None:
        told.append(decision)
        if len(told) == 1:
            raise RuntimeError("killed")

    monkeypatch.setattr(answers, "LISTENERS", [dies_at_first])
    academy.note_answer(KIND, SAMPLE)
    with pytest.raises(RuntimeError):
        academy.decide(KIND.key, Meaning.REFUSED, actor="ada")
    assert academy.profile().meanings == {KIND.key: Meaning.REFUSED}
    later(70)
    assert answers.due_to_tell() == [KIND.key]
    tasks.tell(KIND.key)
    assert len(told) == 2


def test_a_look_up_teaches_what_no_person_has_said(listener):
    academy.note_answer(KIND, SAMPLE)
    academy.note_finding(KIND.key, there=3)
    assert academy.learn(KIND.key, Meaning.INVITED, by="look-up")
    assert not academy.learn(KIND.key, Meaning.INVITED, by="look-up")
    one = stored()
    assert (one.meaning, one.by_itself, one.decided_by, one.there) == ("invited", True, "look-up", 3)
    assert academy.profile().meanings == {KIND.key: Meaning.INVITED}
    assert listener == [(KIND.key, Meaning.INVITED, "look-up")]
    assert actions() == ["answer.learnt"]


def test_what_was_learnt_is_taken_back_when_learners_are_absent_and_not_learnt_again(listener):
    academy.note_answer(KIND, SAMPLE)
    academy.learn(KIND.key, Meaning.INVITED)
    academy.note_finding(KIND.key, there=2, absent=1)
    one = stored()
    assert (one.is_open, one.by_itself, one.there, one.absent) == (True, False, 2, 1)
    assert one.withdrawn_at is not None
    assert academy.profile().meanings == {}
    assert not academy.learn(KIND.key, Meaning.INVITED)
    assert actions() == ["answer.learnt", "answer.asked_again"]


def test_a_person_s_word_stands_whatever_look_ups_find(listener):
    academy.note_answer(KIND, SAMPLE)
    academy.learn(KIND.key, Meaning.INVITED)
    assert academy.decide(KIND.key, Meaning.INVITED, actor="ada")  # the same, but by a person
    academy.note_finding(KIND.key, absent=4)
    assert academy.profile().meanings == {KIND.key: Meaning.INVITED}
    assert not academy.learn(KIND.key, Meaning.INVITED)


def test_waiting_rows_are_counted_by_who_registered(listener):
    academy.register_waiting_counter(lambda key: 31 if key == KIND.key else 0)
    assert (academy.waiting(KIND.key), academy.waiting("other")) == (31, 0)


def test_the_ticker_rings_for_what_has_to_be_told(listener, later):
    academy.note_answer(KIND, SAMPLE)
    academy.decide(KIND.key, Meaning.REFUSED, actor="ada")
    later(200)
    tasks.tick()
    waiting = list(outside_transaction("coursehub_queue").find())
    assert len(waiting) == 1


def test_meanings_of_the_client_and_of_the_admin_are_the_same():
    assert {*AcademyAnswer.Meaning.values} == {"", *Meaning}


@pytest.mark.parametrize(
    ("seen", "noted"),
    [([24], 24), ([24, 26, 20], 24), ([24, 12], 12), ([0], None)],
)
def test_the_pace_at_which_the_academy_throttles_is_noted_when_it_is_another(database, seen, noted):
    for calls in seen:
        academy.throttled(calls_within_a_minute=calls)
    assert academy.profile().throttled_at_per_minute == noted
