"""What a batch will cost before anyone confirms: calls, time, token refreshes; and whether the pool lasts."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.dateparse import parse_datetime

from coursehub import clock, rate_limit
from oauthtokens import services as token_services

_AFTER_MAINTENANCE = timedelta(hours=1)  # the sets are regenerated in the maintenance, which takes a while


@dataclass(frozen=True)
class Estimate:
    """`seconds` and `finish_at` by the pace alone: 0 where there is no budget to wait for."""

    calls: int
    seconds: float
    finish_at: datetime
    refreshes: int
    refreshes_left: int | None  # None: uses are not limited
    strands: str  # why the token pool would not last, in one sentence; "" when it does
    start_after: datetime | None  # from when on it would, as far as is known
    without_tokens: str  # why nothing can be sent before somebody acts, in one sentence; "" when it can


def of(calls: int, *, start_at: datetime | None = None) -> Estimate:
    """The cost of `calls` invitations, begun now or at `start_at`."""
    now = clock.now()
    seconds = calls * rate_limit.interval_seconds()
    pool, without_tokens = token_services.status(), token_services.why_none()
    refreshes = math.ceil(seconds / max(pool["seconds_per_use"], 1))
    maintenance = parse_datetime(pool["next_maintenance_at"]) if calls else None
    begins = max(start_at or now, now)
    strands = ""
    if not without_tokens and (maintenance is None or begins < maintenance):
        strands = _strands(pool, (begins - now).total_seconds() + seconds, maintenance, now)
    return Estimate(
        calls, seconds, begins + timedelta(seconds=seconds), refreshes, pool["uses_left"], strands,
        maintenance + _AFTER_MAINTENANCE if strands and maintenance else None, without_tokens,
    )  # fmt: skip


def _strands(
    pool: token_services.PoolStatus, needed_seconds: float, maintenance: datetime | None, now: datetime
) -> str:
    hours_left = pool["hours_left"]["continuous"]
    if hours_left is None or not needed_seconds:
        return ""
    hours = needed_seconds / 3600
    to_maintenance = (maintenance - now).total_seconds() / 3600 if maintenance else math.inf
    if hours_left >= min(hours, to_maintenance):
        return ""
    return (
        f"This takes about {hours:.1f} hours, and the token sets last {hours_left:.1f} hours under continuous use, "
        "which is before the next maintenance: the batch would stop half-way."
    )
