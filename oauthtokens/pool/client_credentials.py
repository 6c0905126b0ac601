"""TOKEN_GRANT=client_credentials: access tokens of the client itself, without token sets, uses or Mondays.

One document of the same shape as a set's, so that lease, margin, backoff and cooling are those of the sets.
https://zoho.com/accounts/protocol/oauth/self-client/client-credentials-flow.html
"""

from typing import Any, TypedDict

from django.conf import settings

from coursehub import clock
from oauthtokens.pool import refresh_lease
from oauthtokens.pool.refresh_lease import CLIENT, State

# The smallest set of scopes that the product needs (help articles of the calls in coursehub.trainercentral.client).
SCOPE = ",".join(
    f"TrainerCentral.{name}"
    for name in (
        *("userapi.CREATE", "userapi.READ", "courseapi.READ", "courseapi.UPDATE"),
        *("presenterapi.READ", "portalapi.READ"),
    )
)
_AT_FIRST: dict[str, Any] = {
    **{"state": State.ACTIVE, "reason": "", "generation": 1, "uses": 0, "failures": 0, "not_before": None},
    **{"access_token": "", "access_expires_at": None, "last_refreshed_at": None},
    **{"fence": 0, "access_fence": 0, "access_unproven": False, "lease_holder": "", "lease_until": None},
}


def is_chosen() -> bool:
    """Whether access tokens are the client's own."""
    return settings.TOKEN_GRANT == "client_credentials"  # noqa: S105


def select() -> int:
    """CLIENT, ready for a lease: its document is there, and back in use after it has rested."""
    own = {"number": CLIENT}
    refresh_lease.documents(CLIENT).update_one({"_id": "client"}, {"$setOnInsert": {**own, **_AT_FIRST}}, upsert=True)
    rested = {**own, "state": State.COOLING, "$expr": clock.passed("not_before")}
    refresh_lease.documents(CLIENT).update_one(rested, {"$set": {"state": State.ACTIVE, "reason": ""}})
    return CLIENT


class ClientStatus(TypedDict):
    """How the client's own access token stands."""

    state: str
    mints: int
    access_expires_at: str | None
    reason: str


def status() -> ClientStatus | None:
    """How the client's own access token stands; None unless it is what is used."""
    if not is_chosen():
        return None
    row = refresh_lease.documents(select()).find_one({"number": CLIENT}) or {}
    expires_at = row["access_expires_at"]
    return {
        "state": row["state"],
        "mints": row["uses"],
        "access_expires_at": f"{expires_at.isoformat()}+00:00" if expires_at else None,
        "reason": row["reason"],
    }


def forget() -> None:
    """Take the client's own access token out of use: the next caller gets another one."""
    refresh_lease.documents(CLIENT).update_one(
        {"number": CLIENT}, {"$set": {"access_token": "", "access_expires_at": None}}
    )
