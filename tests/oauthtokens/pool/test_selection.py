"""One active set; on to the next when it is used up or fails; failures of the client stop the pool."""

import pytest

from coursehub.mongo import outside_transaction
from coursehub.trainercentral import TokenGrant, errors
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import encryption, services
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as pool_document
from oauthtokens.pool import refresh, refresh_lease, rejection, selection
from oauthtokens.pool.refresh import Outcome

State = TokenSet.State


def refresh_token_of(pool, number: int) -> str:
    row = pool.row(number)
    return encryption.decrypt(row["refresh_token"], number=number, kind="refresh", generation=row["generation"])


def test_first_set_becomes_active_and_the_second_stays_cold(pool):
    pool.obtain(1, 2)
    assert pool.states()[:3] == [State.ACTIVE, State.READY, State.EMPTY]
    services.access_token()
    assert pool.row(2)["uses"] == 0


def test_pool_moves_on_after_18_uses(pool):
    pool.obtain(1, 2)
    pool.sandbox.switch(max_uses_per_refresh_token=18)
    for _ in range(18):
        pool.expire(1)
        services.access_token()
    assert (pool.row(1)["state"], pool.row(1)["uses"]) == (State.RETIRING, 18)
    services.access_token()  # the last token is used to its end
    assert pool.row(2)["state"] == State.READY
    pool.expire(1)
    services.access_token()
    assert pool.states()[:2] == [State.EXHAUSTED, State.ACTIVE]
    assert pool.refreshes() == 18  # set 2 still has the token of its exchange
    assert "token_set.exhausted" in pool.actions()


def test_set_on_its_last_use_is_not_exhausted_while_that_refresh_is_under_way(pool):
    pool.obtain(1, 2)
    pool.change(1, uses=17, access_expires_at=None)
    lease = refresh_lease.win(1)
    assert selection.select() == 1
    assert refresh_lease.write_grant(lease, TokenGrant("1000.x", "", 3600))
    assert pool.row(1)["state"] == State.RETIRING


def test_no_limit_means_no_end(pool, settings):
    settings.TOKEN_MAX_USES = 0
    pool.obtain(1)
    pool.change(1, uses=500, access_expires_at=None)
    services.access_token()
    assert (pool.row(1)["uses"], pool.row(1)["state"]) == (501, State.ACTIVE)
    assert services.status()["hours_left"]["continuous"] is None


def test_exhausted_set_is_ready_again_when_the_limit_is_raised(pool, settings):
    pool.obtain(1)
    pool.change(1, uses=18, access_expires_at=None)
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert pool.row(1)["state"] == State.EXHAUSTED
    settings.TOKEN_RETIRE_AT_USES = 20
    assert services.access_token().token


def test_broken_set_is_left_for_the_next_at_once(pool):
    pool.obtain(1, 2)
    refresh.accounts().revoke(refresh_token_of(pool, 1))
    pool.expire(1)
    assert services.client().list_courses()
    assert pool.states()[:2] == [State.BROKEN, State.ACTIVE]
    assert "token_set.broken" in pool.actions()


def test_throttled_set_cools_down_and_comes_back(pool):
    pool.sandbox.switch(mints_per_10_minutes=1)
    pool.obtain(1, 2)
    for _ in range(2):
        pool.expire(1)
        services.access_token()
    row = pool.row(1)
    assert (row["state"], row["uses"]) == (State.COOLING, 1)  # a refusal made no token and counts for nothing
    assert pool.row(2)["state"] == State.ACTIVE
    pool.change(1, not_before=row["last_refreshed_at"])
    selection.tidy_up()
    assert pool.row(1)["state"] == State.READY


def test_only_set_cooling_down_says_how_long(pool):
    pool.sandbox.switch(mints_per_10_minutes=1)
    pool.obtain(1)
    pool.expire(1)
    services.access_token()
    pool.expire(1)
    with pytest.raises(TokenUnavailable) as caught:
        services.access_token()
    assert 500 < caught.value.wait_seconds <= 600
    assert pool.refreshes() == 1


