"""Simulated weeks of token use, on clocks that CourseHub and the strict sandbox share.

A step at a time; all refreshes are real ones, over HTTP, and a step counts as served only if the API took the token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests

from coursehub.sandbox.process import SandboxProcess

HOUR_SECONDS = 3600
STEP_SECONDS, IDLE_STEP_SECONDS = 300, 3600  # loads begin and end on the hour
_JOB_EVERY = timedelta(minutes=15)  # the worker's ticker comes every 15 s; a week of that would take hours
RESERVE_RELEASE = {True: "automatic", False: "person"}
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
        self.forward_to(self.next_monday())

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
        provider.memory.demand_noted_at = None
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

    def forward_to(self, moment: datetime) -> None:
        self._forward((moment - self.now).total_seconds())
