"""How long the sets last on a fast clock, against the forecast; whole weeks are `make bench ONLY=token_week`."""

from datetime import datetime, timedelta

import pytest

from coursehub import clock
from oauthtokens.pool import provider
from tests.support.oauthtokens.week import RESERVE_RELEASE, Simulation, continuous, office_hours


@pytest.fixture
def simulation(database, sandbox, settings):
    """Two sets of 5 uses and 1 in reserve, regenerated on a Monday at 9."""
    settings.DEMO = True
    settings.TOKEN_SET_COUNT, settings.TOKEN_RETIRE_AT_USES, settings.TOKEN_MAX_USES = 2, 5, 6
    sandbox.reset(learners_per_course=0)
    sandbox.switch(max_uses_per_refresh_token=6, mints_per_10_minutes=0, calls_per_minute=0, progress_speed=0.0)
    provider.memory.clear()
    yield Simulation(sandbox)
    clock.end_simulation()


def lasted_hours(simulation: Simulation, load) -> float:
    end = simulation.now + timedelta(weeks=3)
    return simulation.run(end, load, stop_when_dry=True).until_hours


@pytest.mark.parametrize("with_reserve", [False, True])
def test_continuous_use_lasts_as_long_as_the_forecast_says(simulation, settings, with_reserve):
    settings.TOKEN_RESERVE_RELEASE = RESERVE_RELEASE[with_reserve]
    status = simulation.regenerate()
    said = status["hours_left_with_reserve"] if with_reserve else status["hours_left"]["continuous"]
    assert lasted_hours(simulation, continuous) == pytest.approx(said, rel=0.10)
    assert max(simulation.sandbox.counters()["refreshes"].values()) == (6 if with_reserve else 5)


def mornings(moment: datetime) -> bool:
    return office_hours(moment) and moment.hour < 10


def test_measured_use_lasts_as_long_as_the_forecast_says(simulation, settings):
    settings.TOKEN_RETIRE_AT_USES, settings.TOKEN_MAX_USES = 10, 12
    simulation.sandbox.switch(max_uses_per_refresh_token=12)
    simulation.regenerate()
    week = simulation.run(simulation.next_monday(), mornings)
    assert week.served_hours == week.wanted_hours == pytest.approx(10, abs=0.5)
    said = simulation.regenerate()["hours_left"]["measured"]
    assert said > 24 * 7
    assert lasted_hours(simulation, mornings) == pytest.approx(said, rel=0.10)
