"""Simulated weeks of token use: how long the sets really last, against what the forecast said on Monday at 9.

The clocks of CourseHub and of the strict sandbox are put forward together, a step at a time; all refreshes are real
ones, over HTTP, and a step counts as served only if the API took the token.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import requests

from bench.report import Measure, at_least, at_most
from coursehub.sandbox.process import SandboxProcess

HOUR_SECONDS = 3600
STEP_SECONDS, IDLE_STEP_SECONDS = 300, 3600  # loads begin and end on the hour
_JOB_EVERY = timedelta(minutes=15)  # the worker's ticker comes every 15 s; a week of that would take hours
RESERVE_RELEASE = {True: "automatic", False: "person"}
_WEEKS_MAX = 4  # the forecast looks no further
Load = Callable[[datetime], bool]


def continuous(moment: datetime) -> bool:
    """Somebody needs a token all the time."""
    return True


def office_hours(moment: datetime) -> bool:
    """Mondays to Fridays, from 8 to 18."""
    return moment.weekday() < 5 and 8 <= moment.hour < 18


@dataclass
class Lasted:
    """What a load got: hours served, hours until the first step that was not, and what callers were told then."""

    served_hours: float = 0.0
    wanted_hours: float = 0.0
    until_hours: float | None = None  # None: all was served
    told: str = ""


class Simulation:
    """A pool of sets and the strict sandbox, on clocks that go together."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        from coursehub import clock

        self.sandbox, self._clock = sandbox, clock
        self._until_exactly(self.next_monday())

    @property
    def now(self) -> datetime:
        """What both clocks show."""
        return self._clock.now()

    def next_monday(self) -> datetime:
        """The next Monday at 9, which is when the sets are regenerated."""
        from oauthtokens.forecast import model

        return model.next_maintenance(self.now)

    def regenerate(self) -> dict:
        """What the maintenance team does on Mondays, all sets in one sitting; returns the pool's status."""
        from django.conf import settings

        from oauthtokens import services

        for number in range(1, settings.TOKEN_SET_COUNT + 1):
            code = self.sandbox.self_client_code(services.SCOPE)
            services.exchange_code(number=number, code=code, actor="maintenance")
        return services.status()

    def run(self, until: datetime, load: Load, *, stop_when_dry: bool = False) -> Lasted:
        """Live through the time until then, or until a wish for a token is not fulfilled."""
        from oauthtokens import services

        lasted, began, job_at = Lasted(), self.now, self.now
        while (now := self.now) < until:
            if now >= job_at:
                services.refresh_due()
                job_at = now + _JOB_EVERY
            wanted = load(now)
            seconds = min(STEP_SECONDS if wanted else IDLE_STEP_SECONDS, (until - now).total_seconds())
            if wanted:
                lasted.wanted_hours += seconds / HOUR_SECONDS
                told = self._serve()
                if not told:
                    lasted.served_hours += seconds / HOUR_SECONDS
                elif lasted.until_hours is None:
                    lasted.until_hours, lasted.told = (now - began).total_seconds() / HOUR_SECONDS, told
                    if stop_when_dry:
                        break
            self._forward(seconds)
        return lasted

    def _serve(self) -> str:
        """Get a token and call the API with it: '' if that worked, or what the caller is told."""
        from django.conf import settings

        from coursehub.trainercentral.errors import TokenUnavailable
        from oauthtokens import services
        from oauthtokens.pool import provider

        # Minutes have gone by since it was noted last, though not on this process' own clock.
        provider._Memory.demand_noted_at = None
        try:
            token = services.access_token().token
        except TokenUnavailable as error:
            return error.sentence
        answer = requests.get(
            f"{settings.TRAINERCENTRAL_URL}/api/v4/org/portals.json",
            headers={"Authorization": f"Zoho-oauthtoken {token}"},
            timeout=10,
        )
        return "" if answer.status_code == requests.codes.ok else f"HTTP {answer.status_code}"

    def _forward(self, seconds: float) -> None:
        self._clock.simulate(ahead_seconds=seconds)
        self.sandbox.advance(seconds)

    def _until_exactly(self, moment: datetime) -> None:
        self._forward((moment - self.now).total_seconds())


def measure() -> list[Measure]:
    """Seven sets of 18 uses with a margin of 5 minutes, and a reserve of 2 uses each; time zone UTC."""
    from bench.soak.own_database import own_database

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
    simulation._until_exactly(simulation.next_monday())
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
