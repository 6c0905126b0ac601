"""Exchange, store, switch, revoke the old one; and that it may end between any two of these."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from coursehub import audit, clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import ZohoAccounts, errors
from oauthtokens import revocation, services
from oauthtokens.models import Sitting, TokenSet
from oauthtokens.pool import refresh, refresh_lease, selection
from oauthtokens.regeneration import consents, exchange, provider_limit, sessions

State = TokenSet.State
MONDAY, TUESDAY = datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)


def live(pool) -> int:
    """Refresh tokens that live at the provider."""
    return len(pool.sandbox.state()["tokens"])


class Died(BaseException):
    """The process ended here."""


def die(*args, **kwargs):
    raise Died


@pytest.mark.parametrize(
    ("where", "name", "stored"),
    [
        (ZohoAccounts, "exchange_code", False),  # before the exchange
        (exchange, "store_grant", False),  # between exchange and storing
        (revocation, "keep", False),
        (audit, "record", True),  # stored, and nobody told
        (selection, "select", True),  # not switched
        (revocation, "settle", True),  # the old token not revoked
    ],
)
def test_dying_between_two_steps_loses_nothing_that_matters(pool, monkeypatch, where, name, stored):
    pool.obtain(1)
    before = pool.row(1)
    code = pool.sandbox.self_client_code(services.SCOPE)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, die)
        with pytest.raises(Died):
            services.exchange_code(number=1, code=code, actor="maintenance")
    assert pool.row(1)["generation"] == (2 if stored else 1)
    if not stored:
        assert pool.row(1) == before
    # Whatever was left half done: calls go on, and the next attempt puts all right.
    assert services.client().list_courses()
    pool.obtain(1)
    services.refresh_due()
    assert services.client().list_courses()
    assert revocation.pending_count() == 0
    assert provider_limit.taken() == 1  # a token that was lost is the oldest by now: the provider deletes it first
    assert live(pool) <= 2


def test_dying_after_the_token_was_made_counts_its_place(pool, monkeypatch):
    pool.obtain(1)
    with monkeypatch.context() as patch:
        patch.setattr(exchange, "store_grant", die)
        with pytest.raises(Died):
            pool.obtain(1)
    assert provider_limit.taken() == live(pool) == 2


def test_two_people_at_once_leave_one_set_of_tokens(pool):
    pool.obtain(1)
    codes = [pool.sandbox.self_client_code(services.SCOPE) for _ in range(4)]

    def regenerate(code: str) -> None:
        services.exchange_code(number=1, code=code, actor="maintenance")
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(regenerate, codes))
    services.refresh_due()
    assert (pool.row(1)["generation"], live(pool), provider_limit.taken()) == (5, 1, 1)
    assert services.client().list_courses()


@pytest.mark.parametrize("code", ["", "1000.a b", "1000.\n", "ä", "1" * 3000])
def test_what_cannot_be_a_code_is_not_sent(pool, code):
    with pytest.raises(errors.InvalidCode):
        services.exchange_code(number=1, code=code, actor="maintenance")
    assert pool.sandbox.counters()["by_endpoint"].get("POST oauth/v2/token", 0) == 0


def test_the_old_token_is_revoked_last_while_there_is_room(pool, monkeypatch):
    pool.obtain(1)
    seen = []
    exchange = ZohoAccounts.exchange_code
    monkeypatch.setattr(
        ZohoAccounts, "exchange_code", lambda *args: seen.append(pool.row(1)["state"]) or exchange(*args)
    )
    pool.obtain(1)
    assert seen == [State.ACTIVE]
    assert live(pool) == 1


def test_the_old_token_is_revoked_first_when_19_would_live(pool, settings):
    settings.TOKEN_SET_COUNT = 18
    pool.obtain(*range(1, 19))
    assert (live(pool), provider_limit.taken()) == (18, 18)
    assert pool.actions().count("token_set.revoked") == 0
    pool.obtain(5)
    assert (live(pool), pool.row(5)["generation"], pool.row(5)["state"]) == (18, 2, State.READY)
    actions = pool.actions()
    assert actions.index("token_set.revoked") < len(actions) - 1 - actions[::-1].index("token_set.regenerated")


def test_a_regenerated_set_keeps_number_and_history_and_counts_anew(pool):
    pool.obtain(1)
    pool.change(1, uses=18, state=State.EXHAUSTED, reason="Used 18 times.", reserve_generation=1)
    pool.obtain(1)
    one = TokenSet.objects.get(number=1)
    assert (one.uses, one.generation, one.reason, one.reserve_released) == (0, 2, "", False)
    assert one.state in (State.READY, State.ACTIVE)
    assert pool.actions().count("token_set.regenerated") == 2


def test_a_code_that_is_refused_leaves_the_set_and_no_trace(pool):
    pool.obtain(1)
    before = pool.row(1)
    with pytest.raises(errors.InvalidCode):
        services.exchange_code(number=1, code="1000.wrong", actor="maintenance")
    assert pool.row(1) == before
    assert provider_limit.taken() == 1


@pytest.mark.parametrize("state", ["empty", "exhausted", "retiring", "broken", "revoked"])
def test_what_has_no_future_is_due_on_any_day(state):
    assert exchange.is_needed(TokenSet(number=1, state=state), TUESDAY)


def test_on_a_monday_every_set_that_was_used_is_due(settings):
    used, fresh = TokenSet(number=1, state=State.ACTIVE, uses=1), TokenSet(number=2, state=State.READY)
    assert exchange.needed([used, fresh], MONDAY) == [1]
    assert exchange.needed([used, fresh], TUESDAY) == []
    settings.MAINTENANCE_AT = "tue 09:00"
    assert exchange.needed([used, fresh], TUESDAY) == [1]
    settings.TOKEN_MAX_USES = 0
    assert exchange.needed([used, fresh], TUESDAY) == []


def test_a_set_that_cannot_be_decrypted_is_not_given_up_by_itself():
    assert not exchange.is_needed(TokenSet(number=1, state=State.UNDECRYPTABLE, uses=3), MONDAY)


# --- Consents -----------------------------------------------------------------------------------


def test_a_consent_is_taken_once_by_who_began_it(pool):
    consent = consents.begin(number=3, user_id=7)
    with pytest.raises(consents.Unusable, match="somebody else"):
        consents.take(state=consent.state, user_id=8)
    assert consents.take(state=consent.state, user_id=7) == consent
    with pytest.raises(consents.Unusable, match="used before"):
        consents.take(state=consent.state, user_id=7)


def test_a_consent_ends_after_ten_minutes_and_a_made_up_one_never_was(pool):
    consent = consents.begin(number=3, user_id=7)
    clock.simulate(ahead_seconds=601)
    with pytest.raises(consents.Unusable, match="longer than 10 minutes"):
        consents.take(state=consent.state, user_id=7)
    clock.end_simulation()
    with pytest.raises(consents.Unusable, match="not begun here"):
        consents.take(state="made-up \ud800", user_id=7)


def test_consents_are_paced(pool):
    consents.begin(number=1, user_id=7)
    with pytest.raises(consents.TooSoon) as too_soon:
        consents.begin(number=2, user_id=8)
    assert 10 < too_soon.value.wait_seconds <= 15
    clock.simulate(ahead_seconds=15)
    assert consents.seconds_to_wait() == 0
    consents.begin(number=2, user_id=8)
    clock.end_simulation()


def test_nothing_stored_of_a_consent_is_its_secret(pool):
    consent = consents.begin(number=1, user_id=7)
    stored = str(list(outside_transaction(consents.TABLE).find()))
    assert consent.state not in stored
    assert consent.code_verifier not in stored
    assert consent.state not in repr(consent)
    assert consent.code_verifier not in repr(consent)


# --- Sittings -----------------------------------------------------------------------------------


def test_a_sitting_goes_set_by_set_and_ends_with_a_record(pool, settings):
    settings.TOKEN_SET_COUNT = 3
    sitting = sessions.start(actor="maria")
    assert [(step.number, step.outcome) for step in sessions.steps(sitting)] == [
        (1, "next"), (2, "waiting"), (3, "waiting"),
    ]  # fmt: skip
    pool.obtain(1)
    sessions.skip(number=2, actor="maria")
    assert sessions.start(actor="jo") == sitting  # interrupted, and taken up by somebody else
    steps = sessions.steps(sessions.current())
    assert [step.outcome for step in steps] == ["done", "skipped", "next"]
    record = sessions.sign_off(pk=sitting.pk, actor="jo", remarks=" Set 2 belongs to the old account. ")
    assert record.result == [
        {"number": 1, "outcome": "regenerated"}, {"number": 2, "outcome": "skipped"}, {"number": 3, "outcome": "left"},
    ]  # fmt: skip
    assert (record.started_by, record.signed_off_by) == ("maria", "jo")
    assert record.remarks == "Set 2 belongs to the old account."
    assert pool.actions()[-1] == "token_sitting.signed_off"
    assert sessions.current() is None


def test_a_sitting_is_signed_off_once_and_one_is_open_at_a_time(pool):
    sitting = sessions.start(actor="maria")
    with pytest.raises(sessions.IntegrityError):
        Sitting.objects.create(started_by="jo", started_at=sitting.started_at)
    sessions.sign_off(pk=sitting.pk, actor="maria", remarks="")
    with pytest.raises(ValueError, match="signed off before"):
        sessions.sign_off(pk=sitting.pk, actor="maria", remarks="")
    with pytest.raises(ValueError, match="not waiting"):
        sessions.skip(number=1, actor="maria")
    assert sessions.start(actor="jo").pk != sitting.pk


def test_nothing_due_is_said(pool, settings):
    settings.TOKEN_SET_COUNT = 1
    settings.MAINTENANCE_AT = "sun 09:00" if datetime.now(UTC).weekday() != 6 else "mon 09:00"
    pool.obtain(1)
    with pytest.raises(ValueError, match="No token set needs"):
        sessions.start(actor="maria")


def test_the_lease_of_the_old_generation_is_lost(pool):
    pool.obtain(1)
    hanging = refresh_lease.win(1, force=True)
    pool.obtain(1)
    assert refresh.refresh(1, force=True) is services.Outcome.REFRESHED
    assert not refresh_lease.write_grant(hanging, exchange.TokenGrant("1000.late", "", 3600))
