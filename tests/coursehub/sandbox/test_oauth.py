from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.coursehub.sandbox.caller import ALL_SCOPES, CLIENT, Caller, ask_token, code_of, exchange, refresh

REDIRECT = "http://127.0.0.1:8000/oauth/callback/"
CONSENT = {
    "client_id": CLIENT["client_id"],
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "TrainerCentral.courseapi.READ",
    "access_type": "offline",
    "prompt": "consent",
    "state": "s t&te",
}


def decide(sandbox, decision, **changes):
    return requests.post(
        f"{sandbox.url}/oauth/v2/auth",
        data={**CONSENT, **changes, "decision": decision},
        allow_redirects=False,
        timeout=10,
    )


def callback(response):
    assert response.status_code == 302
    assert response.headers["Location"].startswith(REDIRECT)
    return {key: value for key, (value,) in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def test_code_gives_both_tokens_and_the_documented_fields(sandbox):
    answer = exchange(sandbox)
    assert set(answer) == {"access_token", "refresh_token", "scope", "api_domain", "token_type", "expires_in"}
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"
    assert answer["access_token"].startswith("1000.")


def test_code_is_good_for_one_exchange(sandbox):
    code = sandbox.self_client_code(ALL_SCOPES)
    assert "access_token" in ask_token(sandbox, grant_type="authorization_code", code=code).json()
    second = ask_token(sandbox, grant_type="authorization_code", code=code)
    assert (second.status_code, second.json()) == (200, {"error": "invalid_code"})


def test_self_client_code_expires_after_three_minutes(sandbox):
    code = sandbox.self_client_code(ALL_SCOPES)
    sandbox.advance(181)
    assert ask_token(sandbox, grant_type="authorization_code", code=code).json() == {"error": "invalid_code"}


def test_refresh_does_not_rotate_the_refresh_token(sandbox):
    first = exchange(sandbox)
    answer = refresh(sandbox, first["refresh_token"]).json()
    assert "refresh_token" not in answer
    assert answer["access_token"] != first["access_token"]
    assert Caller(sandbox).get("courses.json").status_code == 200


def test_token_parameters_may_stand_in_the_query(sandbox):
    query = {**CLIENT, "grant_type": "refresh_token", "refresh_token": exchange(sandbox)["refresh_token"]}
    answer = requests.post(f"{sandbox.url}/oauth/v2/token", params=query, timeout=10)
    assert "access_token" in answer.json()


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "1000.unknown"}, "invalid_code"),
        ({"grant_type": "authorization_code", "code": "1000.unknown"}, "invalid_code"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "1000.OTHER"}, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "wrong"}, "invalid_client_secret"),
        ({"grant_type": "refresh_token"}, "general_error"),
        ({"grant_type": "password"}, "general_error"),
        ({}, "general_error"),
    ],
)
def test_token_errors_come_in_the_body_with_status_200(sandbox, parameters, error):
    answer = ask_token(sandbox, **parameters)
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_eleventh_mint_within_ten_minutes_is_denied_until_they_are_over(sandbox):
    token = exchange(sandbox)["refresh_token"]
    assert all("access_token" in refresh(sandbox, token).json() for _ in range(10))
    denied = refresh(sandbox, token)
    assert denied.status_code == 400
    assert denied.json()["error"] == "Access Denied"
    sandbox.advance(600)
    assert "access_token" in refresh(sandbox, token).json()


def test_refresh_beyond_the_strict_use_limit_gets_invalid_code(sandbox):
    sandbox.switch(max_uses_per_refresh_token=3)
    token = exchange(sandbox)["refresh_token"]
    assert all("access_token" in refresh(sandbox, token).json() for _ in range(3))
    assert refresh(sandbox, token).json() == {"error": "invalid_code"}
    assert list(sandbox.counters()["refreshes"].values()) == [3]


def test_one_refresh_token_too_many_deletes_the_oldest_with_its_access_tokens(sandbox):
    oldest = Caller(sandbox)
    others = [exchange(sandbox) for _ in range(19)]
    assert oldest.get("courses.json").status_code == 200
    exchange(sandbox)
    assert code_of(oldest.get("courses.json")) == "INVALID_OAUTHTOKEN"
    assert refresh(sandbox, oldest.tokens["refresh_token"]).json() == {"error": "invalid_code"}
    assert "access_token" in refresh(sandbox, others[0]["refresh_token"]).json()


def test_one_live_access_token_too_many_ends_the_oldest(sandbox):
    sandbox.switch(mints_per_10_minutes=0)
    caller = Caller(sandbox)
    for _ in range(9):
        refresh(sandbox, caller.tokens["refresh_token"])
    assert caller.get("courses.json").status_code == 200
    refresh(sandbox, caller.tokens["refresh_token"])
    assert code_of(caller.get("courses.json")) == "INVALID_OAUTHTOKEN"


def test_access_token_lives_an_hour(sandbox):
    caller = Caller(sandbox)
    sandbox.advance(3590)
    assert caller.get("courses.json").status_code == 200
    sandbox.advance(11)
    answer = caller.get("courses.json")
    assert (answer.status_code, code_of(answer)) == (401, "INVALID_OAUTHTOKEN")


