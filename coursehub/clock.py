"""MongoDB's clock: the one clock by which deadlines are set and compared.

Inside updates and filters use `server_now()`, `after()`, `passed()` and `is_ahead()` (the server evaluates them); in
Python use `now()`.

A simulation runs this clock ahead or faster: its two numbers stand in one document, so that all processes
follow. It is refused unless DEMO=true, where every process looks at that document about once a second.
"""

import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from pymongo.collection import Collection

from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

_SIMULATION = {"_id": "simulation"}
_REREAD_SECONDS = 1.0


class _Known:
    """Of this process: the simulation as read last, and when by the machine's clock."""

    simulation: tuple[datetime, datetime, float] | None = None
    read_at: float | None = None


def server_now() -> Any:
    """The aggregation expression for the current time."""
    simulation = _simulation()
    if simulation is None:
        return "$$NOW"
    began_at, shown_at, factor = simulation
    return {"$add": [shown_at, {"$multiply": [{"$subtract": ["$$NOW", began_at]}, factor]}]}


def after(seconds: float | Document) -> Document:
    """The aggregation expression for `seconds` (a number, or an expression) from now."""
    if isinstance(seconds, dict):
        return {"$add": [server_now(), {"$round": {"$multiply": [seconds, 1000]}}]}
    return {"$add": [server_now(), round(seconds * 1000)]}


def passed(deadline: str) -> Document:
    """The expression for: the moment in the field `deadline` has come, or there is none (null is before every date)."""
    return {"$lte": [f"${deadline}", server_now()]}


def is_ahead(deadline: str) -> Document:
    """The expression for: the moment in the field `deadline` is still to come."""
    return {"$gt": [f"${deadline}", server_now()]}


def now() -> datetime:
    """The current time, aware, in milliseconds; one round trip."""
    return _shown(_real_now())


def simulate(*, ahead_seconds: float = 0.0, factor: float = 1.0) -> None:
    """Put the clock `ahead_seconds` forward from what it shows, and let it run `factor` times as fast from there.

    Other processes follow within about a second. Raises RuntimeError unless DEMO=true.
    """
    if not settings.DEMO:
        raise RuntimeError("The clock can be simulated only with DEMO=true.")
    began_at = _real_now()
    shown_at = _shown(began_at) + timedelta(seconds=ahead_seconds)
    _document().replace_one(_SIMULATION, {"began_at": began_at, "shown_at": shown_at, "factor": factor}, upsert=True)
    _Known.read_at = None


def end_simulation() -> None:
    """Back to MongoDB's own time."""
    _document().delete_one(_SIMULATION)
    _Known.read_at = None


def _document() -> Collection[Document]:
    return outside_transaction("coursehub_clock")


def _real_now() -> datetime:
    hello = _document().database.command("hello", codec_options=_document().codec_options)
    now: datetime = hello["localTime"]
    return now


def _shown(moment: datetime) -> datetime:
    simulation = _simulation()
    if simulation is None:
        return moment
    began_at, shown_at, factor = simulation
    shown = shown_at + (moment - began_at) * factor
    return shown.replace(microsecond=shown.microsecond // 1000 * 1000)


def _simulation() -> tuple[datetime, datetime, float] | None:
    if not settings.DEMO:
        return None
    if _Known.read_at is None or time.monotonic() - _Known.read_at > _REREAD_SECONDS:
        found = _document().find_one(_SIMULATION)
        _Known.simulation = (found["began_at"], found["shown_at"], found["factor"]) if found else None
        _Known.read_at = time.monotonic()
    return _Known.simulation
