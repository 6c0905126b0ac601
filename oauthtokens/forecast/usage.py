"""What the pool really used: refreshes that counted, by hour of the week, and how long access tokens lived.

Both are read from the audit trail: each new token's event says what life Zoho gave it (`life_seconds`), and the event
of one that was not accepted any more how much of that was lost (`lost_seconds`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from pymongo.collection import Collection

from coursehub.audit import Action
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

DAYS = 7
ACCESS_LIFE_SECONDS = 3600  # what the provider documents
_COUNTED: dict[str, Any] = {
    "$or": [
        {"action": Action.TOKEN_SET_REFRESHED},
        {"action": Action.TOKEN_SET_REFRESH_FAILED, "detail.counted": True},
    ]
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Uses of the last 7 days. `hours` maps the beginning of a local hour to the uses in it."""

    since: datetime  # when looking began: 7 days ago, or when the first set was made
    until: datetime
    hours: dict[datetime, int]
    life_seconds: float = ACCESS_LIFE_SECONDS  # of an access token, on the mean: as given, less what was lost of it

    @property
    def observed_days(self) -> float:
        """How many days the figures rest on, 0 to 7."""
        return (self.until - self.since).total_seconds() / 86_400

    @property
    def total(self) -> int:
        return sum(self.hours.values())

    def by_day(self) -> list[tuple[date, int]]:
        """Each local day that was looked at, oldest first, with its uses."""
        day, last = _local(self.since).date(), _local(self.until).date()
        uses: dict[date, int] = {}
        while day <= last:
            uses[day], day = 0, day + timedelta(days=1)
        for hour, count in self.hours.items():
            uses[_local(hour).date()] += count
        return list(uses.items())

    def rates(self) -> dict[tuple[int, int], float]:
        """(weekday, hour) -> uses per hour then, for the hours of the week that were looked at."""
        uses: dict[tuple[int, int], float] = {}
        for hour, count in self.hours.items():
            uses[slot(hour)] = uses.get(slot(hour), 0) + count
        covered: dict[tuple[int, int], float] = {}
        for begins, ends in hours_between(self.since, self.until):
            covered[slot(begins)] = covered.get(slot(begins), 0) + (ends - begins).total_seconds() / 3600
        return {one: uses.get(one, 0) / hours for one, hours in covered.items()}

    @property
    def mean_rate(self) -> float:
        """Uses per hour over all that was looked at."""
        return self.total / (self.observed_days * 24) if self.observed_days else 0.0


def read(now: datetime) -> Usage:
    """The uses of the 7 days before `now`; three round trips."""
    events = outside_transaction(AuditEvent)
    first = events.find_one({"action": Action.TOKEN_SET_REGENERATED}, ["at"], sort=[("at", 1)])
    since = now - timedelta(days=DAYS)
    if first is None:
        return Usage(now, now, {})
    since = max(since, min(first["at"], now))
    hour = {"$dateTrunc": {"date": "$at", "unit": "hour", "timezone": settings.TIME_ZONE}}
    rows = events.aggregate(
        [
            {"$match": {"at": {"$gte": since, "$lt": now}, **_COUNTED}},
            {"$group": {"_id": hour, "uses": {"$sum": 1}}},
        ]
    )
    uses = {row["_id"]: row["uses"] for row in rows}
    return Usage(since, now, uses, _life_seconds(events, since, now))


def _life_seconds(events: Collection[Document], since: datetime, until: datetime) -> float:
    new = {
        "action": {"$in": [Action.TOKEN_SET_REFRESHED, Action.TOKEN_SET_REGENERATED]},
        "detail.life_seconds": {"$gt": 0},
    }
    ended = {"action": {"$in": [Action.TOKEN_SET_ACCESS_TOKEN_REJECTED, Action.TOKEN_SET_ACCESS_TOKEN_GIVEN_UP]}}
    found = events.aggregate(
        [
            {"$match": {"at": {"$gte": since, "$lt": until}, "$or": [new, ended]}},
            {
                "$group": {
                    "_id": None,
                    "tokens": {"$sum": {"$cond": [{"$gt": ["$detail.life_seconds", 0]}, 1, 0]}},
                    "given": {"$sum": "$detail.life_seconds"},
                    "lost": {"$sum": "$detail.lost_seconds"},
                }
            },
        ]
    )
    seen = next(iter(found), None)
    if not seen or not seen["tokens"]:
        return ACCESS_LIFE_SECONDS
    used_seconds: float = (seen["given"] - seen["lost"]) / seen["tokens"]
    return max(1.0, used_seconds)


def slot(moment: datetime) -> tuple[int, int]:
    """(weekday, hour) on the deployment's wall clock."""
    local = _local(moment)
    return local.weekday(), local.hour


def hours_between(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The pieces of `since` to `until` that lie within one local hour each."""
    while since < until:
        local = _local(since)
        into_seconds = local.minute * 60 + local.second + local.microsecond / 1e6
        ends = min(since + timedelta(seconds=3600 - into_seconds), until)
        yield since, ends
        since = ends


def _local(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE))
