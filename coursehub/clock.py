"""MongoDB's clock: the one clock by which deadlines are set and compared.

Inside updates and filters use `NOW` (the server evaluates it); in Python use `now()`.
"""

from datetime import UTC, datetime

from coursehub.mongo import outside_transaction

# The aggregation expression for the server's current time.
NOW = "$$NOW"


def after(seconds: float) -> dict:
    """The aggregation expression for `seconds` from now."""
    return {"$add": [NOW, round(seconds * 1000)]}


def now() -> datetime:
    """The server's current time, aware, in milliseconds; one round trip."""
    hello = outside_transaction("coursehub_clock").database.command("hello")
    return hello["localTime"].replace(tzinfo=UTC)
