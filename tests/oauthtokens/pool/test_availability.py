"""The moment at which there are tokens again, whoever brought it about."""

import pytest

from coursehub import clock
from coursehub.mongo import outside_transaction
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as pool_document

State = TokenSet.State


@pytest.fixture
def is_newer(pool):
    """`is_newer()`: whether tokens came since it was asked last."""
    seen = [None]

    def ask() -> bool:
        before, seen[0] = seen[0], services.usable_since()
        return seen[0] is not None and seen[0] != before

    return ask


def test_pool_that_never_had_tokens_says_none(pool):
    assert services.usable_since() is None


def test_new_tokens_a_refresh_and_a_released_reserve_are_noticed(pool, is_newer):
    pool.obtain(1)
    assert is_newer()
    assert not is_newer()
    services.refresh_set(1, force=True)
    assert is_newer()
    pool.change(1, state=State.EXHAUSTED, uses=18)
    assert not is_newer()
    services.release_reserve(number=1, actor="maintenance", reason="until Monday")
    assert is_newer()


def test_stopped_pool_has_none_until_it_resumes(pool, is_newer):
    pool.obtain(1)
    is_newer()
    pool_document.stop("Zoho does not accept the client.")
    assert services.usable_since() is None
    pool_document.resume()
    assert is_newer()


@pytest.mark.parametrize(("state", "counts"), [(State.COOLING, True), (State.ACTIVE, True), (State.BROKEN, False)])
def test_end_of_a_rest_counts_from_its_moment(pool, is_newer, state, counts):
    pool.obtain(1)
    is_newer()
    sets = outside_transaction(TokenSet)
    sets.update_one({"number": 1}, [{"$set": {"state": state, "not_before": clock.after(60)}}])
    assert not is_newer()
    sets.update_one({"number": 1}, [{"$set": {"not_before": clock.server_now()}}])
    assert is_newer() is counts


def test_raised_limit_and_a_key_that_is_back_are_noticed(pool, is_newer, settings):
    pool.obtain(1)
    pool.change(1, state=State.EXHAUSTED, uses=18)
    is_newer()
    settings.TOKEN_RETIRE_AT_USES = 20
    services.access_token()
    assert is_newer()
    pool.change(1, state=State.UNDECRYPTABLE)
    services.refresh_due()
    assert is_newer()
