"""The client is held to samples of the contract; tests/coursehub/sandbox/test_payloads.py holds the sandbox to them."""

import json
from datetime import UTC, datetime

import pytest

from coursehub.trainercentral import ZohoAccounts, errors
from tests.coursehub.trainercentral.scripted import Play, client_of
from tests.support.samples import NAMES, Sample, answers_of, sample

COURSE = "3000094000002000004"


def play(name: str) -> Play:
    return Play(body=sample(name).answer)


def as_documented(call, sent: Sample) -> bool:
    """Whether method and path are the sample's, and the body too where it has one."""
    ids = {"orgId": "700000804", "courseId": COURSE, "courseMemberId": "7", "courseMembersId": "7"}
    method, path = sent.request.split(" ")
    for name, value in ids.items():
        path = path.replace(f"<{name}>", value)
    return (call.method, call.path) == (method, path) and (sent.body is None or json.loads(call.body) == sent.body)


def test_courses(script):
    script.play(play("courses"))
    (course,) = client_of(script).list_courses(page_size=15)
    assert (course.course_id, course.name, course.is_published, course.enrolled_count) == (
        COURSE,
        "First aid",
        True,
        12,
    )
    (call,) = script.received  # meta.totalCourseCount says that there is no second page
    assert as_documented(call, sample("courses"))
    assert call.query == {"limit": "15", "si": "0"}
    assert call.headers["authorization"].startswith("Zoho-oauthtoken 1000.")


def test_one_course(script):
    script.play(play("course"))
    assert client_of(script).get_course(COURSE).name == "First aid"
    assert as_documented(script.received[0], sample("course"))


def test_course_members(script):
    script.play(play("course_members"), Play(body={"courseMembers": [], "meta": {}}))
    ada, grace, alan = client_of(script).iter_course_members(COURSE, newest_first=True, page_size=50)
    assert (ada.member_id, ada.course_id, ada.email) == ("3000094000002000101", COURSE, "ada@example.org")
    assert (ada.percent, ada.completed_lessons, ada.total_lessons, ada.status) == (66.0, 2, 3, "50")
    assert ada.time_ms == 1700714266048
    assert ada.last_login_at == datetime(2024, 10, 11, 6, 28, 51, 563000, tzinfo=UTC)
    assert (grace.last_login_at, grace.completed_at, grace.is_revoked) == (None, None, False)
    assert (alan.percent, alan.completed_at) == (100.0, ada.last_login_at)
    first, second = script.received
    assert as_documented(first, sample("course_members"))
    assert first.query == {"filter": "3", "sort": "1", "limit": "50", "si": "0"}
    assert second.query["si"] == "3"  # the rows received, not the page size


def test_invitation(script):
    script.play(play("invited"))
    invited = client_of(script).invite(
        course_id=COURSE, email="a@example.org", first_name="A", last_name="B", expires_at_ms=1767225600000
    )
    assert (invited.member_id, invited.org_member_id) == ("3000094000002000103", "3000094000002000203")
    assert invited.already_enrolled is None
    (call,) = script.received
    assert as_documented(call, sample("invited"))


def test_invitation_that_came_to_the_academy_only_is_no_success(script):
    script.play(play("invited_to_the_academy"))
    with pytest.raises(errors.Unclear):
        client_of(script).invite(course_id=COURSE, email="a@example.org", first_name="A", last_name="B")


def test_portal_members(script):
    script.play(play("portal_members"), Play(body={"portalMembers": []}))
    (learner,) = client_of(script).list_portal_members()
    assert (learner.org_member_id, learner.email, learner.name) == (
        "3000094000002000201",
        "ada@example.org",
        "Ada Lovelace",
    )
    assert as_documented(script.received[0], sample("portal_members"))
    assert script.received[0].query == {"type": "5", "limit": "100", "si": "0"}


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"users": [row]}, lambda row: [row]])
def test_learner_by_email_in_any_wrapper(script, wrap):
    row = sample("user_details").answer["userDetails"][0]
    script.play(Play(body=wrap(row)))
    learner = client_of(script).find_learner(" Ada@Example.org")
    assert as_documented(script.received[0], sample("user_details"))
    assert learner is not None
    assert (learner.org_member_id, learner.name) == ("3000094000002000201", "Ada Lovelace")


@pytest.mark.parametrize("answer", [Play(body={}), Play(body=""), Play(204), Play(body={"userDetails": {}}), Play(404)])
def test_unknown_learner_is_none(script, answer):
    script.play(answer)
    assert client_of(script).find_learner("nobody@example.org") is None


