"""What each answer means: status, envelope, code, headers -> error, retry or not, wait."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from coursehub.trainercentral import AnswerKind, errors
from coursehub.trainercentral.outcomes import Acting, error_of_reading, holds_one_of
from coursehub.trainercentral.responses import Answer
from coursehub.trainercentral.waiting import retry_after_seconds
from tests.coursehub.trainercentral.scripted import TOKEN

THROTTLE = "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED"
HTML = "<html><body>Bad gateway</body></html>"


def default(code: str, message: str = "No.") -> dict:
    return {"errors": [{"errorCode": code, "message": message}]}


def mail(code: str) -> dict:
    return {"data": {"errorCode": code}, "status": {"code": 401, "description": "Invalid Access"}}


def projects(code: str, message: str = "No.") -> dict:
    details = {"message": message}
    return {"error": {"status_code": "401", "title": code, "error_type": "FIELDS_VALIDATION_ERROR", "details": details}}


def crm(code: str) -> dict:
    return {"code": code, "details": {}, "message": "invalid", "status": "error"}


def array(code: str) -> list:
    return [2, {"msg": "no", "errorCode": code}]


ENVELOPES = [default, mail, projects, crm, array]
CODES = [
    ("INVALID_OAUTHTOKEN", 401, errors.TokenRejected),
    ("INVALID_OAUTHSCOPE", 401, errors.ScopeMissing),
    ("NOT_AUTHENTICATED", 401, errors.TokenRejected),
    ("AUTHENTICATION_FAILURE", 400, errors.TokenRejected),
    ("invalid_token", 401, errors.TokenRejected),
    ("OAUTH_SCOPE_MISMATCH", 401, errors.ScopeMissing),
    ("UNAUTHORISED", 403, errors.Forbidden),
    ("RESOURCE_NOT_FOUND", 404, errors.NotFound),
    ("URL_RULE_NOT_CONFIGURED", 404, errors.Unexpected),
    (THROTTLE, 400, errors.Throttled),
    ("INVALID_EMAIL", 400, errors.Refused),
    ("LIMIT_EXCEEDED", 400, errors.Refused),
]


def meaning(status: int, body: object, headers: dict | None = None, *, acts: bool = False):
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    answer = Answer(status, headers or {}, raw)
    if acts:
        return Acting("courses.json", lambda answer: holds_one_of(answer, ("courses",))).error(answer, (TOKEN,))
    return error_of_reading(answer, call="courses.json", expects=("courses",), secrets=(TOKEN,))


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_code_is_found_in_every_envelope_and_in_http_200(code, status, kind, envelope, acts):
    assert type(meaning(status, envelope(code), acts=acts)) is kind
    assert type(meaning(200, envelope(code), acts=acts)) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind_when_reading", "kind_when_acting"),
    [
        (200, "", errors.Unanswered, errors.Unclear),
        (200, HTML, errors.Unanswered, errors.Unclear),
        (200, '{"courses": [{"id"', errors.Unanswered, errors.Unclear),
        (200, {}, errors.Unexpected, errors.Unclear),
        (200, {"courses": "none"}, errors.Unexpected, errors.Unclear),
        (200, "[" * 200_000, errors.Unanswered, errors.Unclear),  # deeper than Python's parser goes
        (200, "null", errors.Unanswered, errors.Unclear),
        (200, {"error": {"code": 6401, "message": "Closed."}}, errors.Refused, errors.Unclear),
        (200, {"status": "error", "message": "Closed."}, errors.Refused, errors.Unclear),
        (200, {"courses": [], "status": "failure"}, None, errors.Unclear),
        (200, {"courses": [], "code": "ST_41"}, None, errors.Unclear),
        (200, {"courses": [], "code": 3000}, None, None),
        (200, {"courses": [], "error": {"title": THROTTLE}}, errors.Throttled, errors.Unclear),
        (200, {"error": {"title": THROTTLE}}, errors.Throttled, errors.Throttled),
        (200, {"code": "SEAT_ERROR"}, errors.Refused, errors.Unclear),
        (204, "", errors.Unanswered, errors.Unclear),
        (302, "", errors.Unexpected, errors.Unclear),
        (400, "", errors.Refused, errors.Refused),
        (400, HTML, errors.Refused, errors.Refused),
        (400, default("ST_41"), errors.Refused, errors.Refused),
        (400, default("ST_01", "GENERAL_FAILURE"), errors.Refused, errors.Unclear),
        (400, default("ALREADY_REGISTERED"), errors.Refused, errors.Unclear),
        (400, default("USER_EXISTS"), errors.Refused, errors.Unclear),
        (400, default("COURSE_NOT_EXISTS"), errors.Refused, errors.Refused),
        (400, {"message": "The learner is already in the course."}, errors.Refused, errors.Unclear),
        (400, {"message": "Too many requests. Try again later."}, errors.Throttled, errors.Throttled),
        (401, "", errors.TokenRejected, errors.TokenRejected),
        (401, HTML, errors.TokenRejected, errors.TokenRejected),
        (401, {"message": "Invalid OAuth scope."}, errors.ScopeMissing, errors.ScopeMissing),
        (403, "", errors.Forbidden, errors.Forbidden),
        (404, HTML, errors.NotFound, errors.NotFound),
        (405, "", errors.Refused, errors.Refused),
        (408, "", errors.Unanswered, errors.Unclear),
        (409, "", errors.Refused, errors.Unclear),
        (422, {"message": "Too long."}, errors.Refused, errors.Refused),
        (425, "", errors.Refused, errors.Unclear),
        (429, "", errors.Throttled, errors.Throttled),
        (500, "", errors.Unanswered, errors.Unclear),
        (500, default("ST_94", "INVALID_COURSE"), errors.Refused, errors.Refused),
        (500, "ST_94 INVALID_COURSE", errors.Refused, errors.Refused),
        (500, "<error><code>ST_94</code></error>", errors.Refused, errors.Refused),
        (500, default("ST_01", "GENERAL_FAILURE"), errors.Unanswered, errors.Unclear),
        (500, default("ST_77"), errors.Unanswered, errors.Unclear),
        (500, default("INVALID_EMAIL"), errors.Refused, errors.Refused),
        (500, default("RESOURCE_NOT_FOUND"), errors.NotFound, errors.NotFound),
        (500, default(THROTTLE), errors.Throttled, errors.Throttled),
        (500, default("INVALID_OAUTHTOKEN"), errors.TokenRejected, errors.Unclear),
        (502, HTML, errors.Unanswered, errors.Unclear),
        (503, "", errors.Unanswered, errors.Unclear),
        (504, b"\xff\xfe\x00", errors.Unanswered, errors.Unclear),
    ],
)
def test_what_no_known_code_settles_is_read_by_its_status(status, body, kind_when_reading, kind_when_acting):
    for acts, kind in ((False, kind_when_reading), (True, kind_when_acting)):
        error = meaning(status, body, acts=acts)
        assert (type(error) if error else None) is kind


@pytest.mark.parametrize("header", ['Bearer error="insufficient_scope"', 'Bearer error="INSUFFICIENT_SCOPE"'])
@pytest.mark.parametrize("status", [401, 403])
def test_scope_that_only_a_header_names_is_no_matter_of_the_token(status, header):
    assert type(meaning(status, "", {"www-authenticate": header})) is errors.ScopeMissing


def test_bare_401_may_be_about_the_token_and_a_code_says_that_it_is():
    assert not meaning(401, "").is_certain
    assert meaning(401, default("INVALID_OAUTHTOKEN")).is_certain
    assert meaning(401, "", {"www-authenticate": 'Bearer error="invalid_token"'}).is_certain


@pytest.mark.parametrize(
    "body",
    [
        {"errorCode": "ST_94", "errorMessage": "INVALID_COURSE", "message": "No such course."},
        {"code": "ST_94", "description": "No such course."},
        {"error": "ST_94", "details": "No such course."},
        {"error": {"code": "ST_94", "title": "INVALID_COURSE", "details": {"course": "No such course."}}},
        {"error": {"title": "ST_94", "details": ["No such course."]}},
        {"code": "ST_94", "details": [{"message": "No such course."}]},
        {"errors": [{"code": "ST_94 INVALID_COURSE", "msg": "No such course."}]},
        {"code": "ST_94", "error": "No such course."},
        {"title": "No such course.", "code": "ST_94"},
        {"errors": ["No such course."], "code": "ST_94"},
        [{"code": "ST_94", "message": "No such course."}],
    ],
)
def test_sentence_and_code_are_found_wherever_they_stand(body):
    error = meaning(500, body, acts=True)
    assert (type(error), error.sentence) == (errors.Refused, "No such course.")
    assert error.code in ("ST_94", "INVALID_COURSE")


def test_number_and_name_of_an_unknown_code_are_told_together():
    unclear = meaning(500, {"code": "ST_41", "message": "ALREADY_REGISTERED"}, acts=True)
    assert unclear.code == "ST_41 ALREADY_REGISTERED"
    assert meaning(200, {"error": {"code": 6401, "message": "Closed."}}, acts=True).code == "6401"


@pytest.mark.parametrize("body", [{"courses": []}, {"courses": [{"courseName": "x"}], "meta": {}}, {"courses": {}}])
def test_expected_key_makes_a_success(body):
    assert meaning(200, body) is None
    assert meaning(201, body) is None


def test_code_inside_a_record_is_no_error():
    named_badly = {"courses": [{"courseName": "UNAUTHORISED", "title": "INVALID_OAUTHTOKEN", "code": THROTTLE}]}
    assert meaning(200, named_badly) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        ("2.5", 2.5),
        ("0", 0.0),
        ("-5", None),
        ("999999999", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Sat, 01 Jan 0001 00:00:00 GMT", None),
        ("Wed, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_in_seconds_fractional_absurd_or_absent(header, seconds):
    assert retry_after_seconds(header) == seconds


def test_retry_after_as_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    just_now = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
    assert retry_after_seconds(soon) == pytest.approx(90, abs=2)
    assert retry_after_seconds(just_now) is None


@pytest.mark.parametrize("hours", [-5, 0, 7])
def test_retry_after_as_a_date_counts_from_the_servers_own_clock(hours):
    now = datetime.now(UTC) + timedelta(hours=hours)
    there, then = (format_datetime(moment, usegmt=True) for moment in (now, now + timedelta(seconds=90)))
    assert retry_after_seconds(then, there) == 90
    assert retry_after_seconds(there, then) is None


@pytest.mark.parametrize(
    ("headers", "message", "wait_seconds", "told"),
    [
        ({"retry-after": "60"}, "", 60, True),
        ({"retry-after": "0"}, "", 1, True),
        ({}, "Cannot execute more than 100 requests. Try again after 17 minutes.", 17 * 60, True),
        ({}, "Try again after 30 seconds.", 30, True),
        ({"retry-after": "60"}, "Try again after 17 minutes.", 60, True),
        ({"retry-after": "never"}, "Try again after 2 hours.", 7200, True),
        ({}, "Slow down.", 300, False),
        ({"retry-after": "-1"}, "", 300, False),
    ],
)
def test_throttled_says_how_long_to_wait(headers, message, wait_seconds, told):
    for error in (meaning(400, projects(THROTTLE, message), headers), meaning(429, {"message": message}, headers)):
        assert isinstance(error, errors.Throttled)
        assert (error.wait_seconds, error.wait_told, error.retry_helps) == (wait_seconds, told, True)


def test_refusal_carries_their_sentence_and_code():
    error = meaning(400, default("INVALID_EMAIL", "This e-mail\naddress is malformed."))
    assert isinstance(error, errors.Refused)
    assert error.sentence == "This e-mail address is malformed."
    assert error.code == "INVALID_EMAIL"
    assert not error.retry_helps


def test_texts_hold_neither_tokens_nor_addresses_of_learners():
    error = meaning(400, default("INVALID_EMAIL", f"ada@example.org sent Zoho-oauthtoken {TOKEN} and {TOKEN.upper()}"))
    assert error is not None
    for text in (repr(error), str(error), error.detail, error.sentence):
        assert TOKEN not in text
        assert TOKEN.upper() not in text
    assert "ada@example.org" not in error.detail


def test_kind_of_answer_has_a_key_that_never_changes():
    """Stored profiles are found by it, so a release may not change how it is made."""
    kind = AnswerKind("addCourseAttendee.json", 400, "ST_41", '{"code":s}')
    assert kind.key == "2c3e3cccb4ecc27b0f37f90ca7c85c31"
    others = [
        AnswerKind("x", 400, "ST_41", '{"code":s}'),
        AnswerKind("addCourseAttendee.json", 500, "ST_41", '{"code":s}'),
        AnswerKind("addCourseAttendee.json", 400, "ST_42", '{"code":s}'),
        AnswerKind("addCourseAttendee.json", 400, "ST_41", '{"code":n}'),
    ]
    assert len({kind.key, *(other.key for other in others)}) == 5
