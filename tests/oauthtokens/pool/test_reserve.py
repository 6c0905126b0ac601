"""The last uses of a set are spent only after a release: by a person, with a reason, or by the pool itself."""

import pytest

from coursehub.models import AuditEvent
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import selection

State = TokenSet.State


def released() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="token_set.reserve_released").order_by("seq"))


def use_up(pool, *numbers: int, uses: int = 18) -> None:
    for number in numbers:
        pool.change(number, uses=uses, access_expires_at=None)


def test_person_releases_the_two_uses_with_a_reason_and_no_more(pool):
    pool.sandbox.switch(max_uses_per_refresh_token=20)
    pool.obtain(1)
    for _ in range(18):
        pool.expire(1)
        services.access_token()
    pool.expire(1)
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert "2 uses are kept in reserve" in pool.row(1)["reason"]

    services.release_reserve(number=1, actor="maintenance", reason="A course begins tonight.")
    for _ in range(2):
        pool.expire(1)
        services.access_token()
    assert (pool.row(1)["uses"], pool.row(1)["state"], pool.refreshes()) == (20, State.RETIRING, 20)
    pool.expire(1)
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert (pool.row(1)["state"], pool.row(1)["reason"]) == (State.EXHAUSTED, "Used 20 times, which is all.")
    (event,) = released()
    assert (event.actor, event.target) == ("maintenance", "token set 1")
    assert event.detail == {"reason": "A course begins tonight.", "uses": 18}


def test_release_ends_with_the_generation(pool):
    pool.obtain(1)
    use_up(pool, 1)
    services.release_reserve(number=1, actor="maintenance", reason="urgent")
    assert TokenSet.objects.get(number=1).reserve_released
    pool.obtain(1)
    assert not TokenSet.objects.get(number=1).reserve_released
    use_up(pool, 1)
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert pool.row(1)["state"] == State.EXHAUSTED


@pytest.mark.parametrize(
    ("number", "reason", "sentence"),
    [(1, "  ", "needs a reason"), (2, "urgent", "no reserve that could"), (8, "urgent", "token sets 1 to 7")],
)
def test_release_that_makes_no_sense_is_one_sentence(pool, number, reason, sentence):
    pool.obtain(1)
    with pytest.raises(ValueError, match=sentence):
        services.release_reserve(number=number, actor="maintenance", reason=reason)
    assert released() == []


def test_release_twice_is_audited_once(pool):
    pool.obtain(1)
    services.release_reserve(number=1, actor="maintenance", reason="urgent")
    with pytest.raises(ValueError, match="no reserve"):
        services.release_reserve(number=1, actor="admin", reason="urgent")
    assert len(released()) == 1


def test_without_a_limit_there_is_no_reserve(pool, settings):
    settings.TOKEN_MAX_USES = 0
    pool.obtain(1)
    with pytest.raises(ValueError, match="have no reserve"):
        services.release_reserve(number=1, actor="maintenance", reason="urgent")


def test_pool_releases_by_itself_only_when_no_other_set_is_ready(pool, settings):
    settings.TOKEN_RESERVE_RELEASE = "automatic"
    pool.obtain(1, 2)
    use_up(pool, 1)
    assert services.access_token().key[0] == 2
    assert released() == []
    use_up(pool, 2)
    assert services.access_token().key[0] == 2  # the active one first
    assert pool.row(2)["uses"] == 19
    use_up(pool, 2, uses=20)
    assert services.access_token().key[0] == 1
    use_up(pool, 1, uses=20)
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert [(event.actor, event.target) for event in released()] == [
        ("system", "token set 2"),
        ("system", "token set 1"),
    ]


def test_by_default_the_pool_releases_nothing_by_itself(pool):
    pool.obtain(1)
    use_up(pool, 1)
    with pytest.raises(TokenUnavailable):
        selection.select()
    assert released() == []


def test_forecast_counts_a_released_reserve(pool):
    pool.obtain(1)
    before = services.status()["uses_left"]
    services.release_reserve(number=1, actor="maintenance", reason="urgent")
    after = services.status()
    assert (after["uses_left"] - before, after["sets"][0]["reserve_released"]) == (2, True)
