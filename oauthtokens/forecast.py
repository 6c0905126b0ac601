"""How long the pool lasts if nobody regenerates a set, and whether that reaches the next maintenance."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from oauthtokens.leases import LIVE, State, use_limit
from oauthtokens.models import TokenSet

_ACCESS_LIFE_SECONDS = 3600  # what the provider documents
_MAINTENANCE_WEEKDAY, _MAINTENANCE_HOUR = 0, 9  # Mondays at 9


def continuous_hours(sets: list[TokenSet], now: datetime) -> float | None:
    """Hours of service left under continuous use; None when uses are not limited.

    Every refresh is good for the life of a token less the margin. Access tokens that live already run
    side by side, so only the one that lasts longest counts.
    """
    limit = use_limit()
    if limit is None:
        return None
    usable = [one for one in sets if one.state in (*LIVE, State.COOLING)]
    uses_left = sum(max(limit - one.uses, 0) for one in usable)
    per_use_seconds = _ACCESS_LIFE_SECONDS - settings.TOKEN_REFRESH_MARGIN_SECONDS
    alive_seconds = [(one.access_expires_at - now).total_seconds() for one in usable if one.access_expires_at]
    running_seconds = max(0.0, max(alive_seconds, default=0.0) - settings.TOKEN_REFRESH_MARGIN_SECONDS)
    return round((uses_left * per_use_seconds + running_seconds) / 3600, 1)


def next_maintenance(now: datetime) -> datetime:
    """The next Monday at 9 in the deployment's time zone, after `now`."""
    local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    this_hour = local.replace(hour=_MAINTENANCE_HOUR, minute=0, second=0, microsecond=0)
    monday = this_hour + timedelta(days=(_MAINTENANCE_WEEKDAY - local.weekday()) % 7)
    return monday if monday > local else monday + timedelta(days=7)


def reaches_next_maintenance(sets: list[TokenSet], now: datetime) -> bool:
    """Whether continuous use could go on until then."""
    if not any(one.state in LIVE for one in sets):
        return False
    hours = continuous_hours(sets, now)
    return hours is None or now + timedelta(hours=hours) >= next_maintenance(now)
