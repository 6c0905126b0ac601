"""Token sets for the rest of the product: a client to call with, tokens in, tokens out, and how it stands.

Nobody else builds a TrainerCentral client or sees a token.
"""

import logging
import os
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from django.conf import settings

from coursehub import audit, clock, pacing
from coursehub.mongo import outside_transaction, refuse_inside_atomic
from coursehub.trainercentral import TokenGrant, TrainerCentralClient, errors
from oauthtokens import encryption, forecast, pool, refreshing, reserve, revoking, rotation, usage
from oauthtokens.alerts import open_alerts as alerts
from oauthtokens.handing_out import PoolTokens, access_token
from oauthtokens.leases import State
from oauthtokens.models import TokenSet
from oauthtokens.refreshing import Outcome
from oauthtokens.revoking import Outcome as Revocation
from oauthtokens.upkeep import is_upkeep_due, refresh_due

__all__ = [
    "SCOPE",
    "Outcome",
    "Revocation",
    "access_token",
    "alerts",
    "client",
    "consent_url",
    "exchange_code",
    "is_upkeep_due",
    "refresh_due",
    "refresh_set",
    "release_reserve",
    "revoke",
    "revoke_all",
    "rotate",
    "status",
    "store_grant",
]

logger = logging.getLogger(__name__)

# The smallest set of scopes that the product needs (help articles of the calls in coursehub.trainercentral.client).
SCOPE = ",".join(
    f"TrainerCentral.{name}"
    for name in (
        *("userapi.CREATE", "userapi.READ", "courseapi.READ", "courseapi.UPDATE"),
        *("presenterapi.READ", "portalapi.READ"),
    )
)
# A batch pauses and probes by itself, so its calls give up soon; a poll has nobody to come back for it.
_RETRY_DEADLINE_SECONDS = {pacing.INVITATIONS: 2.0, pacing.PROGRESS: 30.0}


def client(lane: str = pacing.INVITATIONS) -> TrainerCentralClient:
    """The client of this academy; its tokens come from the pool and each of its calls draws a slot of `lane`."""
    timeouts = (settings.TRAINERCENTRAL_CONNECT_SECONDS, settings.TRAINERCENTRAL_READ_SECONDS)
    deadline_seconds = _RETRY_DEADLINE_SECONDS[lane]
    return _client(
        os.getpid(), lane, settings.TRAINERCENTRAL_URL, settings.TRAINERCENTRAL_ORG_ID, *timeouts, deadline_seconds
    )


@lru_cache(maxsize=8)
def _client(
    process_id: int,
    lane: str,
    url: str,
    org_id: str,
    connect_seconds: float,
    read_seconds: float,
    retry_deadline_seconds: float,
) -> TrainerCentralClient:
    """One per process and lane: connections are kept, and not shared with a fork's child."""
    return TrainerCentralClient(
        url,
        org_id,
        PoolTokens(),
        connect_timeout_seconds=connect_seconds,
        read_timeout_seconds=read_seconds,
        retry_deadline_seconds=retry_deadline_seconds,
        before_call=partial(_wait, lane),
    )


def _wait(lane: str, endpoint: str, method: str) -> None:
    refuse_inside_atomic("A call of TrainerCentral")
    pacing.wait_for_slot(lane)


def consent_url(*, state: str) -> str:
    """The provider's page on which a person consents; it sends the browser back to /oauth/callback/."""
    redirect_uri = f"{settings.PUBLIC_URL}/oauth/callback/"
    return refreshing.accounts().consent_url(redirect_uri=redirect_uri, scope=SCOPE, state=state)


def exchange_code(*, number: int, code: str, actor: str, redirect_uri: str | None = None) -> None:
    """Turn a code (of a self client without `redirect_uri`) into tokens and store them as set `number`.

    The replaced refresh token is revoked afterwards, so that it does not fill one of the provider's 20
    places. Raises errors of coursehub.trainercentral with the set left as it was; ValueError for a
    number that is none of the pool's.
    """
    _check_number(number)
    grant = refreshing.accounts().exchange_code(code, redirect_uri)
    pool.resume()
    store_grant(number=number, grant=grant, actor=actor)
    revoking.settle(number)


