"""The arithmetic of the forecast."""

from datetime import UTC, datetime, timedelta

import pytest

from oauthtokens import forecast
from oauthtokens.models import TokenSet

MONDAY_AT_9 = datetime(2026, 11, 23, 9, tzinfo=UTC)


def regenerated_sets(count: int, at: datetime) -> list[TokenSet]:
    alive_until = at + timedelta(hours=1)
    return [TokenSet(number=n, state=TokenSet.State.READY, access_expires_at=alive_until) for n in range(1, count + 1)]


@pytest.mark.parametrize(("retire_at", "hours"), [(18, 116.4), (20, 129.2)])
def test_seven_sets_of_one_sitting_do_not_last_a_week_of_continuous_use(settings, retire_at, hours):
    settings.TOKEN_RETIRE_AT_USES = retire_at
    sets = regenerated_sets(7, MONDAY_AT_9)
    assert forecast.continuous_hours(sets, MONDAY_AT_9) == pytest.approx(hours, abs=0.1)
    assert not forecast.reaches_next_maintenance(sets, MONDAY_AT_9)
    assert forecast.reaches_next_maintenance(sets, MONDAY_AT_9 + timedelta(days=5))


def test_sets_that_cannot_be_used_do_not_count():
    sets = regenerated_sets(2, MONDAY_AT_9)
    sets[0].state = TokenSet.State.BROKEN
    sets[1].uses = 18
    assert forecast.continuous_hours(sets, MONDAY_AT_9 + timedelta(hours=2)) == 0


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MONDAY_AT_9 - timedelta(seconds=1), MONDAY_AT_9),
        (MONDAY_AT_9, MONDAY_AT_9 + timedelta(days=7)),
        (MONDAY_AT_9 + timedelta(days=6, hours=23), MONDAY_AT_9 + timedelta(days=7)),
    ],
)
def test_maintenance_is_on_mondays_at_9(now, expected):
    assert forecast.next_maintenance(now) == expected


def test_maintenance_is_at_9_by_the_clock_on_the_wall(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    before_the_clocks_change = datetime(2026, 10, 22, 12, tzinfo=UTC)
    assert forecast.next_maintenance(before_the_clocks_change) == datetime(2026, 10, 26, 8, tzinfo=UTC)
