"""No secret in a repr, a log line at DEBUG, an exception or an address: for every public call, whatever goes wrong."""

import inspect
import logging
from collections.abc import Callable

import pytest

from coursehub.trainercentral import AccessToken, TokenGrant, TrainerCentralClient, ZohoAccounts, errors
from coursehub.trainercentral.probe.calls import Plan, Probe
from tests.coursehub.trainercentral.scripted import TOKEN, Play, ScriptedServer, Tokens, client_of
from tests.support.samples import sample

CLIENT_SECRET, REFRESH_TOKEN, CODE = "5ecret.of.the.client", "1000.refresh0token.ffff", "1000.code0code.eeee"
SECRETS = (TOKEN, CLIENT_SECRET, REFRESH_TOKEN, CODE)
TOKENS_SAID = f"{TOKEN} {REFRESH_TOKEN} {CODE}"  # the API has never heard of the client's secret
ALL_SAID = " and ".join(SECRETS)

CLIENT: dict[str, Callable] = {
    "list_courses": lambda client: client.list_courses(),
    "get_course": lambda client: client.get_course("1"),
    "member_page": lambda client: client.member_page("1"),
    "iter_member_pages": lambda client: list(client.iter_member_pages("1")),
    "iter_course_members": lambda client: list(client.iter_course_members("1")),
    "course_engagement": lambda client: client.course_engagement("1", "2"),
    "test_report": lambda client: client.test_report("1", "2"),
    "invite": lambda client: client.invite(course_id="1", email="a@example.org", first_name="A", last_name="B"),
    "revoke_access": lambda client: client.revoke_access("2"),
    "find_learner": lambda client: client.find_learner("a@example.org"),
    "list_portal_members": lambda client: client.list_portal_members(),
    "list_portals": lambda client: client.list_portals(),
    "close": lambda client: client.close(),
}
ACCOUNTS: dict[str, Callable] = {
    "consent_url": lambda accounts: accounts.consent_url(redirect_uri="http://x/", scope="a", state="s"),
    "exchange_code": lambda accounts: accounts.exchange_code(CODE),
    "refresh": lambda accounts: accounts.refresh(REFRESH_TOKEN),
    "client_credentials": lambda accounts: accounts.client_credentials("a"),
    "revoke": lambda accounts: accounts.revoke(REFRESH_TOKEN),
    "close": lambda accounts: accounts.close(),
}
ANSWERS = ("taken", "refused", "rejected", "throttled", "oauth error", "broken", "page", "moved", "reset", "cut")


def answer_of(kind: str, said: str) -> Play:
    """An answer that repeats secrets wherever it can."""
    granted = {**sample("token_exchange").answer, "access_token": TOKEN, "refresh_token": REFRESH_TOKEN}
    return {
        "taken": Play(body=granted),
        "refused": Play(400, {"errorCode": "INVALID_INPUT", "message": said}),
        "rejected": Play(401, {"errorCode": "INVALID_OAUTHTOKEN", "message": said}),
        "throttled": Play(429, {"error": "Access Denied", "error_description": said}, {"Retry-After": "1"}),
        "oauth error": Play(body={"error": said, "error_description": said}),
        "broken": Play(500, said),
        "page": Play(200, f"<html>{said}</html>"),
        "moved": Play(302, "", {"Location": f"http://127.0.0.1:9/?token={TOKEN}&secret={CLIENT_SECRET}"}),
        "reset": Play(reset=True),
        "cut": Play(body={"message": said}, truncate=True),
    }[kind]


def public_calls(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_public_call_is_tried():
    assert (set(CLIENT), set(ACCOUNTS)) == (public_calls(TrainerCentralClient), public_calls(ZohoAccounts))


def everything_about(error: BaseException) -> str:
    """What a log, a debugger's summary or an error reporter shows of an exception and its causes."""
    seen, texts = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        texts.append(f"{error!r} {error} {vars(error)}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)


def shown_by(act: Callable, caplog: pytest.LogCaptureFixture) -> str:
    """All that a call lets be seen: result or exception, and the log."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        try:
            result = repr(act())
        except errors.TrainerCentralError as error:
            result = f"{everything_about(error)} {error.sentence}"
    return f"{result} {caplog.text}"


def assert_no_secret(shown: str, script: ScriptedServer) -> None:
    addresses = " ".join(f"{call.path} {call.query}" for call in script.received)
    assert [secret for secret in SECRETS if secret in f"{shown} {addresses}"] == []


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", CLIENT)
def test_no_call_of_the_client_shows_a_secret(script, caplog, name, answer):
    script.play(answer_of(answer, TOKENS_SAID))
    client = client_of(script, Tokens(TOKEN))
    assert_no_secret(shown_by(lambda: CLIENT[name](client), caplog) + repr(client), script)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", ACCOUNTS)
def test_no_call_of_the_accounts_server_shows_a_secret(script, caplog, name, answer):
    script.play(answer_of(answer, ALL_SAID))
    accounts = ZohoAccounts(script.url, "id", CLIENT_SECRET, read_timeout_seconds=0.5)
    assert_no_secret(shown_by(lambda: ACCOUNTS[name](accounts), caplog) + repr(accounts), script)


@pytest.mark.parametrize("shows", [repr, str])
def test_records_that_hold_tokens_do_not_show_them(script, shows):
    accounts = ZohoAccounts(script.url, "id", CLIENT_SECRET)
    probe = Probe(script.url, "1", TOKEN, accounts, Plan(code=CODE), read_timeout_seconds=1)
    holders = [AccessToken(TOKEN, REFRESH_TOKEN), TokenGrant(TOKEN, REFRESH_TOKEN, 1), probe, probe.plan]
    assert_no_secret(" ".join(shows(holder) for holder in holders), script)
