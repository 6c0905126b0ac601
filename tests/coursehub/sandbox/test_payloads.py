"""The sandbox is held to samples of the contract; tests/coursehub/trainercentral/test_payloads.py holds the client."""

from typing import Any

import pytest
import requests

from tests.coursehub.sandbox.caller import ALL_SCOPES, ORG_ID, Caller, ask_token, exchange, refresh
from tests.support.samples import Sample, answers_of, sample, shape


def documented(caller, sent: Sample, query: str = "", **ids: str) -> requests.Response:
    """The sample's request, with these ids in its path; a course id in its body becomes a real one."""
    method, path = sent.request.split(" ")
    for name, value in {"orgId": ORG_ID, **ids}.items():
        path = path.replace(f"<{name}>", value)
    attendee = (sent.body or {}).get("courseAttendee", {})
    body = {"courseAttendee": {**attendee, "courseId": ids["courseId"]}} if "courseId" in attendee else sent.body
    headers = {"Authorization": f"Zoho-oauthtoken {caller.access_token}"}
    return requests.request(method, f"{caller.sandbox.url}{path}{query}", json=body, headers=headers, timeout=10)


def assert_same_shape(answer: Any, sent: Sample) -> None:
    assert shape(answer, sent.optional) == shape(sent.answer, sent.optional)


@pytest.fixture
def course_id(caller) -> str:
    return caller.course_ids()[0]


@pytest.fixture
def member_id(caller, course_id) -> str:
    """Somebody with lessons finished and tests taken."""
    return caller.members(course_id, sort=5)[0]["courseMembersId"]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("portals", ""),
        ("courses", "?limit=15&si=0"),
        ("course", ""),
        ("course_members", "?filter=3&sort=1&limit=20&si=0"),
        ("course_engagement", ""),
        ("test_report", ""),
        ("portal_members", "?limit=10&si=0&type=5"),
    ],
)
def test_lists_and_reports_have_the_documented_keys_and_types(caller, course_id, member_id, name, query):
    ids = {"courseId": course_id, "courseMemberId": member_id, "courseMembersId": member_id}
    answer = documented(caller, sample(name), query, **ids)
    assert answer.status_code == 200
    assert_same_shape(answer.json(), sample(name))


def test_optional_keys_come_once_there_is_something_to_say(caller, course_id):
    caller.sandbox.put_learner(course_id, "done@example.org", 100)
    caller.invite("new@example.org", course_id)
    rows = {row["email"]: row for row in caller.members(course_id)}
    assert set(rows["done@example.org"]) == {*sample("course_members").answer["courseMembers"][0], "completedTime"}
    assert {"completedTime", "lastLogin"} & set(rows["new@example.org"]) == set()


@pytest.mark.parametrize("name", ["invited", "invited_to_the_academy"])
def test_documented_invitation_is_taken_and_answered_with_the_known_keys(caller, course_id, name):
    answer = documented(caller, sample(name), courseId=course_id)
    assert answer.status_code == 200
    assert_same_shape(answer.json(), sample(name))
    in_course = course_id if name == "invited" else ""
    assert caller.sandbox.invitations() == {(in_course, "a@example.org"): 1}


def test_learner_by_address_has_the_known_keys(caller, course_id):
    caller.invite("ada@example.org", course_id)
    answer = documented(caller, sample("user_details"), "?email=ada%40example.org&fetchSignupData=false")
    assert_same_shape(answer.json(), sample("user_details"))


def test_documented_revocation_is_carried_out(caller, course_id, member_id):
    assert documented(caller, sample("access_revoked"), courseMemberId=member_id).status_code == 200
    (member,) = [row for row in caller.members(course_id) if row["id"] == member_id]
    assert member["status"] == "51"


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        *((style, {"error_envelope": style}) for style in ("default", "mail", "projects", "crm", "array", "ok200")),
        ("projects_throttle", {"error_envelope": "projects", "calls_per_minute": 1}),
    ],
)
def test_error_envelopes_have_the_seen_keys(sandbox, name, switches):
    poor, seen = Caller(sandbox, "TrainerCentral.userapi.READ"), answers_of("api_errors")[name]
    path = "fetchuserdetails.json" if "throttle" in name else "courses.json"
    sandbox.switch(**switches)
    poor.get("fetchuserdetails.json", email="a@example.org")
    answer = poor.get(path, email="a@example.org")
    assert answer.status_code == seen["status"]
    assert shape(answer.json()) == shape(seen["body"])


def test_token_answers_have_the_documented_keys_and_types(sandbox):
    granted = exchange(sandbox)
    assert_same_shape(granted, sample("token_exchange"))
    assert_same_shape(refresh(sandbox, granted["refresh_token"]).json(), sample("token_refresh"))
    sandbox.switch(expires_in_style="legacy")
    assert_same_shape(refresh(sandbox, granted["refresh_token"]).json(), sample("token_refresh_older"))
    form = {"token": granted["refresh_token"]}
    answer = requests.post(f"{sandbox.url}/oauth/v2/token/revoke", data=form, timeout=10)
    assert answer.json() == sample("token_revoked").answer


def test_server_info_has_the_documented_locations(sandbox):
    answer = requests.get(f"{sandbox.url}/oauth/serverinfo", timeout=10).json()
    assert_same_shape(answer, sample("server_info"))


def test_oauth_errors_are_the_seen_ones(sandbox):
    seen, code = answers_of("oauth_errors"), {"grant_type": "authorization_code"}
    sandbox.switch(mints_per_10_minutes=1)
    token = exchange(sandbox, ALL_SCOPES)["refresh_token"]
    refresh(sandbox, token)
    answers = {
        "invalid_code": ask_token(sandbox, **code, code="1000.no.such"),
        "invalid_client": ask_token(sandbox, **code, code="x", client_id="1000.OTHER"),
        "invalid_client_secret": ask_token(sandbox, **code, code="x", client_secret="other"),
        "general_error": ask_token(sandbox, **code),
        "denied": refresh(sandbox, token),
    }
    for name, answer in answers.items():
        assert (answer.status_code, answer.json()) == (seen[name]["status"], seen[name]["body"])
