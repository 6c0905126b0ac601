"""The client is held to samples transcribed from the contract."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coursehub.trainercentral import ZohoAccounts, errors
from tests.trainercentral.scripted import Play, client_of

PAYLOADS = Path(__file__).parents[1] / "payloads"
COURSE = "3000094000002000004"


def play(name: str) -> Play:
    return Play(body=json.loads((PAYLOADS / name).read_text()))


def test_courses(script):
    script.play(play("courses.json"))
    (course,) = client_of(script).list_courses(page_size=15)
    assert (course.course_id, course.name, course.is_published, course.enrolled_count) == (
        COURSE,
        "First aid",
        True,
        12,
    )
    (call,) = script.received  # meta.totalCourseCount says that there is no second page
    assert (call.method, call.path) == ("GET", "/api/v4/700000804/courses.json")
    assert call.query == {"limit": "15", "si": "0"}
    assert call.headers["authorization"].startswith("Zoho-oauthtoken 1000.")


def test_one_course(script):
    script.play(play("course.json"))
    assert client_of(script).get_course(COURSE).name == "First aid"
    assert script.received[0].path == f"/api/v4/700000804/courses/{COURSE}.json"


def test_course_members(script):
    script.play(play("course_members.json"), Play(body={"courseMembers": [], "meta": {}}))
    ada, grace = client_of(script).iter_course_members(COURSE, newest_first=True, page_size=50)
    assert (ada.member_id, ada.course_id, ada.email) == ("3000094000002000101", COURSE, "ada@example.org")
    assert (ada.percent, ada.completed_lessons, ada.total_lessons, ada.status) == (66.0, 2, 3, "50")
    assert ada.time_ms == 1700714266048
    assert ada.last_login_at == datetime(2024, 10, 11, 6, 28, 51, 563000, tzinfo=UTC)
    assert (grace.last_login_at, grace.completed_at, grace.is_revoked) == (None, None, False)
    first, second = script.received
    assert first.path == f"/api/v4/700000804/course/{COURSE}/courseMembers.json"
    assert first.query == {"filter": "3", "sort": "1", "limit": "50", "si": "0"}
    assert second.query["si"] == "2"  # the rows received, not the page size


def test_invitation(script):
    script.play(play("invited.json"))
    invited = client_of(script).invite(
        course_id=COURSE, email="a@example.org", first_name="A", last_name="B", expires_at_ms=1767225600000
    )
    assert (invited.member_id, invited.org_member_id) == ("3000094000002000103", "3000094000002000203")
    assert invited.already_enrolled is None
    (call,) = script.received
    assert (call.method, call.path) == ("POST", "/api/v4/700000804/addCourseAttendee.json")
    assert json.loads(call.body) == {
        "courseAttendee": {
            "email": "a@example.org",
            "firstName": "A",
            "lastName": "B",
            "courseId": COURSE,
            "expiryTime": 1767225600000,
        }
    }


def test_portal_members(script):
    script.play(play("portal_members.json"), Play(body={"portalMembers": []}))
    (learner,) = client_of(script).list_portal_members()
    assert (learner.org_member_id, learner.email, learner.name) == (
        "3000094000002000201",
        "ada@example.org",
        "Ada Lovelace",
    )
    assert script.received[0].query == {"type": "5", "limit": "100", "si": "0"}


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"users": [row]}, lambda row: [row]])
def test_learner_by_email_in_any_wrapper(script, wrap):
    row = json.loads((PAYLOADS / "user_details.json").read_text())["userDetails"]
    script.play(Play(body=wrap(row)))
    learner = client_of(script).find_learner(" Ada@Example.org")
    assert learner is not None
    assert (learner.org_member_id, learner.name) == ("3000094000002000201", "Ada Lovelace")


@pytest.mark.parametrize("answer", [Play(body={}), Play(body=""), Play(204), Play(body={"userDetails": {}})])
def test_unknown_learner_is_none(script, answer):
    script.play(answer)
    assert client_of(script).find_learner("nobody@example.org") is None


def test_portals(script):
    script.play(play("portals.json"))
    other, academy = client_of(script).list_portals()
    assert (academy.org_id, academy.is_default, other.is_default) == ("700000804", True, False)
    assert script.received[0].path == "/api/v4/org/portals.json"


def test_access_is_revoked_by_put_with_a_number(script):
    script.play(Play(body={}))
    client_of(script).revoke_access("3000094000002000101")
    (call,) = script.received
    assert (call.method, call.path) == ("PUT", "/api/v4/700000804/updateCourseAttendee/3000094000002000101.json")
    assert json.loads(call.body) == {"courseMembers": [{"status": 51}]}


@pytest.mark.parametrize("name", ["courseEngagement", "testReport"])
def test_reports_of_one_learner(script, name):
    script.play(Play(body={name: [{"anything": 1}], "meta": {}}))
    client = client_of(script)
    method = client.course_engagement if name == "courseEngagement" else client.test_report
    assert method(COURSE, "7").raw[name] == [{"anything": 1}]
    assert script.received[0].path == f"/api/v4/700000804/course/{COURSE}/courseMember/7/{name}.json"


def accounts(script) -> ZohoAccounts:
    return ZohoAccounts(script.url, "1000.CLIENT", "s3cret", connect_timeout_seconds=1, read_timeout_seconds=0.5)


@pytest.mark.parametrize("redirect_uri", [None, "http://localhost/oauth/callback/"])
def test_code_exchange(script, redirect_uri):
    script.play(play("token_exchange.json"))
    grant = accounts(script).exchange_code("1000.code", redirect_uri)
    assert grant.access_token.startswith("1000.aaaa")
    assert grant.refresh_token.startswith("1000.cccc")
    assert (grant.expires_in_seconds, grant.scope.split()[0]) == (3600, "TrainerCentral.userapi.CREATE")
    (call,) = script.received
    assert (call.method, call.path, call.query) == ("POST", "/oauth/v2/token", {})
    assert (b"redirect_uri" in call.body) is bool(redirect_uri)


@pytest.mark.parametrize("name", ["token_refresh.json", "token_refresh_older.json"])
def test_refresh(script, name):
    script.play(play(name))
    grant = accounts(script).refresh("1000.refresh")
    assert (grant.refresh_token, grant.expires_in_seconds) == ("", 3600)
    assert b"grant_type=refresh_token" in script.received[0].body


DENIED = {"error": "Access Denied", "error_description": "You have made too many requests continuously."}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Play(body={"error": "invalid_code"}), errors.InvalidCode),
        (Play(400, {"error": "invalid_code"}), errors.InvalidCode),
        (Play(body={"error": "invalid_client"}), errors.ClientWide),
        (Play(body={"error": "invalid_client_secret"}), errors.ClientWide),
        (Play(400, DENIED), errors.MintThrottled),
        (Play(body=DENIED | {"status": "failure"}), errors.MintThrottled),
        (Play(body={"error": "access_denied"}), errors.MintThrottled),
        (Play(429), errors.MintThrottled),
        (Play(body={"error": "general_error"}), errors.AccountsUnavailable),
        (Play(body={"error": ["invalid_code"]}), errors.AccountsUnavailable),
        (Play(body={}), errors.AccountsUnavailable),
        (Play(body="<html>"), errors.AccountsUnavailable),
        (Play(body={"access_token": "a\nb"}), errors.AccountsUnavailable),
        (Play(body={"access_token": ""}), errors.AccountsUnavailable),
        (Play(500), errors.AccountsUnavailable),
        (Play(reset=True), errors.AccountsUnavailable),
        (Play(wait_seconds=0.8), errors.AccountsUnavailable),
        (Play(body={"access_token": "x"}, truncate=True), errors.AccountsUnavailable),
    ],
)
def test_token_endpoint_answers(script, answer, kind):
    script.play(answer)
    with pytest.raises(errors.OAuthError) as caught:
        accounts(script).refresh("1000.refresh")
    assert type(caught.value) is kind
    assert len(script.received) == 1  # nothing is ever asked twice


def test_mint_throttle_waits_ten_minutes_unless_told(script):
    script.play(Play(400, DENIED), Play(400, DENIED, {"Retry-After": "42"}))
    for wait_seconds in (600, 42):
        with pytest.raises(errors.MintThrottled) as caught:
            accounts(script).refresh("1000.refresh")
        assert caught.value.wait_seconds == wait_seconds


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": "60"}, 60),
        ({"expires_in": 3600000}, 3600),
        ({"expires_in": 3600000, "expires_in_sec": 1200}, 1200),
        ({}, 3600),
        ({"expires_in": -1}, 3600),
        ({"expires_in": "1e999999999"}, 3600),
        ({"expires_in": None}, 3600),
    ],
)
def test_life_of_a_token(script, life, seconds):
    script.play(Play(body={"access_token": "1000.x", **life}))
    assert accounts(script).refresh("1000.refresh").expires_in_seconds == seconds


def test_revoked_and_unknown_tokens_both_count_as_revoked(script):
    script.play(Play(body={"status": "success"}), Play(400, {"error": "general_error"}), Play(500))
    accounts(script).revoke("1000.refresh")
    accounts(script).revoke("1000.refresh")
    with pytest.raises(errors.AccountsUnavailable):
        accounts(script).revoke("1000.refresh")
    assert all(call.query == {} and b"token=1000.refresh" in call.body for call in script.received)


def test_consent_address(script):
    address = accounts(script).consent_url(redirect_uri="http://x/cb/", scope="a,b", state="s")
    assert address.startswith(f"{script.url}/oauth/v2/auth?client_id=1000.CLIENT&redirect_uri=http%3A%2F%2Fx%2Fcb%2F")
    assert "access_type=offline&prompt=consent&state=s" in address
    assert "s3cret" not in address
