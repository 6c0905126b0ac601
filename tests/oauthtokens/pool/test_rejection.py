"""Fresh access tokens that TrainerCentral refuses: one refusal is a doubt, a second one costs one use, no more do."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state, refresh, rejection

State = TokenSet.State


@pytest.fixture
def fresh(pool):
    """`fresh(1)`: the access token that the set was just refreshed to, at a cost of one use."""

    def make(number: int = 1):
        pool.obtain(number)
        pool.expire(number)
        return services.access_token()

    return make


def rest_is_over(pool, number: int = 1) -> None:
    pool.change(number, not_before=None)


def killed(lease) -> None:
    refresh.accounts().revoke(lease.token)


def test_fresh_token_killed_at_the_provider_is_replaced_when_a_second_call_is_refused(pool, fresh):
    killed(fresh())
    with pytest.raises(TokenUnavailable) as caught:
        services.client().list_courses()  # the first call that it fails, and no other set
    assert 0 < caught.value.wait_seconds <= rejection.SECOND_TRY_AFTER_SECONDS
    assert (pool.row(1)["state"], pool.refreshes()) == (State.COOLING, 1)
    rest_is_over(pool)
    assert services.client().list_courses()  # the second: it is refused with the same token, and goes on with another
    row = pool.row(1)
    assert (row["state"], row["uses"], pool.refreshes(), row["is_replacement"]) == (State.ACTIVE, 2, 2, False)
    assert not row["access_unproven"]
    assert "token_set.access_token_given_up" in pool.actions()
    assert pool_state.read()["stopped"] == ""


def test_token_that_the_provider_ends_before_its_time_is_replaced(pool, fresh):
    pool.sandbox.switch(access_token_dies_after_seconds=20)
    fresh()
    pool.sandbox.advance(30)
    with pytest.raises(TokenUnavailable):
        services.client().list_courses()
    rest_is_over(pool)
    assert services.client().list_courses()
    assert (pool.row(1)["uses"], pool.refreshes()) == (2, 2)


def test_calls_refused_at_the_same_moment_confirm_one_another_and_make_one_refresh(pool, fresh):
    lease = fresh()
    killed(lease)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(rejection.rejected, [lease] * 8))
    assert services.client().list_courses()
    assert (pool.row(1)["uses"], pool.refreshes()) == (2, 2)
    assert pool.actions().count("token_set.access_token_given_up") == 1


def test_replacement_that_is_refused_too_costs_no_further_use(pool, fresh):
    lease = fresh()
    for _ in range(2):
        rejection.rejected(lease)
    for _ in range(6):
        rejection.rejected(services.access_token())
        row = pool.row(1)
        assert (row["state"], row["uses"]) == (State.COOLING, 2)
        rest_is_over(pool)
    assert pool.refreshes() == 2


def test_tokens_that_are_ended_early_again_and_again_are_replaced_every_ten_minutes_at_most(pool, fresh, later):
    first = fresh()
    for _ in range(2):
        rejection.rejected(first)
    assert services.client().list_courses()  # the replacement works
    second = services.access_token()
    for _ in range(3):
        rejection.rejected(second)
        rest_is_over(pool)
    assert pool.row(1)["uses"] == 2
    later(pool_state.PROBE_SECONDS + 1)
    rejection.rejected(second)
    assert pool.row(1)["access_token"] == ""
    services.access_token()
    assert pool.row(1)["uses"] == 3


def test_pool_that_fresh_tokens_of_two_sets_have_stopped_replaces_none(pool, fresh):
    for number in (1, 2):
        rejection.rejected(fresh(number))
    assert pool_state.read()["stopped"]
    for number in (1, 2):
        rest_is_over(pool, number)
    outside_transaction("oauthtokens_pool").update_one({}, {"$set": {"probe_at": None}})
    rejection.rejected(services.access_token())
    assert pool.refreshes() == 2


def test_set_whose_replacement_works_does_not_count_against_the_client_any_more(pool, fresh):
    lease = fresh(1)
    for _ in range(2):
        rejection.rejected(lease)
    assert services.client().list_courses()
    services.revoke(number=1, actor="maintenance")
    rejection.rejected(fresh(2))
    assert pool_state.read()["stopped"] == ""


def test_new_tokens_of_the_set_leave_nothing_of_the_old_doubt(pool, fresh):
    lease = fresh()
    for _ in range(2):
        rejection.rejected(lease)
    pool.obtain(1)
    row = pool.row(1)
    assert (row["is_replacement"], row["replaced_at"], row["state"]) == (False, None, State.ACTIVE)
