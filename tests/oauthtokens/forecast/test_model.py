"""The arithmetic of the forecast, under continuous and under measured use."""

from datetime import UTC, datetime, timedelta

import pytest

from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from oauthtokens import services
from oauthtokens.forecast import model, usage
from oauthtokens.forecast.usage import Usage
from oauthtokens.models import TokenSet
from oauthtokens.pool import rejection

MONDAY_AT_9 = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOTHING_SEEN = Usage(MONDAY_AT_9, MONDAY_AT_9, {})
HOUR = timedelta(hours=1)


def regenerated_sets(count: int, at: datetime) -> list[TokenSet]:
    return [TokenSet(number=n, state=TokenSet.State.READY, access_expires_at=at + HOUR) for n in range(1, count + 1)]


def seen_in_a_week(now: datetime, uses_at: dict[int, int]) -> Usage:
    """`uses_at`: hours before `now` -> uses in that hour."""
    since = now - timedelta(days=7)
    return Usage(since, now, {now - hours * HOUR: uses for hours, uses in uses_at.items()})


def test_seven_sets_of_one_sitting_do_not_last_a_week_of_continuous_use():
    sets = regenerated_sets(7, MONDAY_AT_9)
    made = model.make(sets, MONDAY_AT_9, NOTHING_SEEN)
    assert (made.continuous_hours, made.with_reserve_hours, made.margin_hours) == (116.5, 129.3, 10.5)
    assert made.hours_to_maintenance == 168
    assert (made.continuous_reaches, made.measured_reaches, made.reaches) == (False, None, False)
    later = model.make(regenerated_sets(7, MONDAY_AT_9), MONDAY_AT_9 + timedelta(days=5), NOTHING_SEEN)
    assert later.continuous_reaches


def test_sets_that_cannot_be_used_do_not_count():
    sets = regenerated_sets(2, MONDAY_AT_9)
    sets[0].state = TokenSet.State.BROKEN
    sets[1].uses = 18
    assert model.continuous_hours(sets, MONDAY_AT_9 + timedelta(hours=2)) == 0
    assert not model.make([], MONDAY_AT_9, NOTHING_SEEN).reaches


def test_the_last_token_is_used_to_its_end_and_one_inside_the_margin_is_replaced_at_once():
    last, near_its_end = regenerated_sets(2, MONDAY_AT_9)
    last.uses, near_its_end.uses = 18, 17
    last.access_expires_at = MONDAY_AT_9 + timedelta(minutes=30)
    assert model.continuous_hours([last], MONDAY_AT_9) == 0.5
    near_its_end.access_expires_at = MONDAY_AT_9 + timedelta(minutes=2)
    assert model.continuous_hours([near_its_end], MONDAY_AT_9) == 1.0


def test_without_a_limit_everything_lasts(settings):
    settings.TOKEN_MAX_USES = 0
    made = model.make(regenerated_sets(1, MONDAY_AT_9), MONDAY_AT_9, NOTHING_SEEN)
    assert (made.continuous_hours, made.with_reserve_hours, made.margin_hours, made.uses_left) == (None,) * 4
    assert made.reaches


def test_office_hours_of_last_week_are_what_the_next_week_takes():
    """9 to 17 on weekdays takes 8 uses a day and 40 a week: 126 uses are gone after 3 weeks and 6 hours of office."""
    office = {168 - (24 * day + hour): 1 for day in range(5) for hour in range(8)}
    made = model.make(regenerated_sets(7, MONDAY_AT_9), MONDAY_AT_9, seen_in_a_week(MONDAY_AT_9, office))
    # The tokens of the regeneration carry the first 55 minutes of the first day.
    assert made.measured_hours == pytest.approx(3 * 168 + 6 + 55 / 60, abs=0.1)
    assert (made.measured_reaches, made.continuous_reaches, made.reaches) == (True, False, True)


def test_heavy_use_does_not_reach_monday_and_that_is_said():
    all_day = dict.fromkeys(range(1, 169), 2)
    made = model.make(regenerated_sets(7, MONDAY_AT_9), MONDAY_AT_9, seen_in_a_week(MONDAY_AT_9, all_day))
    assert made.measured_hours == pytest.approx(126 / 2 + 55 / 60, abs=0.1)
    assert not made.reaches