def store_grant(*, number: int, grant: TokenGrant, actor: str) -> None:
    """Make `grant` the next generation of set `number`, ready for use and with no use counted.

    It becomes the active set if none can be used. The refresh token that it replaces is kept for `revoking.settle`.
    """
    _check_number(number)
    stored = False
    while not stored:  # until no other regeneration came in between
        generation = TokenSet.objects.get_or_create(number=number)[0].generation
        revoking.keep(number)
        fresh = [{"$set": _fresh_set(number, generation + 1, grant)}]
        same = {"number": number, "generation": generation}
        stored = outside_transaction(TokenSet).update_one(same, fresh).modified_count > 0
    audit.record(
        action="token_set.regenerated", actor=actor, target=f"token set {number}", detail={"generation": generation + 1}
    )
    try:
        rotation.select()
    except errors.TokenUnavailable as error:
        logger.warning("No token set is active: %s", error.detail)


def _fresh_set(number: int, generation: int, grant: TokenGrant) -> dict[str, Any]:
    def encrypted(token: str, kind: str) -> dict[str, str]:
        return {"$literal": encryption.encrypt(token, number=number, kind=kind, generation=generation)}

    # The grant was made at most one call's time ago, so its end is put that much earlier.
    life_seconds = grant.expires_in_seconds - settings.TRAINERCENTRAL_READ_SECONDS
    return {
        "state": State.READY, "reason": "", "generation": generation, "uses": 0, "failures": 0, "not_before": None,
        "refresh_token": encrypted(grant.refresh_token, encryption.REFRESH),
        "access_token": encrypted(grant.access_token, encryption.ACCESS),
        "access_expires_at": clock.after(life_seconds),
        "regenerated_at": clock.server_now(), "last_refreshed_at": None,
        # A refresh of the old generation that is still under way loses its lease.
        "fence": {"$add": ["$fence", 1]}, "access_fence": {"$add": ["$fence", 1]},
        "lease_holder": "", "lease_until": None,
    }  # fmt: skip


def refresh_set(number: int | None = None, *, force: bool = False) -> tuple[int, Outcome]:
    """Refresh one set, or the active one, if it is due or `force`d. Raises TokenUnavailable, ValueError."""
    if number is None:
        number = rotation.select()
    _check_number(number)
    return number, refreshing.refresh(number, force=force)


def rotate(*, actor: str) -> int:
    """Move on to the next ready set; returns its number. Raises TokenUnavailable when no other is ready."""
    return rotation.rotate(actor=actor)


def release_reserve(*, number: int, actor: str, reason: str) -> None:
    """Let set `number` be used up to TOKEN_MAX_USES, until it is regenerated. Raises ValueError with one sentence."""
    _check_number(number)
    reserve.release(number=number, actor=actor, reason=reason)


def revoke(*, number: int, actor: str) -> Revocation:
    """Take set `number` out of use at once, destroy its tokens and have Zoho revoke them; see `revoking`.

    PENDING: Zoho has not confirmed, and the job asks again. Raises ValueError; RuntimeError inside `atomic()`.
    """
    _check_number(number)
    return revoking.revoke(number=number, actor=actor)


def revoke_all(*, actor: str, told: Callable[[int, int], None] | None = None) -> dict[int, Revocation]:
    """The same for every set; `told` hears after each how many of how many are done. Raises RuntimeError."""
    return revoking.revoke_all(actor=actor, told=told)


def status() -> dict[str, Any]:
    """How the pool stands, without any token: `sets`, `active`, `stopped`, and what `Forecast.as_document` says."""
    sets = list(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT))
    now, about_pool = clock.now(), pool.read()
    return {
        "sets": [
            {
                "number": one.number,
                "state": one.state,
                "uses": one.uses,
                "max_uses": settings.TOKEN_MAX_USES,
                "access_expires_at": one.access_expires_at.isoformat() if one.access_expires_at else None,
                "reason": one.reason,
                "reserve_released": one.reserve_released,
            }
            for one in sets
        ],
        "active": about_pool["active"],
        "stopped": about_pool["stopped"],
        **forecast.make(sets, now, usage.read(now)).as_document(),
    }


def _check_number(number: int) -> None:
    if not 1 <= number <= settings.TOKEN_SET_COUNT:
        raise ValueError(f"There are token sets 1 to {settings.TOKEN_SET_COUNT}, and no {number}.")
