"""Simulated weeks of token use: how long the sets really last, against what the forecast said on Monday at 9.

The clocks of CourseHub and of the strict sandbox are put forward together, a step at a time; all refreshes are real
ones, over HTTP, and a step counts as served only if the API took the token.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench.report import Measure, at_least, at_most
from coursehub.sandbox.process import SandboxProcess
from tests.support.oauthtokens.week import RESERVE_RELEASE, Simulation, continuous, office_hours

_WEEKS_MAX = 4  # the forecast looks no further


def measure() -> list[Measure]:
    """Seven sets of 18 uses with a margin of 5 minutes, and a reserve of 2 uses each; time zone UTC."""
    from tests.support.stage.mongod import own_database

    with own_database(), _strict_sandbox() as sandbox:
        simulation = Simulation(sandbox)
        return [
            *_continuous_week(simulation, with_reserve=False),
            *_continuous_week(simulation, with_reserve=True),
            *_office_hours(simulation),
        ]


def _continuous_week(simulation: Simulation, *, with_reserve: bool) -> list[Measure]:
    from django.conf import settings

    settings.TOKEN_RESERVE_RELEASE = RESERVE_RELEASE[with_reserve]
    name = "continuous_with_reserve" if with_reserve else "continuous"
    status = simulation.regenerate()
    said = status["hours_left_with_reserve"] if with_reserve else status["hours_left"]["continuous"]
    monday = simulation.next_monday()
    week = simulation.run(monday - timedelta(hours=10), continuous)  # until Sunday, 23:00
    night = simulation.run(monday, continuous)
    simulation.regenerate()
    after = simulation.run(simulation.now + timedelta(hours=1), continuous)
    simulation.forward_to(simulation.next_monday())
    how = f"{settings.TOKEN_SET_COUNT} sets regenerated on Monday at 9, a token wanted in every 5 minutes of the week"
    return [
        *_compared(name, week.served_hours + night.served_hours, said, how),
        Measure(f"tokens.week.{name}.ends_after_hours", week.until_hours or 168, "h", f"told then: {week.told}"),
        Measure(f"tokens.week.{name}.sunday_night_hours_served", night.served_hours, "h", "from 23:00 to 9:00"),
        at_least(
            f"tokens.week.{name}.served_after_regeneration", after.served_hours / after.wanted_hours, 1.0, "ratio",
            "share of the first hour after Monday's regeneration",
        ),
    ]  # fmt: skip


def _office_hours(simulation: Simulation) -> list[Measure]:
    """A week that is measured, and then what its forecast comes to."""
    from django.conf import settings

    settings.TOKEN_RESERVE_RELEASE = RESERVE_RELEASE[False]
    simulation.regenerate()
    week = simulation.run(simulation.next_monday(), office_hours)
    said = simulation.regenerate()["hours_left"]["measured"]
    end = simulation.now + timedelta(weeks=_WEEKS_MAX)
    lasted = simulation.run(end, office_hours, stop_when_dry=True)
    how = "a week of Mondays to Fridays 8 to 18 was measured; then the same until a wish for a token is not fulfilled"
    return [
        at_least(
            "tokens.week.office_hours.served_ratio", week.served_hours / week.wanted_hours, 1.0, "ratio",
            f"of the {week.wanted_hours:.1f} hours in a week in which somebody wanted tokens, Monday morning included",
        ),
        *_compared("office_hours", lasted.until_hours or 24 * 7 * _WEEKS_MAX, said, how),
    ]  # fmt: skip


def _compared(name: str, hours: float, said_hours: float, how: str) -> list[Measure]:
    error = abs(hours - said_hours) / said_hours
    return [
        Measure(f"tokens.week.{name}.hours_served", round(hours, 2), "h", how),
        Measure(f"tokens.week.{name}.forecast_hours", said_hours, "h", "what CourseHub said at the beginning"),
        at_most(f"tokens.week.{name}.error_ratio", round(error, 4), 0.10, "ratio", "difference of the two"),
    ]


@contextmanager
def _strict_sandbox() -> Iterator[SandboxProcess]:
    from django.conf import settings

    strict = {"max_uses_per_refresh_token": settings.TOKEN_MAX_USES, "calls_per_minute": 0, "progress_speed": 0.0}
    with (
        tempfile.TemporaryDirectory(prefix="bench-week-") as folder,
        SandboxProcess(Path(folder) / "sandbox.sqlite3", **strict) as sandbox,
    ):
        sandbox.reset(learners_per_course=0)
        settings.ZOHO_ACCOUNTS_URL = settings.TRAINERCENTRAL_URL = sandbox.url
        yield sandbox
