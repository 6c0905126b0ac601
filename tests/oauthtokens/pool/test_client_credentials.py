"""TOKEN_GRANT=client_credentials: the client's own access tokens, with the discipline of the sets and no set."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import TokenGrant
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as pool_document
from oauthtokens.pool import provider, refresh, refresh_lease, rejection, selection

State = TokenSet.State


@pytest.fixture
def own(pool, settings):
    """The pool of a deployment that uses client credentials."""
    settings.TOKEN_GRANT = "client_credentials"
    return pool


def row() -> dict:
    return outside_transaction(refresh_lease.CLIENT_TABLE).find_one({"number": 0})


def change(**values) -> None:
    outside_transaction(refresh_lease.CLIENT_TABLE).update_one({}, {"$set": values})


def mints(pool) -> int:
    return sum(call["detail"].startswith("client_credentials") for call in pool.sandbox.calls())


def test_forty_callers_make_one_token_and_no_set_is_touched(own):
    own.sandbox.switch(latency_ms=300)
    start = threading.Barrier(40)

    def call(_):
        start.wait()
        return services.access_token().token

    with ThreadPoolExecutor(40) as threads:
        tokens = set(threads.map(call, range(40)))
    assert (len(tokens), mints(own), row()["uses"]) == (1, 1, 1)
    assert services.client().list_courses()
    assert own.states() == [State.EMPTY] * 7
    assert tokens.pop() not in str(row())


def test_it_is_refreshed_inside_the_margin_and_never_handed_out_at_its_end(own):
    first = services.access_token().token
    soon = clock.now() + timedelta(seconds=29)
    change(access_expires_at=soon)
    assert services.access_token().token != first


def test_successor_takes_over_a_hanging_refresh_and_the_late_answer_is_discarded(own, settings):
    settings.TOKEN_LEASE_SECONDS = 1
    selection.select()
    hanging = refresh_lease.win(0)
    token = services.access_token().token
    assert not refresh_lease.write_grant(hanging, TokenGrant("1000.late", "", 3600))
    assert services.access_token().token == token
    assert row()["uses"] == 2
    assert own.actions().count("client_token.refresh_failed") == 1


def test_many_tokens_more_than_a_set_could_give(own):
    tokens = set()
    for _ in range(25):
        change(access_expires_at=None)
        tokens.add(services.access_token().token)
    assert len(tokens) == 25


def test_throttled_client_cools_down_and_says_how_long(own):
    own.sandbox.switch(client_mints_per_10_minutes=1)
    services.access_token()
    change(access_expires_at=None)
    for _ in range(3):
        with pytest.raises(TokenUnavailable) as caught:
            services.access_token()
    assert 500 < caught.value.wait_seconds <= 600
    assert (row()["state"], row()["uses"], own.actions().count("client_token.cooling")) == (State.COOLING, 1, 1)
    assert mints(own) == 2  # one more than it was given, and no further asking
    change(not_before=clock.now())
    own.sandbox.advance(601)
    assert services.access_token().token


def test_passing_failure_backs_off(own):
    own.sandbox.switch(fail_next=[{"path_contains": "/oauth/v2/token", "times": 1, "fault": "500"}])
    for _ in range(3):
        with pytest.raises(TokenUnavailable) as caught:
            services.access_token()
    assert 0 < caught.value.wait_seconds <= 2
    change(not_before=None)
    assert services.access_token().token


def test_wrong_secret_stops_the_pool_until_a_probe_succeeds(own):
    own.sandbox.switch(client_secret="other")
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert services.status()["stopped"]
    own.sandbox.switch(client_secret="sandbox-client-secret")
    outside_transaction("oauthtokens_pool").update_one({}, {"$set": {"probe_at": None}})
    assert services.access_token().token
    assert (services.status()["stopped"], row()["uses"]) == ("", 1)


def test_fresh_token_that_is_rejected_stops_the_pool(own):
    rejection.rejected(services.access_token())
    assert "client itself" in pool_document.read()["stopped"]
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert mints(own) == 1


def test_old_token_that_is_rejected_is_replaced_once(own):
    lease = services.access_token()
    change(last_refreshed_at=None)  # long ago
    refresh.accounts().revoke(lease.token)
    assert services.client().list_courses()
    rejection.rejected(lease)  # a slower caller
    assert services.client().list_courses()
    assert mints(own) == 2


def test_token_that_cannot_be_decrypted_is_replaced(own):
    services.access_token()
    change(access_token="unreadable")
    provider.memory.clear()
    assert services.access_token().token


def test_job_refreshes_on_demand_only(own, settings):
    assert services.refresh_due() == "no demand"
    assert mints(own) == 0
    services.access_token()
    change(access_expires_at=None)
    assert services.refresh_due() == "client credentials: refreshed"
    assert services.alerts() == []


def test_status_and_commands_speak_of_the_client(own, capsys):
    with pytest.raises(TokenUnavailable):
        services.rotate(actor="maintenance")
    call_command("refresh_tokens")
    call_command("token_status")
    assert "The client's own access token is active" in capsys.readouterr().out
    status = services.status()
    assert (status["client"]["mints"], status["reaches_next_maintenance"]) == (1, True)
    assert status["hours_left"]["continuous"] is None


def test_switching_back_uses_the_sets_again(own, settings):
    own.obtain(1)
    assert services.access_token().key[0] == 0
    settings.TOKEN_GRANT = "refresh_token"
    assert services.access_token().key[0] == 1
    assert services.status()["client"] is None
