"""From an answer on the wire to what is stored of it: of everything that was sent, nothing may be left."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursehub import academy, rate_limit
from coursehub.academy import redaction
from coursehub.models import AcademyAnswer
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import TrainerCentralError
from coursehub.trainercentral.kinds import kind_of
from coursehub.trainercentral.responses import Answer
from oauthtokens import services
from tests.oauthtokens.test_probe import course_id

EMAIL, FIRST, LAST = "canary.hopper-77@navy.example.org", "Canarygrace", "Canaryhopper"
COURSE = "3000094000002000004"
TOKEN = "1000.8cb99d1a2b3c4d5e6f708192a3b4c5d6.9f8e7d6c5b4a39281706f5e4d3c2b1a0"
SENT = (EMAIL, "canary.hopper", FIRST, LAST, COURSE, TOKEN, TOKEN.split(".")[1])
ECHOES = [
    {"data": {"code": 4001, "message": "User {email} already exists"}},
    {"message": "Canarygrace Canaryhopper is a member of {course_id} already", "code": "ST_41"},
    {"{email}": {"Canarygrace": {"course": "{course_id}"}}},
    [[[{"errorCode": 4001, "msg": '({email}), <{email}>; "Canaryhopper"'}]]],
    {"details": ["CANARYGRACE", {"message": "canaryhopper {course_id}x"}], "status": "pending"},
    '"User {email} is there"',
    "Canarygrace Canaryhopper, {email}, {course_id}",
    {"message": "word " * 50_000 + "{email}", "failed": [{"id": "{course_id}", "who": "{email}"}] * 10_000},
]


def texts(database) -> str:
    """All that is stored in the two collections, and the audit trail."""
    names = ("coursehub_academyanswer", "coursehub_academyprofile", "coursehub_auditevent")
    return " ".join(str(row) for name in names for row in database[name].find())


def holds(text: str) -> list[str]:
    return [sent for sent in SENT if sent.lower() in text.lower()]


@pytest.mark.parametrize("body", ECHOES, ids=range(len(ECHOES)))
def test_an_answer_that_repeats_what_was_sent_is_kept_without_it(pool, database, caplog, body):
    pool.obtain(1)
    caplog.set_level("DEBUG", logger="coursehub")
    pool.sandbox.switch(invitation_answers=[{"status": 200, "body": body}])
    client = services.client(rate_limit.INVITATIONS)
    with pytest.raises(TrainerCentralError) as caught:
        client.invite(course_id=course_id(pool.sandbox), email=EMAIL, first_name=FIRST, last_name=LAST)
    assert AcademyAnswer.objects.get().times == 1
    assert holds(texts(database)) == []
    assert course_id(pool.sandbox) not in texts(database)
    assert EMAIL not in str(caught.value) + caplog.text


def test_one_kind_is_one_kind_whoever_is_invited(pool):
    pool.obtain(1)
    pool.sandbox.switch(invitation_answers=[{"status": 200, "body": ECHOES[0]}])
    client = services.client(rate_limit.INVITATIONS)
    for number, name in enumerate(("Ada", "Grace", "Jean")):
        with pytest.raises(TrainerCentralError):
            client.invite(
                course_id=course_id(pool.sandbox), email=f"{name}{number}@example.org", first_name=name, last_name="X"
            )
    assert [one.times for one in AcademyAnswer.objects.all()] == [3]


_BEFORE, _AFTER = ["", "User ", "<b>", "(", "\n", '"', "for: "], ["", " exists", "</b>", ",", "'", "."]
_HOLDING = st.builds("{}{}{}".format, st.sampled_from(_BEFORE), st.sampled_from(SENT), st.sampled_from(_AFTER))
_KEYS = st.sampled_from(
    ["message", "error", "code", "errorCode", "title", "details", "email", "status", "result", "id"]
)
_BODIES = st.recursive(
    st.one_of(_HOLDING, st.text(max_size=10), st.integers(), st.booleans(), st.none(), st.just(int(COURSE))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS | _HOLDING, inner, max_size=4),
    max_leaves=12,
)


@given(_BODIES, st.sampled_from([200, 201, 409, 500]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_answered_nothing_that_was_sent_is_stored(body, status):
    answer = Answer(status, {}, json.dumps(body).encode())
    kind, sample = kind_of(answer, call="addCourseAttendee.json", code="", names=(EMAIL, FIRST, LAST, COURSE, TOKEN))
    kept = json.dumps([redaction.shape(kind.shape), redaction.sample(sample), redaction.code(kind.code)])
    assert holds(kept) == []
    assert holds(kind.shape) == []


def test_erasing_a_learner_finds_nothing_here(pool, database):
    """The two collections hold no personal data, so erasure has nothing to do in them."""
    academy.note_answer(
        kind_of(Answer(200, {}, b'{"message":"%s"}' % EMAIL.encode()), call="x", code="")[0], {"e": EMAIL}
    )
    assert holds(texts(database)) == []
    assert outside_transaction(AcademyAnswer).count_documents({}) == 1
