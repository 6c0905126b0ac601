"""Revoked is revoked: out of use at once, asked again until Zoho confirms, nothing lost on the way."""

import json

import pytest
from django.db import transaction

from coursehub.mongo import outside_transaction
from coursehub.trainercentral import ZohoAccounts
from coursehub.trainercentral.errors import InvalidCode, TokenUnavailable
from oauthtokens import encryption, revocation, services
from oauthtokens.models import TokenSet
from oauthtokens.pool import refresh, refresh_lease
from oauthtokens.services import Revocation

State = TokenSet.State
NO_REVOCATION = {"path_contains": "/oauth/v2/token/revoke", "times": 1, "fault": "500"}


def kept() -> list[dict]:
    return list(outside_transaction(revocation.TABLE).find())


def forget_backoff() -> None:
    outside_transaction(revocation.TABLE).update_many({}, {"$set": {"not_before": None}})


def is_dead(token: str) -> bool:
    try:
        refresh.accounts().refresh(token)
    except InvalidCode:
        return True
    return False


def refresh_token_of(number: int) -> str:
    return refresh_lease.win(number, force=True).refresh_token


def test_revoked_set_is_dead_at_zoho_and_destroyed_here_and_the_next_is_used(pool):
    pool.obtain(1, 2)
    token, access = refresh_token_of(1), services.access_token()
    assert services.revoke(number=1, actor="maintenance") is Revocation.REVOKED
    row = pool.row(1)
    assert (row["state"], row["refresh_token"], row["access_token"]) == (State.REVOKED, "", "")
    assert is_dead(token)
    assert kept() == []
    assert services.access_token().key[0] == 2
    assert services.access_token().token != access.token
    assert {"token_set.revocation_asked", "token_set.revoked"} <= set(pool.actions())
    assert services.revoke(number=1, actor="maintenance") is Revocation.NOTHING
    assert services.revoke(number=3, actor="maintenance") is Revocation.NOTHING


def test_failed_revocation_stays_pending_is_never_leased_and_is_retried_with_backoff(pool):
    pool.obtain(1)
    token = refresh_token_of(1)
    pool.sandbox.switch(fail_next=[{**NO_REVOCATION, "times": 2}])
    assert services.revoke(number=1, actor="maintenance") is Revocation.PENDING
    assert pool.row(1)["state"] == State.REVOCATION_PENDING
    assert refresh_lease.win(1, force=True) is None
    with pytest.raises(TokenUnavailable):
        services.access_token()
    services.refresh_due()  # not yet: the backoff
    assert [one["failures"] for one in kept()] == [1]
    forget_backoff()
    services.refresh_due()
    assert [one["failures"] for one in kept()] == [2]
    forget_backoff()
    assert services.is_upkeep_due()
    services.refresh_due()
    assert (pool.row(1)["state"], kept()) == (State.REVOKED, [])
    assert is_dead(token)
    assert pool.actions().count("token_set.revocation_failed") == 1


@pytest.mark.parametrize("step", ["taken out of use", "asked", "confirmed"])
def test_process_that_dies_half_way_leaves_it_pending_and_the_job_ends_it(pool, monkeypatch, step):
    pool.obtain(1)
    token = refresh_token_of(1)
    ask = ZohoAccounts.revoke

    def die(*args, **kwargs):
        if step == "confirmed":
            ask(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((revocation.audit, "record") if step == "taken out of use" else (ZohoAccounts, "revoke")), die)
        with pytest.raises(KeyboardInterrupt):
            services.revoke(number=1, actor="maintenance")
    assert pool.row(1)["state"] == State.REVOCATION_PENDING
    forget_backoff()
    services.refresh_due()
    assert (pool.row(1)["state"], kept()) == (State.REVOKED, [])
    assert is_dead(token)


def test_process_that_dies_before_the_set_is_won_has_changed_nothing(pool, monkeypatch):
    pool.obtain(1)
    revocation.keep(1)  # and then it died
    services.refresh_due()
    assert pool.row(1)["state"] == State.ACTIVE
    assert services.access_token().token
    assert not revocation.is_due()