def test_portals(script):
    script.play(play("portals"))
    other, academy = client_of(script).list_portals()
    assert (academy.org_id, academy.is_default, other.is_default) == ("700000804", True, False)
    assert as_documented(script.received[0], sample("portals"))


def test_access_is_revoked_by_put_with_a_number(script):
    script.play(play("access_revoked"))
    client_of(script).revoke_access("7")
    assert as_documented(script.received[0], sample("access_revoked"))


@pytest.mark.parametrize("name", ["course_engagement", "test_report"])
def test_reports_of_one_learner(script, name):
    script.play(play(name))
    assert getattr(client_of(script), name)(COURSE, "7").raw == sample(name).answer
    assert as_documented(script.received[0], sample(name))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, errors.ScopeMissing) for name in ("default", "projects", "crm", "array", "ok200")),
        *(("mail", errors.TokenRejected), ("projects_throttle", errors.Throttled)),
    ],
)
def test_error_envelopes(script, name, kind):
    error = answers_of("api_errors")[name]
    script.play(Play(error["status"], error["body"]))
    with pytest.raises(errors.TrainerCentralError) as caught:
        client_of(script).list_courses()
    assert type(caught.value) is kind
    if kind is errors.Throttled:
        assert caught.value.wait_seconds == 17 * 60


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("invalid_code", errors.InvalidCode),
        *((name, errors.ClientWide) for name in ("invalid_client", "invalid_client_secret")),
        *((name, errors.AccountsUnavailable) for name in ("invalid_redirect_uri", "general_error")),
        *((name, errors.MintThrottled) for name in ("denied", "denied_newer", "grant_code_throttle")),
    ],
)
def test_oauth_errors(script, name, kind):
    error = answers_of("oauth_errors")[name]
    script.play(Play(error["status"], error["body"]))
    with pytest.raises(errors.OAuthError) as caught:
        accounts(script).refresh("1000.refresh")
    assert type(caught.value) is kind


def test_every_sample_is_used_here_and_by_the_sandbox(pytestconfig):
    unread = {"server_info"}  # nothing in the product asks for it
    here = (pytestconfig.rootpath / "tests/coursehub/trainercentral/test_payloads.py").read_text()
    there = (pytestconfig.rootpath / "tests/coursehub/sandbox/test_payloads.py").read_text()
    assert {name for name in NAMES - unread if f'"{name}"' not in here} == set()
    assert {name for name in NAMES if f'"{name}"' not in there} == set()


def accounts(script) -> ZohoAccounts:
    return ZohoAccounts(script.url, "1000.CLIENT", "s3cret", connect_timeout_seconds=1, read_timeout_seconds=0.5)


@pytest.mark.parametrize("redirect_uri", [None, "http://localhost/oauth/callback/"])
def test_code_exchange(script, redirect_uri):
    script.play(play("token_exchange"))
    grant = accounts(script).exchange_code("1000.code", redirect_uri)
    assert grant.access_token.startswith("1000.aaaa")
    assert grant.refresh_token.startswith("1000.cccc")
    assert (grant.expires_in_seconds, grant.scope.split()[0]) == (3600, "TrainerCentral.userapi.CREATE")
    (call,) = script.received
    assert (call.method, call.path, call.query) == ("POST", "/oauth/v2/token", {})
    assert (b"redirect_uri" in call.body) is bool(redirect_uri)


@pytest.mark.parametrize("name", ["token_refresh", "token_refresh_older"])
def test_refresh(script, name):
    script.play(play(name))
    grant = accounts(script).refresh("1000.refresh")
    assert (grant.refresh_token, grant.expires_in_seconds) == ("", 3600)
    assert as_documented(script.received[0], sample(name))
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
    script.play(play("token_revoked"), Play(400, {"error": "general_error"}), Play(500))
    accounts(script).revoke("1000.refresh")
    accounts(script).revoke("1000.refresh")
    with pytest.raises(errors.AccountsUnavailable):
        accounts(script).revoke("1000.refresh")
    assert all(call.query == {} and b"token=1000.refresh" in call.body for call in script.received)
    assert as_documented(script.received[0], sample("token_revoked"))


def test_consent_address(script):
    address = accounts(script).consent_url(redirect_uri="http://x/cb/", scope="a,b", state="s")
    assert address.startswith(f"{script.url}/oauth/v2/auth?client_id=1000.CLIENT&redirect_uri=http%3A%2F%2Fx%2Fcb%2F")
    assert "access_type=offline&prompt=consent&state=s" in address
    assert "s3cret" not in address
