"""Since when there are tokens again: what was put off for want of them goes on then, and not when its pause ends.

Nobody is called. Whoever put something off compares this moment with the one at which it did, as often as it likes:
new tokens come from pages, commands and workers, and each of these may die.
"""

from datetime import datetime

from django.conf import settings

from coursehub import clock
from coursehub.mongo import outside_transaction
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state, refresh_lease, selection
from oauthtokens.pool.refresh_lease import CLIENT, LIVE, State


def usable_since() -> datetime | None:
    """The latest moment at which a set became usable, by MongoDB's clock.

    None while the pool has stopped, and when no set ever did. Two indexed queries at most.
    """
    about_pool = pool_state.read()
    if about_pool["stopped"]:
        return None
    moments = (about_pool["usable_at"], _last_rest_ended_at())
    return max((moment for moment in moments if moment), default=None)


def _last_rest_ended_at() -> datetime | None:
    """When the set that rested last was due again; nobody writes down that a rest is over."""
    rested = {
        "state": {"$in": [State.COOLING, *LIVE]},
        "not_before": {"$ne": None},
        "$expr": clock.passed("not_before"),
    }
    collection = refresh_lease.documents(CLIENT) if client_credentials.is_chosen() else outside_transaction(TokenSet)
    row = collection.find_one(rested, ["not_before"], sort=[("not_before", -1)])
    return row["not_before"] if row else None


def why_none() -> str:
    """Why nobody is given a token before somebody acts, in one sentence; "" when there is one, or a set that rests."""
    stopped = pool_state.read()["stopped"]
    if stopped or client_credentials.is_chosen():
        return stopped
    alive = {"$gt": ["$access_expires_at", clock.after(refresh_lease.LEAST_LIFE_SECONDS)]}
    usable = {
        "number": {"$gte": 1, "$lte": settings.TOKEN_SET_COUNT},
        "state": {"$in": [State.COOLING, *LIVE]},
        "$expr": {"$or": [refresh_lease.has_uses_left(), alive]},
    }
    return "" if outside_transaction(TokenSet).count_documents(usable, limit=1) else selection.NONE_LEFT
