"""How long the pool lasts if nobody regenerates a set, and whether that reaches the next maintenance.

Under continuous use every refresh buys the life of a token less the margin, and the last token of all is
used to its end: access tokens that live already run side by side, so only the longest counts. So n sets
regenerated in one sitting give 60 min + n x uses x (60 min - margin), where tokens live for the 60 min that Zoho
documents; else what they lived in the last week stands in the place of 60 min.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

from django.conf import settings

from coursehub import env
from oauthtokens.forecast import usage
from oauthtokens.forecast.usage import Usage
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials
from oauthtokens.pool.refresh_lease import LEAST_LIFE_SECONDS, LIVE, State, use_limit

HORIZON_DAYS = 28  # what lasts longer counts as lasting
_LEAST_DAYS = 1.0  # measured use that rests on less says nothing
_USABLE = (*LIVE, State.COOLING)


class Hours(TypedDict):
    continuous: float | None
    measured: float | None


class Reaches(TypedDict):
    continuous: bool
    measured: bool | None


class ForecastDocument(TypedDict):
    """What `/oauth/forecast.json` and `token_status --json` add to the list of sets; see `Forecast`."""

    hours_left: Hours
    reaches_next_maintenance: bool
    reaches: Reaches
    hours_left_with_reserve: float | None
    hours_the_margin_costs: float | None
    measured_days: float
    access_life_seconds: int
    seconds_per_use: int
    uses_left: int | None
    next_maintenance_at: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """Hours of service left. None: uses are not limited, or (measured) nothing is known or it lasts for weeks."""

    continuous_hours: float | None
    with_reserve_hours: float | None
    margin_hours: float | None  # what the margin takes away from the continuous hours
    measured_hours: float | None
    observed_days: float
    uses_left: int | None
    next_maintenance: datetime
    hours_to_maintenance: float
    life_seconds: float  # of an access token, as the last week had it
    continuous_reaches: bool
    measured_reaches: bool | None  # None: too few days were seen

    @property
    def reaches(self) -> bool:
        """By the measured use, once a day of it was seen; until then by continuous use."""
        return self.continuous_reaches if self.measured_reaches is None else self.measured_reaches

    def as_document(self) -> ForecastDocument:
        return {
            "hours_left": {"continuous": self.continuous_hours, "measured": self.measured_hours},
            "reaches_next_maintenance": self.reaches,
            "reaches": {"continuous": self.continuous_reaches, "measured": self.measured_reaches},
            "hours_left_with_reserve": self.with_reserve_hours,
            "hours_the_margin_costs": self.margin_hours,
            "measured_days": round(self.observed_days, 1),
            "access_life_seconds": round(self.life_seconds),
            "seconds_per_use": round(seconds_per_use(self.life_seconds)),
            "uses_left": self.uses_left,
            "next_maintenance_at": self.next_maintenance.isoformat(),
        }


def make(sets: Sequence[TokenSet], now: datetime, seen: Usage) -> Forecast:
    """The forecast for these sets at `now`, with the use that was `seen`."""
    life_seconds = seen.life_seconds
    continuous = continuous_hours(sets, now, life_seconds=life_seconds)
    left, maintenance = uses_left(sets), next_maintenance(now)
    serves = client_credentials.is_chosen() or any(one.state in _USABLE for one in sets)
    is_known = seen.observed_days >= _LEAST_DAYS
    measured = measured_hours(sets, now, seen) if is_known else None
    to_maintenance = (maintenance - now).total_seconds() / 3600
    return Forecast(
        continuous_hours=continuous,
        with_reserve_hours=continuous_hours(sets, now, with_reserve=True, life_seconds=life_seconds),
        margin_hours=None if left is None else round(left * settings.TOKEN_REFRESH_MARGIN_SECONDS / 3600, 1),
        measured_hours=measured,
        observed_days=seen.observed_days,
        uses_left=left,
        next_maintenance=maintenance,
        hours_to_maintenance=to_maintenance,
        life_seconds=life_seconds,
        continuous_reaches=serves and (continuous is None or continuous >= to_maintenance),
        measured_reaches=serves and (measured is None or measured >= to_maintenance) if is_known else None,
    )


def uses_left(sets: Sequence[TokenSet], *, with_reserve: bool = False) -> int | None:
    """Refreshes that the usable sets still have; None when uses are not limited."""
    limit = settings.TOKEN_MAX_USES if with_reserve else use_limit()
    if not settings.TOKEN_MAX_USES or limit is None:
        return None
    usable = (*_USABLE, State.EXHAUSTED) if with_reserve else _USABLE
    limits = {True: settings.TOKEN_MAX_USES, False: limit}
    return sum(max(limits[one.reserve_released] - one.uses, 0) for one in sets if one.state in usable)


def seconds_per_use(life_seconds: float = usage.ACCESS_LIFE_SECONDS) -> float:
    """How long one refresh serves under continuous use.

    A token that lives hardly longer than the margin is not refreshed before that is over (`refresh_lease.is_due`).
    """
    margin_seconds = settings.TOKEN_REFRESH_MARGIN_SECONDS
    if life_seconds >= 2 * margin_seconds:
        return life_seconds - margin_seconds
    return max(0.0, min(margin_seconds, life_seconds - LEAST_LIFE_SECONDS))


def continuous_hours(
    sets: Sequence[TokenSet],
    now: datetime,
    *,
    with_reserve: bool = False,
    life_seconds: float = usage.ACCESS_LIFE_SECONDS,
) -> float | None:
    """Hours of service left under continuous use; None when uses are not limited."""
    left = uses_left(sets, with_reserve=with_reserve)
    if left is None:
        return None
    alive_seconds = min(_alive_seconds(sets, now), life_seconds)
    if left:  # a token inside the margin is replaced at once
        alive_seconds = max(alive_seconds, min(settings.TOKEN_REFRESH_MARGIN_SECONDS, life_seconds))
    return round((alive_seconds + left * seconds_per_use(life_seconds)) / 3600, 1)


def measured_hours(sets: Sequence[TokenSet], now: datetime, seen: Usage) -> float | None:
    """Hours left if each hour of the week takes what it took in the week before; None when that is over 4 weeks.

    An hour of the week that was not seen yet takes the mean of those that were.
    """
    if uses_left(sets) is None:
        return None
    *_, (ends, remaining) = projection(sets, now, seen, until=now + timedelta(days=HORIZON_DAYS))
    return None if remaining else round((ends - now).total_seconds() / 3600, 1)


def projection(
    sets: Sequence[TokenSet], now: datetime, seen: Usage, *, until: datetime
) -> Iterator[tuple[datetime, float]]:
    """(moment, uses left then) from `now` on, hour by hour, at the measured use; ends where none is left."""
    rates, mean_rate, remaining = seen.rates(), seen.mean_rate, float(uses_left(sets) or 0)
    yield now, remaining
    running_seconds = max(_alive_seconds(sets, now) - settings.TOKEN_REFRESH_MARGIN_SECONDS, 0)
    begins = now + timedelta(seconds=running_seconds)  # until then nothing has to be refreshed
    for since, ends in usage.hours_between(begins, until):
        rate = rates.get(usage.slot(since), mean_rate)
        taken = rate * (ends - since).total_seconds() / 3600
        if taken >= remaining and rate:
            yield since + timedelta(hours=remaining / rate), 0.0
            return
        remaining -= taken
        yield ends, remaining


def next_maintenance(now: datetime) -> datetime:
    """The next MAINTENANCE_AT after `now`, by the clock on the deployment's wall; in UTC."""
    weekday, at = env.weekday_and_time(settings.MAINTENANCE_AT)
    local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    day = local.date() + timedelta(days=(weekday - local.weekday()) % 7)
    moment = datetime.combine(day, at, local.tzinfo).astimezone(UTC)
    if moment <= now:
        moment = datetime.combine(day + timedelta(days=7), at, local.tzinfo).astimezone(UTC)
    return moment


def _alive_seconds(sets: Sequence[TokenSet], now: datetime) -> float:
    """How long the access token that lives longest still lives."""
    ends = [one.access_expires_at for one in sets if one.access_expires_at and one.state in _USABLE]
    return max(0.0, max(((end - now).total_seconds() for end in ends), default=0.0))
