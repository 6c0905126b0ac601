"""One refresh per expiry, whatever happens; each use counted before the call."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import TokenGrant, ZohoAccounts, errors
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import provider, refresh, refresh_lease, rejection
from oauthtokens.pool.refresh import Outcome

State = TokenSet.State


def test_forty_callers_at_expiry_make_one_refresh(pool):
    pool.obtain(1)
    pool.expire(1)
    pool.sandbox.switch(latency_ms=300)
    start = threading.Barrier(40)

    def call(_):
        start.wait()
        return services.access_token().token

    with ThreadPoolExecutor(40) as threads:
        tokens = list(threads.map(call, range(40)))
    assert len(set(tokens)) == 1
    assert pool.refreshes() == 1
    assert pool.row(1)["uses"] == 1


def test_token_of_the_exchange_is_used_before_any_refresh(pool):
    pool.obtain(1)
    services.access_token()
    assert (pool.refreshes(), pool.row(1)["uses"], pool.row(1)["state"]) == (0, 0, State.ACTIVE)


def test_use_is_counted_before_the_provider_is_asked(pool, monkeypatch):
    pool.obtain(1)
    pool.expire(1)
    seen = []

    def refresh(accounts, token):
        seen.append((pool.row(1)["uses"], pool.row(1)["lease_holder"] != ""))
        raise KeyboardInterrupt  # the process dies here

    monkeypatch.setattr(ZohoAccounts, "refresh", refresh)
    with pytest.raises(KeyboardInterrupt):
        services.access_token()
    assert seen == [(1, True)]
    assert pool.row(1)["uses"] == 1  # counted too much, never too little


def test_successor_refreshes_after_the_lease_and_the_late_answer_is_discarded(pool, settings):
    settings.TOKEN_LEASE_SECONDS = 1
    pool.obtain(1)
    pool.expire(1)
    hanging = refresh_lease.win(1)
    assert refresh_lease.win(1) is None  # nobody else while the lease lasts
    token = services.access_token().token  # waits for its end
    assert pool.row(1)["uses"] == 2
    assert not refresh_lease.write_grant(hanging, TokenGrant("1000.late", "", 3600))
    assert not refresh_lease.write_failure(hanging, reason="late", state=State.BROKEN)
    assert not refresh_lease.give_up(hanging)
    assert services.access_token().token == token
    assert (pool.row(1)["state"], pool.row(1)["uses"]) == (State.ACTIVE, 2)


def test_hanging_refresh_of_a_real_server_is_taken_over(pool, settings):
    settings.TOKEN_LEASE_SECONDS = 2  # the read time-out follows: 1 s
    pool.obtain(1)
    pool.expire(1)
    pool.sandbox.switch(
        hold_seconds=3, fail_next=[{"path_contains": "/oauth/v2/token", "times": 1, "fault": "timeout"}]
    )
    with pytest.raises(TokenUnavailable) as caught:  # not answered in time: backoff, not another try at once
        services.access_token()
    assert 0 < caught.value.wait_seconds <= 2
    time.sleep(caught.value.wait_seconds + 0.05)  # as long as the caller was told to wait, and no longer
    assert services.access_token().token
    assert pool.row(1)["uses"] == 2  # the first may have counted at the provider


def test_token_inside_the_margin_is_refreshed_ahead_and_still_handed_out_meanwhile(pool):
    pool.obtain(1)
    old = services.access_token().token
    soon = clock.now() + timedelta(seconds=120)
    pool.change(1, access_expires_at=soon)
    lease = refresh_lease.win(1)  # somebody refreshes
    assert services.access_token().token == old  # no waiting
    refresh_lease.give_up(lease)
    assert services.access_token().token != old


def test_token_with_less_than_30_seconds_is_never_handed_out(pool):
    pool.obtain(1)
    old = services.access_token().token
    pool.change(1, access_expires_at=clock.now() + timedelta(seconds=29))
    assert services.access_token().token != old


def test_failed_refresh_inside_the_margin_leaves_the_old_token_in_use(pool):
    pool.obtain(1)
    old = services.access_token().token
    pool.change(1, access_expires_at=clock.now() + timedelta(seconds=120))
    pool.sandbox.switch(error_5xx_ratio=1.0)
    assert [services.access_token().token for _ in range(5)] == [old] * 5
    assert pool.row(1)["uses"] == 1  # backoff: one try, not five


def test_token_that_lives_shorter_than_the_margin_is_not_refreshed_with_every_call(pool):
    pool.sandbox.switch(access_token_seconds=120)
    pool.obtain(1)
    pool.expire(1)
    assert len({services.access_token().token for _ in range(5)}) == 1
    assert pool.refreshes() == 1


def test_token_from_memory_is_used_only_while_its_fence_is_the_stored_one(pool):
    pool.obtain(1)
    first = services.access_token()
    # What is stored becomes unreadable, but is not read while the name stays the same.
    pool.change(1, access_token="unreadable")
    assert services.access_token().token == first.token
    refresh.refresh(1, force=True)  # by another process, as it were
    second = services.access_token()
    assert second.token != first.token
    assert provider.memory.token[0][:4] == second.key
    for token in (first.token, second.token):
        assert token not in repr(provider.memory.token)


def test_nothing_in_the_database_holds_a_token(pool):
    pool.obtain(1, 2)
    services.refresh_set(1, force=True)
    tokens = [services.access_token().token, refresh_lease.win(2, force=True).refresh_token]
    database = outside_transaction(TokenSet).database
    dump = str([list(database[name].find()) for name in database.list_collection_names()])
    assert not any(token in dump for token in tokens)


def test_rejected_token_is_forgotten_once(pool):
    pool.obtain(1)
    lease = services.access_token()
    rejection.rejected(lease)
    fresh = services.access_token()
    assert fresh.token != lease.token
    rejection.rejected(lease)  # a slower caller with the same old token
    assert services.access_token().token == fresh.token
    assert pool.refreshes() == 1


def test_client_goes_on_after_its_token_was_revoked(pool):
    pool.obtain(1)
    refresh.accounts().revoke(services.access_token().token)
    assert services.client().list_courses()
    assert pool.refreshes() == 1


def test_regeneration_during_a_refresh_wins_over_it(pool):
    pool.obtain(1)
    hanging = refresh_lease.win(1, force=True)
    pool.obtain(1)
    assert not refresh_lease.write_grant(hanging, TokenGrant("1000.late", "", 3600))
    row = pool.row(1)
    assert (row["generation"], row["uses"], row["state"]) == (2, 0, State.ACTIVE)
    assert services.client().list_courses()


def test_replaced_refresh_token_is_revoked(pool):
    pool.obtain(1)
    old = refresh_lease.win(1, force=True).refresh_token
    pool.obtain(1)
    with pytest.raises(errors.InvalidCode):
        refresh.accounts().refresh(old)


def test_abandoned_code_leaves_the_set_as_it_was(pool):
    pool.obtain(1)
    before = pool.row(1)
    with pytest.raises(errors.InvalidCode):
        services.exchange_code(number=1, code="1000.wrong", actor="maintenance")
    assert pool.row(1) == before


@pytest.mark.parametrize("number", [0, 8])
def test_number_outside_the_pool_is_refused(pool, number):
    with pytest.raises(ValueError, match="token sets 1 to 7"):
        services.exchange_code(number=number, code="1000.x", actor="maintenance")


def test_refresh_reports_what_happened(pool):
    pool.obtain(1)
    assert refresh.refresh(1) is Outcome.BUSY  # not due
    assert refresh.refresh(1, force=True) is Outcome.REFRESHED
    assert refresh.refresh(2, force=True) is Outcome.BUSY  # empty