def test_passing_failure_backs_off_and_changes_no_state(pool):
    pool.obtain(1, 2)
    pool.expire(1)
    pool.sandbox.switch(fail_next=[{"path_contains": "/oauth/v2/token", "times": 9, "fault": "500"}])
    for _ in range(3):
        with pytest.raises(TokenUnavailable) as caught:
            services.access_token()
    assert caught.value.retry_helps
    assert pool.states()[:2] == [State.ACTIVE, State.READY]
    assert (pool.row(1)["uses"], pool.row(1)["failures"]) == (1, 1)


def test_server_that_is_not_there_costs_no_use(pool, settings):
    pool.obtain(1)
    pool.expire(1)
    settings.ZOHO_ACCOUNTS_URL = "http://127.0.0.1:9"
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert (pool.row(1)["uses"], pool.row(1)["state"]) == (0, State.ACTIVE)


@pytest.mark.parametrize("switch", [{"client_secret": "other"}, {"another_data_centre": True}])
def test_trouble_of_the_whole_client_stops_the_pool_and_changes_no_set(pool, switch):
    pool.obtain(1, 2)
    pool.expire(1)
    before = pool.row(1)
    pool.sandbox.switch(**switch)
    for _ in range(3):
        with pytest.raises(TokenUnavailable) as caught:
            services.access_token()
    assert "client" in caught.value.sentence
    assert {**pool.row(1), "fence": 0} == {**before, "fence": 0}
    assert pool.states()[:2] == [State.ACTIVE, State.READY]
    assert pool.actions().count("token_pool.stopped") == 1
    assert services.status()["stopped"]


def test_stopped_pool_is_probed_and_resumes(pool):
    pool.obtain(1)
    pool.expire(1)
    pool.sandbox.switch(client_secret="other")
    with pytest.raises(TokenUnavailable):
        services.access_token()
    pool.sandbox.switch(client_secret="sandbox-client-secret")
    with pytest.raises(TokenUnavailable):  # nobody asks before the probe is due
        services.access_token()
    outside_transaction("oauthtokens_pool").update_one({}, {"$set": {"probe_at": pool.row(1)["regenerated_at"]}})
    assert services.access_token().token
    assert services.status()["stopped"] == ""
    assert pool.actions().count("token_pool.resumed") == 1


def test_fresh_tokens_of_two_sets_rejected_stop_the_pool(pool):
    pool.obtain(1, 2)
    for number in (1, 2):
        pool.expire(number)
        lease = services.access_token()
        assert lease.key[0] == number
        rejection.rejected(lease)
        assert pool.row(number)["state"] == State.COOLING
    assert pool_document.read()["stopped"]
    assert pool.refreshes() == 2


def test_swapped_ciphertexts_are_noticed_and_kept(pool):
    pool.obtain(1, 2, 3)
    first, second = pool.row(1)["refresh_token"], pool.row(2)["refresh_token"]
    pool.change(1, refresh_token=second, access_expires_at=None)
    pool.change(2, refresh_token=first, access_expires_at=None)
    assert services.access_token().key[0] == 3
    assert pool.states()[:3] == [State.UNDECRYPTABLE, State.UNDECRYPTABLE, State.ACTIVE]
    assert pool.row(1)["refresh_token"] == second
    assert pool.refreshes() == 0
    pool.change(1, refresh_token=first)
    services.refresh_due()
    assert pool.row(1)["state"] == State.READY


def test_rotation_by_hand_leaves_the_old_set_ready(pool):
    pool.obtain(1, 2)
    assert services.rotate(actor="maintenance") == 2
    assert pool.states()[:2] == [State.READY, State.ACTIVE]
    assert services.rotate(actor="maintenance") == 1
    pool.change(2, state=State.BROKEN)
    with pytest.raises(TokenUnavailable):
        services.rotate(actor="maintenance")
    assert services.access_token().key[0] == 1