def test_revoking_a_refresh_token_kills_its_access_tokens(sandbox):
    caller = Caller(sandbox)
    url = f"{sandbox.url}/oauth/v2/token/revoke"
    answer = requests.post(url, params={"token": caller.tokens["refresh_token"]}, timeout=10)
    assert answer.json() == {"status": "success"}
    assert code_of(caller.get("courses.json")) == "INVALID_OAUTHTOKEN"
    assert requests.post(url, params={"token": caller.tokens["refresh_token"]}, timeout=10).status_code == 400


def test_newer_revocation_wants_the_clients_credentials(sandbox):
    url, form = f"{sandbox.url}/oauth/v2/revoke/token", {"token": exchange(sandbox)["refresh_token"]}
    assert requests.post(url, data=form, auth=(CLIENT["client_id"], "wrong"), timeout=10).status_code == 401
    answer = requests.post(url, data=form, auth=(CLIENT["client_id"], CLIENT["client_secret"]), timeout=10)
    assert answer.json() == {"status": "success"}


def test_client_credentials_give_no_refresh_token(sandbox):
    answer = ask_token(sandbox, grant_type="client_credentials", scope="TrainerCentral.courseapi.READ").json()
    assert "access_token" in answer
    assert "refresh_token" not in answer


def test_client_credentials_are_throttled_where_the_switch_says_so(sandbox):
    sandbox.switch(client_mints_per_10_minutes=2)
    ask = {"grant_type": "client_credentials", "scope": "TrainerCentral.courseapi.READ"}
    answers = [ask_token(sandbox, **ask).json() for _ in range(3)]
    assert ["access_token" in answer for answer in answers] == [True, True, False]
    assert answers[2]["error"] == "Access Denied"
    sandbox.advance(601)
    assert "access_token" in ask_token(sandbox, **ask).json()


def test_approved_consent_comes_back_with_a_code_for_this_redirect_alone(sandbox):
    page = requests.get(f"{sandbox.url}/oauth/v2/auth", params=CONSENT, timeout=10)
    assert page.status_code == 200
    assert "Approve" in page.text
    answer = callback(decide(sandbox, "approve"))
    assert (answer["state"], answer["location"], answer["accounts-server"]) == ("s t&te", "us", sandbox.url)
    grant = {"grant_type": "authorization_code", "code": answer["code"]}
    assert ask_token(sandbox, **grant, redirect_uri=f"{REDIRECT}x").json() == {"error": "invalid_redirect_uri"}
    assert "refresh_token" in ask_token(sandbox, **grant, redirect_uri=REDIRECT).json()


def test_denied_consent_comes_back_with_the_error_and_the_state(sandbox):
    assert callback(decide(sandbox, "deny")) == {"error": "access_denied", "state": "s t&te"}


def test_online_access_gives_no_refresh_token(sandbox):
    code = callback(decide(sandbox, "approve", access_type="online"))["code"]
    answer = ask_token(sandbox, grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()
    assert "access_token" in answer
    assert "refresh_token" not in answer


def test_web_code_expires_after_two_minutes(sandbox):
    code = callback(decide(sandbox, "approve"))["code"]
    sandbox.advance(121)
    answer = ask_token(sandbox, grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
    assert answer.json() == {"error": "invalid_code"}


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "other"}, {"redirect_uri": "javascript:alert(1)"}, {"response_type": "token"}, {"scope": "<b>"}],
)
def test_bad_consent_request_is_refused_without_redirect(sandbox, changes):
    answer = requests.get(f"{sandbox.url}/oauth/v2/auth", params={**CONSENT, **changes}, timeout=10)
    assert answer.status_code == 400
    assert "Approve" not in answer.text
    assert decide(sandbox, "approve", **changes).status_code == 400


def test_consent_page_escapes_what_the_request_carries(sandbox):
    page = requests.get(f"{sandbox.url}/oauth/v2/auth", params={**CONSENT, "state": '"><script>'}, timeout=10)
    assert "<script>" not in page.text


def test_server_info_names_the_accounts_servers(sandbox):
    answer = requests.get(f"{sandbox.url}/oauth/serverinfo", timeout=10).json()
    assert answer["locations"]["us"] == sandbox.url


def test_no_token_is_shown_logged_or_stored(own_sandbox):
    caller = Caller(own_sandbox)
    refreshed = refresh(own_sandbox, caller.tokens["refresh_token"]).json()
    caller.get("courses.json")
    requests.post(f"{own_sandbox.url}/oauth/v2/token/revoke", params={"token": refreshed["access_token"]}, timeout=10)
    shown = str(own_sandbox.state()) + str(own_sandbox.calls()) + str(own_sandbox.counters())
    own_sandbox.stop()
    stored = own_sandbox.state_path.read_bytes().decode("latin-1")
    for token in (caller.access_token, caller.tokens["refresh_token"], refreshed["access_token"]):
        assert token not in shown
        assert token not in stored