def test_hours_of_the_week_that_were_not_seen_take_the_mean():
    two_days = Usage(MONDAY_AT_9 - timedelta(days=2), MONDAY_AT_9, {MONDAY_AT_9 - 30 * HOUR: 48})
    made = model.make(regenerated_sets(7, MONDAY_AT_9), MONDAY_AT_9, two_days)
    # 1 an hour from Monday 9:55 to Saturday 9:00; then Saturday and Sunday as they were.
    assert made.measured_hours == pytest.approx(5 * 24 + (126 - (5 * 24 - 55 / 60)) / 48 + 18, abs=1)
    assert made.observed_days == 2


def test_less_than_a_day_says_nothing():
    few_hours = Usage(MONDAY_AT_9 - 5 * HOUR, MONDAY_AT_9, {MONDAY_AT_9 - HOUR: 40})
    made = model.make(regenerated_sets(7, MONDAY_AT_9), MONDAY_AT_9, few_hours)
    assert (made.measured_hours, made.measured_reaches) == (None, None)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MONDAY_AT_9 - timedelta(seconds=1), MONDAY_AT_9),
        (MONDAY_AT_9, MONDAY_AT_9 + timedelta(days=7)),
        (MONDAY_AT_9 + timedelta(days=6, hours=23), MONDAY_AT_9 + timedelta(days=7)),
    ],
)
def test_maintenance_is_on_mondays_at_9(now, expected):
    assert model.next_maintenance(now) == expected


def test_maintenance_is_when_the_settings_say(settings):
    settings.MAINTENANCE_AT = "thu 16:30"
    assert model.next_maintenance(MONDAY_AT_9) == datetime(2026, 11, 26, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 22, 12, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC)),  # winter time began between
        (datetime(2026, 3, 26, 12, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC)),  # summer time began between
    ],
)
def test_maintenance_is_at_9_by_the_clock_on_the_wall(settings, now, expected):
    settings.TIME_ZONE = "Europe/Berlin"
    assert model.next_maintenance(now) == expected


@pytest.fixture
def happened(database):
    """`happened(action, at, **detail)`: an event of the audit trail."""
    events = outside_transaction(AuditEvent)

    def record(action: str, at: datetime, **detail) -> None:
        seq = events.count_documents({}) + 1
        common = {"actor": "system", "target": "token set 1", "previous_hash": "", "hash": ""}
        events.insert_one({"id": seq, "seq": seq, "at": at, "action": action, "detail": detail, **common})

    return record


def test_uses_are_read_from_the_audit_trail(happened, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    now = MONDAY_AT_9 + timedelta(minutes=30)
    happened("token_set.regenerated", now - timedelta(days=30))
    happened("token_set.refreshed", now - timedelta(days=8))
    happened("token_set.refreshed", now - timedelta(minutes=20), counted=True)
    happened("token_set.refreshed", now - timedelta(minutes=10), counted=True)
    happened("token_set.refresh_failed", now - timedelta(days=1), counted=True)
    happened("token_set.refresh_failed", now - timedelta(days=1), counted=False)
    seen = usage.read(now)
    assert (seen.total, seen.observed_days) == (3, 7)
    assert seen.hours == {MONDAY_AT_9: 2, MONDAY_AT_9 - 24 * HOUR: 1}
    assert [uses for _, uses in seen.by_day()] == [0, 0, 0, 0, 0, 0, 1, 2]
    assert seen.rates()[0, 10] == 2  # Monday, 10 to 11 in Berlin
    assert seen.rates()[6, 10] == 1
    assert sum(seen.rates().values()) == 3


def test_a_young_pool_has_seen_little(happened):
    assert usage.read(MONDAY_AT_9).observed_days == 0
    happened("token_set.regenerated", MONDAY_AT_9 - timedelta(days=2))
    assert usage.read(MONDAY_AT_9).observed_days == 2


def test_forecast_goes_by_how_long_tokens_lived(pool):
    pool.sandbox.switch(access_token_seconds=1800)
    pool.obtain(1)
    services.refresh_set(1, force=True)
    status = services.status()
    assert (status["access_life_seconds"], status["seconds_per_use"]) == (1800, 1500)
    assert status["hours_left"]["continuous"] == pytest.approx((1800 + 17 * 1500) / 3600, abs=0.1)


def test_what_was_lost_of_a_token_that_was_ended_early_shortens_the_forecast(pool):
    pool.obtain(1)
    pool.change(1, last_refreshed_at=None)
    rejection.rejected(services.access_token())  # an hour lost of one of two
    services.access_token()
    assert services.status()["access_life_seconds"] == pytest.approx(1800, abs=20)


def test_seconds_per_use_of_tokens_as_short_as_the_margin():
    assert [model.seconds_per_use(life) for life in (3600, 500, 120, 20)] == [3300, 300, 90, 0]