def test_all_sets_are_out_of_use_before_the_first_call(pool, monkeypatch):
    pool.obtain(1, 2)
    tokens = [refresh_token_of(1), refresh_token_of(2)]
    seen, ask = [], ZohoAccounts.revoke

    def revoke(accounts, token):
        seen.append(pool.states()[:2])
        ask(accounts, token)

    monkeypatch.setattr(ZohoAccounts, "revoke", revoke)
    told = []
    outcomes = services.revoke_all(actor="admin", told=lambda done, of: told.append((done, of)))
    assert seen[0] == [State.REVOCATION_PENDING] * 2
    assert outcomes == {1: Revocation.REVOKED, 2: Revocation.REVOKED} | dict.fromkeys(range(3, 8), Revocation.NOTHING)
    assert told[-1] == (7, 7)
    assert all(map(is_dead, tokens))


def test_replaced_token_whose_revocation_failed_is_not_lost(pool):
    pool.obtain(1)
    token = refresh_token_of(1)
    pool.sandbox.switch(fail_next=[NO_REVOCATION])
    pool.obtain(1)
    assert pool.row(1)["state"] == State.ACTIVE
    (row,) = kept()
    assert token not in json.dumps(row, default=str)
    forget_backoff()
    services.refresh_due()
    assert is_dead(token)
    assert (kept(), pool.row(1)["state"]) == ([], State.ACTIVE)
    assert services.client().list_courses()


def test_process_that_dies_after_storing_new_tokens_leaves_the_old_one_to_the_job(pool):
    pool.obtain(1)
    token = refresh_token_of(1)
    grant = refresh.accounts().exchange_code(pool.sandbox.self_client_code(services.SCOPE))
    services.store_grant(number=1, grant=grant, actor="maintenance")  # and then it died
    assert not is_dead(token)
    services.refresh_due()
    assert is_dead(token)
    assert services.client().list_courses()


def test_pending_set_that_is_regenerated_serves_again_while_its_old_token_stays_pending(pool):
    pool.obtain(1)
    token = refresh_token_of(1)
    pool.sandbox.switch(fail_next=[{**NO_REVOCATION, "times": 2}])
    services.revoke(number=1, actor="maintenance")
    pool.obtain(1)
    assert pool.row(1)["state"] == State.ACTIVE
    forget_backoff()
    services.refresh_due()
    assert (is_dead(token), pool.row(1)["state"], kept()) == (True, State.ACTIVE, [])


def test_answer_of_a_refresh_under_way_does_not_bring_a_revoked_set_back(pool):
    pool.obtain(1)
    lease = refresh_lease.win(1, force=True)
    grant = refresh.accounts().refresh(lease.refresh_token)
    services.revoke(number=1, actor="maintenance")
    assert not refresh_lease.write_grant(lease, grant)
    assert (pool.row(1)["state"], pool.row(1)["access_token"]) == (State.REVOKED, "")


def test_undecryptable_token_cannot_be_revoked_and_is_kept_until_the_key_is_back(pool, settings):
    pool.obtain(1)
    token, keys = refresh_token_of(1), settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [encryption.Fernet.generate_key().decode()]
    assert services.revoke(number=1, actor="maintenance") is Revocation.PENDING
    assert "cannot be decrypted" in pool.row(1)["reason"]
    settings.TOKEN_ENCRYPTION_KEYS = keys
    forget_backoff()
    services.refresh_due()
    assert (is_dead(token), pool.row(1)["state"]) == (True, State.REVOKED)


def test_nothing_is_revoked_inside_a_transaction(pool):
    pool.obtain(1)
    with transaction.atomic(), pytest.raises(RuntimeError, match="atomic"):
        services.revoke(number=1, actor="maintenance")
    assert pool.row(1)["state"] == State.ACTIVE


def test_clients_own_access_token_is_revoked_with_all(pool, settings):
    settings.TOKEN_GRANT = "client_credentials"
    lease = services.access_token()
    pool.sandbox.switch(fail_next=[NO_REVOCATION])
    assert services.revoke_all(actor="admin")[0] is Revocation.PENDING
    assert lease.token not in str(kept())
    forget_backoff()
    services.refresh_due()
    assert kept() == []
    assert services.access_token().token != lease.token
    assert {"client_token.revocation_asked", "client_token.revoked"} <= set(pool.actions())