def test_process_that_died_between_pointer_and_state_is_made_good(pool):
    pool.obtain(1, 2)
    pool_document.move(1, 2)  # and then it died
    assert selection.select() == 2
    assert pool.states()[:2] == [State.READY, State.ACTIVE]


def test_empty_pool_says_who_can_help(pool):
    with pytest.raises(TokenUnavailable, match="no set is ready") as caught:
        services.client().list_courses()
    assert "maintenance team" in caught.value.sentence
    assert caught.value.wait_seconds is None


def test_background_job_refreshes_only_while_there_is_demand(pool):
    pool.obtain(1)
    pool.expire(1)
    assert services.refresh_due() == "no demand"
    assert pool.refreshes() == 0
    services.access_token()
    pool.expire(1)
    assert services.refresh_due() == f"token set 1: {Outcome.REFRESHED}"
    assert services.refresh_due() == f"token set 1: {Outcome.BUSY}"
    assert pool.refreshes() == 2


def test_scope_error_refreshes_nothing(pool):
    code = pool.sandbox.self_client_code("TrainerCentral.userapi.READ")
    services.exchange_code(number=1, code=code, actor="maintenance")
    with pytest.raises(errors.ScopeMissing):
        services.client().list_courses()
    assert pool.refreshes() == 0


def test_probes_after_two_rejected_sets_cost_no_uses_and_one_that_succeeds_ends_the_stop(pool):
    pool.obtain(1, 2)
    for number in (1, 2):
        pool.expire(number)
        rejection.rejected(services.access_token())
    uses = [pool.row(number)["uses"] for number in (1, 2)]
    for _ in range(3):
        with pytest.raises(TokenUnavailable):
            services.access_token()
        rest_is_over(pool, 1, 2)
        services.refresh_due()  # the job's probe asks for no token
        rejection.rejected(services.access_token())  # the probe: TrainerCentral still does not accept it
        assert pool_document.read()["stopped"]
    assert pool.actions().count("token_pool.stopped") == 1
    assert "token_pool.resumed" not in pool.actions()
    assert [pool.row(number)["uses"] for number in (1, 2)] == uses
    rest_is_over(pool, 1, 2)
    assert services.client().list_courses()
    assert services.status()["stopped"] == ""
    assert pool.refreshes() == 2


def test_token_made_anew_after_rejections_is_unproven_until_a_call_succeeds(pool):
    pool.obtain(1, 2)
    for number in (1, 2):
        pool.expire(number)
        rejection.rejected(services.access_token())
    for number in (1, 2):
        pool.expire(number)  # an hour later
    rest_is_over(pool, 1, 2)
    services.access_token()
    assert (pool.refreshes(), bool(pool_document.read()["stopped"])) == (3, True)
    rejection.rejected(services.access_token())
    assert pool_document.read()["stopped"]
    rest_is_over(pool, 1, 2)
    assert services.client().list_courses()
    assert (pool_document.read()["stopped"], pool.refreshes()) == ("", 3)
    active = [pool.row(number) for number in (1, 2) if pool.states()[number - 1] == State.ACTIVE]
    assert [row["access_unproven"] for row in active] == [False]


def rest_is_over(pool, *numbers: int) -> None:
    for number in numbers:
        pool.change(number, not_before=None)
    outside_transaction("oauthtokens_pool").update_one({}, {"$set": {"probe_at": None}})


def test_call_goes_on_with_the_next_set_when_a_fresh_token_is_rejected_too(pool, monkeypatch):
    pool.obtain(1, 2)
    refresh.accounts().revoke(services.access_token().token)
    refresh_well = refresh.ZohoAccounts.refresh

    def refresh_and_lose(accounts, token):
        grant = refresh_well(accounts, token)
        accounts.revoke(grant.access_token)  # pushed out at once, by somebody else who uses this set
        return grant

    monkeypatch.setattr(refresh.ZohoAccounts, "refresh", refresh_and_lose)
    assert services.client().list_courses()
    assert pool.states()[:2] == [State.COOLING, State.ACTIVE]
    assert pool.refreshes() == 1
