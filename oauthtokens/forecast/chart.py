"""The chart of the forecast as plain geometry: uses per day behind us, uses left ahead. Units of the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from oauthtokens.forecast import model
from oauthtokens.forecast.model import Forecast
from oauthtokens.forecast.usage import Usage
from oauthtokens.models import TokenSet

WIDTH, HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 24, 28
_DAYS_BEHIND = 7


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    uses: int
    day: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`measured` and `continuous` are lists of points for a polyline; empty when there is nothing to project."""

    bars: list[Bar]
    ticks: list[tuple[float, int]]
    days: list[tuple[float, str]]
    measured: str
    continuous: str
    now_x: float
    maintenance_x: float
    base_y: float = HEIGHT - _BOTTOM
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    width: int = WIDTH
    height: int = HEIGHT


class _Scale:
    """Moments and uses as coordinates."""

    def __init__(self, since: datetime, until: datetime, most: float) -> None:
        self._since, self._seconds, self._most = since, (until - since).total_seconds(), most

    def x(self, moment: datetime) -> float:
        share = (moment - self._since).total_seconds() / self._seconds
        return round(_LEFT + min(max(share, 0), 1) * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, uses: float) -> float:
        return round(HEIGHT - _BOTTOM - uses / self._most * (HEIGHT - _TOP - _BOTTOM), 1)


def make(sets: Sequence[TokenSet], now: datetime, seen: Usage, made: Forecast) -> Chart:
    """From 7 days ago to a little after the next maintenance."""
    since, until = now - timedelta(days=_DAYS_BEHIND), made.next_maintenance + timedelta(hours=12)
    by_day = seen.by_day()
    most = _round_up(max([made.uses_left or 0, 10, *(uses for _, uses in by_day)]))
    scale = _Scale(since, until, most)
    zone = ZoneInfo(settings.TIME_ZONE)
    midnights = [
        datetime.combine(since.astimezone(zone).date() + timedelta(days=n), time(), zone) for n in range(1, 30)
    ]
    return Chart(
        bars=[_bar(scale, datetime.combine(day, time(), zone), uses, now) for day, uses in by_day if uses],
        ticks=[(scale.y(uses), uses) for uses in (0, most // 2, most)],
        days=[(scale.x(one), f"{one:%a} {one.day}") for one in midnights if one < until - timedelta(hours=12)],
        measured=_points(scale, _measured(sets, now, seen, made, until)),
        continuous=_points(scale, _continuous(now, made, until)),
        now_x=scale.x(now),
        maintenance_x=scale.x(made.next_maintenance),
    )


def _bar(scale: _Scale, begins: datetime, uses: int, now: datetime) -> Bar:
    left, right = scale.x(begins), scale.x(min(begins + timedelta(days=1), now))
    width = max(right - left - 4, 2)
    return Bar(round(left + 2, 1), scale.y(uses), round(width, 1), round(HEIGHT - _BOTTOM - scale.y(uses), 1), uses,
               f"{begins:%A} {begins.day} {begins:%B}")  # fmt: skip


def _measured(
    sets: Sequence[TokenSet], now: datetime, seen: Usage, made: Forecast, until: datetime
) -> list[tuple[datetime, float]]:
    if not made.uses_left or made.measured_reaches is None:
        return []
    return list(model.projection(sets, now, seen, until=until))


def _continuous(now: datetime, made: Forecast, until: datetime) -> list[tuple[datetime, float]]:
    """A straight line to where the last token ends."""
    if not made.uses_left or not made.continuous_hours:
        return []
    ends = now + timedelta(hours=made.continuous_hours)
    if ends <= until:
        return [(now, made.uses_left), (ends, 0)]
    share = (until - now) / (ends - now)
    return [(now, made.uses_left), (until, made.uses_left * (1 - share))]


def _points(scale: _Scale, values: list[tuple[datetime, float]]) -> str:
    return " ".join(f"{scale.x(moment)},{scale.y(uses)}" for moment, uses in values)


def _round_up(most: int) -> int:
    step = 10 if most <= 100 else 20
    return -(-most // step) * step
