"""The token pages: who may do what, that each act is one service call and one sentence, and that no token shows."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.messages import get_messages

from coursehub import env, roles
from coursehub.models import AuditEvent
from oauthtokens import alerts, sentences, services
from oauthtokens.models import Sitting, TokenSet
from oauthtokens.pool import refresh_lease
from oauthtokens.regeneration import consents, exchange, sessions

State = TokenSet.State
LIST = "/admin/oauthtokens/tokenset/"
CAST = ("administrator", "maintenance", "trainer", "stranger", "anonymous")
SEES, DOES, WRONG, NO, LOGIN = 200, 302, 405, 403, 302
EVERYBODY_ELSE = (NO, NO, LOGIN)  # trainer, stranger, anonymous


def messages_of(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


# --- Who may do what ----------------------------------------------------------------------------

# page -> (GET, POST), each as (administrator, maintenance); everybody else is refused everywhere.
TABLE = {
    LIST: ((SEES, SEES), (SEES, SEES)),
    f"{LIST}regeneration/": ((SEES, SEES), (WRONG, WRONG)),
    f"{LIST}regeneration/start/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}regeneration/2/skip/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}regeneration/1/sign-off/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}rotate/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}2/consent/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}2/paste/": ((NO, SEES), (NO, SEES)),
    f"{LIST}2/refresh/": ((NO, WRONG), (NO, DOES)),
    f"{LIST}2/release/": ((NO, SEES), (NO, SEES)),
    f"{LIST}2/revoke/": ((SEES, SEES), (SEES, SEES)),
    f"{LIST}revoke-all/": ((SEES, SEES), (SEES, SEES)),
    f"{LIST}add/": ((NO, NO), (NO, NO)),
    "/admin/oauthtokens/sitting/": ((SEES, SEES), (SEES, SEES)),
    "/admin/oauthtokens/sitting/add/": ((NO, NO), (NO, NO)),
}


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_do_what(pool, client_for, method):
    clients = [client_for(role) for role in CAST]
    answers = {path: tuple(getattr(one, method)(path).status_code for one in clients) for path in TABLE}
    assert answers == {path: (*allowed[method == "post"], *EVERYBODY_ELSE) for path, allowed in TABLE.items()}


@pytest.mark.parametrize("page", ["change/", "history/", "delete/"])
def test_one_set_is_to_be_read_by_the_console_and_by_nobody_else(pool, client_for, page):
    pk = TokenSet.objects.get(number=1).pk
    seen = NO if page == "delete/" else SEES
    answers = tuple(client_for(role).get(f"{LIST}{pk}/{page}").status_code for role in CAST)
    assert answers == (seen, seen, *EVERYBODY_ELSE)
    answers = [client_for(role).post(f"{LIST}{pk}/{page}", {"uses": 0}).status_code for role in CAST[:2]]
    assert set(answers) <= {NO, SEES if page == "history/" else NO}


@pytest.mark.parametrize(
    ("path", "allowed"), [("/oauth/forecast.json", (SEES, SEES)), ("/oauth/callback/", (NO, DOES))]
)
def test_who_may_open_what_stands_outside_the_console(pool, client_for, path, allowed):
    assert tuple(client_for(role).get(path).status_code for role in CAST) == (*allowed, *EVERYBODY_ELSE)
    assert client_for("maintenance").post(path).status_code == WRONG


def test_every_page_of_the_tokens_is_in_the_table():
    from oauthtokens.views import token_sets

    routes = {re.sub(r"<int:number>", "2", str(pattern.pattern)) for pattern in token_sets.urls()}
    assert {f"{LIST}{re.sub('<int:pk>', '1', route)}" for route in routes} <= set(TABLE)


def test_acts_of_maintenance_are_not_an_administrators():
    for name, rule in roles.PAGE_ROLES.items():
        if name.startswith("admin:oauthtokens_"):
            assert rule == {roles.MAINTENANCE}


@pytest.mark.parametrize("number", [0, 8, 99])
def test_a_set_that_does_not_exist_is_not_found(pool, client_for, number):
    client = client_for("maintenance")
    assert client.get(f"{LIST}{number}/paste/").status_code == 404
    assert client.post(f"{LIST}{number}/consent/").status_code == 404


@pytest.mark.parametrize("page", ["regeneration/{}/skip/", "regeneration/{}/sign-off/", "{}/refresh/", "{}/revoke/"])
def test_numbers_beyond_reason_are_answered(pool, client_for, page):
    sessions.start(actor="maria")
    answer = client_for("maintenance").post(f"{LIST}{page.format(10**30)}", {"confirm": str(10**30)})
    assert answer.status_code in (302, 404)


def test_acts_need_the_token_of_their_form(pool, client_for):
    client = client_for("maintenance")
    client.handler.enforce_csrf_checks = True
    assert client.post(f"{LIST}2/consent/").status_code == 403
    assert client.post(f"{LIST}revoke-all/", {"confirm": "revoke all"}).status_code == 403


# --- The page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["administrator", "maintenance"])
def test_pages_hold_no_token(pool, client_for, role):
    pool.obtain(1)
    secrets = [services.access_token().token, refresh_lease.win(1, force=True).refresh_token]
    secrets += [pool.row(1)["refresh_token"], pool.row(1)["access_token"]]
    client, pk = client_for(role), TokenSet.objects.get(number=1).pk
    paths = (LIST, f"{LIST}{pk}/change/", f"{LIST}{pk}/history/", f"{LIST}regeneration/", "/oauth/forecast.json")
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200
        assert not any(secret in page.content.decode() for secret in secrets)
    assert "Active" in client.get(LIST).content.decode()
    assert "1 of 20" in client.get(LIST).content.decode()


def test_the_page_takes_few_queries_for_all_sets(pool, client_for, django_assert_max_num_queries):
    client = client_for("maintenance")
    client.get(LIST)
    with django_assert_max_num_queries(10):
        client.get(LIST)


def test_a_set_in_any_state_says_what_to_do(pool, client_for):
    pool.obtain(1)
    client = client_for("maintenance")
    for state in State.values:
        pool.change(2, state=state, reason=f"<b>{state}</b>")
        html = client.get(LIST).content.decode()
        assert f"&lt;b&gt;{state}&lt;/b&gt; <strong>{sentences.MEANINGS[state][1]}</strong>" in html


def test_the_first_day_says_what_to_do(pool, client_for):
    html = client_for("maintenance").get(LIST).content.decode()
    assert "7 empty token sets" in html
    assert consents.redirect_uri() in html
    assert "Start regeneration" in html
    assert "Start regeneration</button>" not in client_for("administrator").get(LIST).content.decode()


def test_the_page_without_a_limit_of_uses(pool, client_for, settings):
    settings.TOKEN_MAX_USES = 0
    pool.obtain(1)
    html = client_for("maintenance").get(LIST).content.decode()
    assert "no limit" in html
    assert "Uses are not limited." in html


def test_a_week_that_does_not_suffice_is_said_first(pool, client_for, settings):
    settings.TOKEN_SET_COUNT = 1
    settings.MAINTENANCE_AT = f"{env.WEEKDAYS[(datetime.now(UTC).weekday() + 3) % 7]} 09:00"
    pool.obtain(1)
    pool.change(1, uses=10)
    html = client_for("maintenance").get(LIST).content.decode()
    assert "The sets may not last until the next maintenance" in html
    assert "8.3 h of continuous use are left" in html


def test_with_the_clients_own_grant_no_set_is_asked_for(pool, client_for, settings):
    settings.TOKEN_GRANT = "client_credentials"
    html = client_for("maintenance").get(LIST).content.decode()
    assert "No token set is needed" in html
    assert "Start regeneration" not in html


def test_a_pool_that_has_stopped_says_so_first(pool, client_for):
    from oauthtokens.pool import pool_state as pool_document

    pool.obtain(1)
    pool_document.stop("Zoho does not accept our client id.")
    assert "The pool has stopped" in client_for("administrator").get(LIST).content.decode()


def test_the_chart_has_words_too(pool, client_for):
    pool.obtain(1)
    services.refresh_set(1, force=True)
    html = client_for("maintenance").get(LIST).content.decode()
    assert '<svg viewBox="0 0 760 240" role="img"' in html
    assert "1 uses in the last 7 days" in html
    assert "The same as a table" in html


def test_open_alerts_stand_on_every_page_of_the_console(pool, client_for):
    pool.obtain(1)
    pool.change(1, state=State.BROKEN, reason="Zoho said no.")
    alerts.update()
    for path in ("/admin/", LIST, "/admin/coursehub/course/", "/admin/oauthtokens/sitting/"):
        for role in ("administrator", "maintenance"):
            assert "Token set 1 is broken: Zoho said no." in client_for(role).get(path).content.decode()


def test_the_forecast_for_machines(pool, client_for):
    pool.obtain(1)
    answer = json.loads(client_for("administrator").get("/oauth/forecast.json").content)
    assert set(answer["sets"][0]) >= {"number", "state", "uses", "max_uses", "access_expires_at"}
    assert answer["hours_left"] == {"continuous": 17.5, "measured": None}
    assert answer["reaches_next_maintenance"] in (True, False)


# --- Acts ---------------------------------------------------------------------------------------


def test_refresh_and_rotate(pool, client_for):
    pool.obtain(1, 2)
    client = client_for("maintenance")
    assert messages_of(client.post(f"{LIST}2/refresh/")) == ["Token set 2 was refreshed. That was use 1; 17 are left."]
    assert pool.row(2)["uses"] == 1
    assert messages_of(client.post(f"{LIST}rotate/"))[-1] == "Token set 2 is active."
    pool.change(1, state=State.BROKEN)
    assert messages_of(client.post(f"{LIST}rotate/"))[-1] == "No other token set is ready."
    assert (
        messages_of(client.post(f"{LIST}5/refresh/"))[-1]
        == "Token set 5 cannot be refreshed. It never had tokens. Regenerate it."
    )


def test_the_reserve_is_released_for_a_reason(pool, client_for):
    pool.obtain(1)
    pool.change(1, uses=18, state=State.EXHAUSTED)
    client = client_for("maintenance")
    refused = client.post(f"{LIST}1/release/", {"reason": "  "})
    assert 'role="alert">A release of the reserve needs a reason.' in refused.content.decode()
    client.post(f"{LIST}1/release/", {"reason": "The exam is tonight."})
    assert TokenSet.objects.get(number=1).reserve_released
    event = AuditEvent.objects.get(action="token_set.reserve_released")
    assert (event.actor, event.detail["reason"]) == ("maintenance", "The exam is tonight.")


@pytest.mark.parametrize("role", ["administrator", "maintenance"])
def test_revoking_takes_the_number_typed(pool, client_for, role):
    pool.obtain(1, 2)
    client = client_for(role)
    for typed in ("", "2", "one"):
        assert "Nothing was revoked" in client.post(f"{LIST}1/revoke/", {"confirm": typed}).content.decode()
    assert pool.row(1)["state"] != State.REVOKED
    told = messages_of(client.post(f"{LIST}1/revoke/", {"confirm": " 1 "}))
    assert told == ["Token set 1 is revoked at Zoho, and its tokens are destroyed here."]
    assert (pool.row(1)["state"], pool.row(1)["refresh_token"]) == (State.REVOKED, "")
    assert len(pool.sandbox.state()["tokens"]) == 1


def test_revoking_all_takes_the_words_typed(pool, client_for):
    pool.obtain(1, 2)
    client = client_for("administrator")
    assert "Nothing was revoked" in client.post(f"{LIST}revoke-all/", {"confirm": "all"}).content.decode()
    client.post(f"{LIST}revoke-all/", {"confirm": "Revoke all"})
    assert pool.sandbox.state()["tokens"] == []
    assert {pool.row(1)["state"], pool.row(2)["state"]} == {State.REVOKED}


# --- Regeneration -------------------------------------------------------------------------------


def test_a_pasted_code_is_used_at_once_and_never_shown(pool, client_for):
    client = client_for("maintenance")
    code = pool.sandbox.self_client_code(services.SCOPE)
    assert client.post(f"{LIST}3/paste/", {"code": f" {code} "})["Location"] == LIST
    assert pool.row(3)["generation"] == 1
    again = client.post(f"{LIST}3/paste/", {"code": code})
    assert "does not accept this code" in again.content.decode()
    assert code not in again.content.decode()
    assert 'role="alert">Paste the code' in client.post(f"{LIST}3/paste/").content.decode()


def approved(pool, client, number: int, decision: str = "approve") -> str:
    """The address that the browser is sent back to, as a path with its query."""
    sent = urlsplit(client.post(f"{LIST}{number}/consent/")["Location"])
    form = {key: values[0] for key, values in parse_qs(sent.query).items()} | {"decision": decision}
    back = requests.post(f"{pool.sandbox.url}{sent.path}", data=form, allow_redirects=False, timeout=5)
    return urlsplit(back.headers["Location"])._replace(scheme="", netloc="").geturl()


@pytest.fixture
def consenting(pool, client_for, settings):
    settings.PUBLIC_URL = "http://testserver"
    return client_for("maintenance")


def test_one_click_and_a_consent_make_new_tokens(pool, consenting):
    address = approved(pool, consenting, 4)
    answer = consenting.get(address)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert messages_of(answer) == ["Token set 4 has new tokens."]
    assert pool.row(4)["state"] == State.ACTIVE
    assert AuditEvent.objects.get(action="token_set.regenerated").actor == "maintenance"
    assert messages_of(consenting.get(address))[-1] == (
        "This consent was used before; a consent is good for one set of tokens."
    )
    assert pool.row(4)["generation"] == 1


def test_a_refused_consent_leaves_the_set_as_it_was(pool, consenting):
    pool.obtain(4)
    before = pool.row(4)
    told = messages_of(consenting.get(approved(pool, consenting, 4, "deny")))
    assert told == ["Token set 4 is as it was: the consent was refused at Zoho."]
    assert pool.row(4) == before


def test_a_consent_is_bound_to_who_began_it(pool, consenting, client_for):
    address = approved(pool, consenting, 4)
    other = client_for("maintenance", "second")
    assert "begun by somebody else" in messages_of(other.get(address))[0]
    assert pool.row(4)["generation"] == 0
    consenting.get(address)
    assert pool.row(4)["generation"] == 1


@pytest.mark.parametrize(
    ("server", "sentence"),
    [
        ("https://accounts.zoho.in", "that account belongs to https://accounts.zoho.in. Set ZOHO_ACCOUNTS_URL"),
        ("https://accounts.zoho.com.evil.example", "an accounts server that is not Zoho's"),
        ("http://accounts.zoho.in", "an accounts server that is not Zoho's"),
    ],
)
def test_an_answer_of_another_accounts_server_is_not_used(pool, consenting, server, sentence):
    address = urlsplit(approved(pool, consenting, 4))
    query = parse_qs(address.query) | {"accounts-server": [server]}
    told = messages_of(consenting.get(address.path, {key: values[0] for key, values in query.items()}))
    assert sentence in told[0]
    assert "evil" not in told[0]
    assert pool.row(4)["generation"] == 0
    assert pool.sandbox.counters()["by_endpoint"].get("POST oauth/v2/token", 0) == 0


@pytest.mark.parametrize("query", ["", "?state=made-up&code=1000.x", "?code=1000.x", "?state=%00&error=x"])
def test_a_callback_out_of_nowhere_changes_nothing(pool, client_for, query):
    answer = client_for("maintenance").get(f"/oauth/callback/{query}")
    assert answer.status_code == 302
    assert "not begun here" in messages_of(answer)[0]


def test_a_callback_after_signing_out_leaves_no_code_in_the_login_address(client_for, database):
    answer = client_for("anonymous").get("/oauth/callback/?code=1000.secret&state=s")
    assert answer["Location"] == "/accounts/login/?next=/oauth/callback/"


def test_the_next_consent_has_to_wait(pool, consenting):
    consenting.post(f"{LIST}1/consent/")
    answer = consenting.post(f"{LIST}2/consent/")
    assert answer["Location"] == LIST
    assert re.fullmatch(r"Zoho takes one consent every 15 s: begin again in \d+ s\.", messages_of(answer)[0])
    assert re.search(r'data-countdown="1\d\.', consenting.get(LIST).content.decode())


def test_a_sitting_in_the_console(pool, consenting, settings):
    settings.TOKEN_SET_COUNT = 2
    assert consenting.post(f"{LIST}regeneration/start/")["Location"] == f"{LIST}regeneration/"
    answer = consenting.get(approved(pool, consenting, 1))
    assert answer["Location"] == f"{LIST}regeneration/"
    consenting.post(f"{LIST}regeneration/2/skip/")
    html = consenting.get(f"{LIST}regeneration/").content.decode()
    assert re.findall(r'data-step="(\w+)" data-set="(\d)"', html) == [("done", "1"), ("skipped", "2")]
    assert "A regeneration is under way: 1 of 2 sets done" in consenting.get(LIST).content.decode()
    pk = sessions.current().pk
    told = messages_of(consenting.post(f"{LIST}regeneration/{pk}/sign-off/", {"remarks": "<i>done</i>"}))
    assert told[-1] == "Signed off: 1 of 2 token sets have new tokens."
    record = consenting.get(f"/admin/oauthtokens/sitting/{pk}/change/").content.decode()
    assert "1 regenerated, 2 skipped" in record
    assert "<i>done</i>" not in record
    assert Sitting.objects.get(pk=pk).signed_off_by == "maintenance"
    assert "signed off before" in messages_of(consenting.post(f"{LIST}regeneration/{pk}/sign-off/"))[-1]


def test_nothing_to_start_is_said(pool, client_for, monkeypatch):
    monkeypatch.setattr(exchange, "is_needed", lambda token_set, now: False)
    answer = client_for("maintenance").post(f"{LIST}regeneration/start/")
    assert messages_of(answer) == ["No token set needs regeneration now."]
