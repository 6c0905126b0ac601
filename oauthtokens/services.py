"""Token sets for the rest of the product: a client to call with, tokens in, tokens out, and how it stands.

Nobody else builds a TrainerCentral client or sees a token.
"""

import os
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple, TypedDict

from django.conf import settings

from coursehub import academy, clock, rate_limit
from coursehub.mongo import refuse_inside_atomic
from coursehub.trainercentral import TrainerCentralClient
from oauthtokens import key_rotation, not_refreshed, revocation
from oauthtokens.alerts import open_alerts as alerts
from oauthtokens.background_job import is_upkeep_due, refresh_due
from oauthtokens.forecast import model, usage
from oauthtokens.key_rotation import Reencrypted
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state, refresh, refresh_lease, reserve, selection
from oauthtokens.pool.availability import usable_since, why_none
from oauthtokens.pool.client_credentials import SCOPE
from oauthtokens.pool.provider import PoolTokens, access_token
from oauthtokens.pool.refresh import Outcome
from oauthtokens.regeneration import exchange
from oauthtokens.regeneration.exchange import begin_consent, check_number, complete_consent, exchange_code, store_grant
from oauthtokens.revocation import Outcome as Revocation

__all__ = [
    "SCOPE",
    "Outcome",
    "PoolStatus",
    "Reencrypted",
    "Refreshed",
    "Revocation",
    "access_token",
    "alerts",
    "begin_consent",
    "check_number",
    "client",
    "complete_consent",
    "exchange_code",
    "is_upkeep_due",
    "reencrypt",
    "refresh_due",
    "refresh_set",
    "release_reserve",
    "revoke",
    "revoke_all",
    "rotate",
    "sets_in_need",
    "status",
    "store_grant",
    "usable_since",
    "why_none",
]

# A batch pauses and probes by itself, so its calls give up soon; a poll has nobody to come back for it.
RETRY_DEADLINE_SECONDS = {rate_limit.INVITATIONS: 2.0, rate_limit.PROGRESS: 30.0}


def client(lane: str = rate_limit.INVITATIONS) -> TrainerCentralClient:
    """The client of this academy; its tokens come from the pool and each of its calls draws a slot of `lane`."""
    timeouts = (settings.TRAINERCENTRAL_CONNECT_SECONDS, settings.TRAINERCENTRAL_READ_SECONDS)
    deadline_seconds = RETRY_DEADLINE_SECONDS[lane]
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
        after_call=rate_limit.called,
        profile=academy.profile,
        on_answer=academy.note_answer,
    )


def _wait(lane: str, endpoint: str, method: str) -> None:
    refuse_inside_atomic("A call of TrainerCentral")
    rate_limit.wait_for_slot(lane, endpoint)


def sets_in_need() -> list[int]:
    """The numbers of the sets that a person should regenerate now."""
    return exchange.needed(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT), clock.now())


class Refreshed(NamedTuple):
    """What came of a refresh that a person asked for: `uses` so far, and how many are left (None: no limit)."""

    number: int
    outcome: Outcome
    reason: str
    uses: int
    uses_left: int | None


def refresh_set(number: int | None = None, *, force: bool = False, actor: str = "system") -> Refreshed:
    """Refresh one set, or the active one, if it is due; `force`: although it is not, or rests.

    With TOKEN_GRANT=client_credentials and no number: the client's own token, whose number is 0.
    Raises TokenUnavailable, ValueError.
    """
    if number is None:
        number = (pool_state.active_unless_stopped() if force else None) or selection.select()
    else:
        check_number(number)
    outcome, reason = refresh.refresh(number, force=force, actor=actor), ""
    if outcome is Outcome.BUSY:
        outcome, reason = not_refreshed.of(number)
    row = refresh_lease.documents(number).find_one({"number": number}) or {"uses": 0, "reason": ""}
    if outcome is Outcome.FAILED:
        reason = pool_state.read()["stopped"] or row["reason"]
    return Refreshed(number, outcome, reason, row["uses"], reserve.uses_left(row))


def rotate(*, actor: str) -> int:
    """Move on to the next ready set; returns its number. Raises TokenUnavailable when no other is ready."""
    return selection.rotate(actor=actor)


def release_reserve(*, number: int, actor: str, reason: str) -> None:
    """Let set `number` be used up to TOKEN_MAX_USES, until it is regenerated. Raises ValueError with one sentence."""
    check_number(number)
    reserve.release(number=number, actor=actor, reason=reason)


def revoke(*, number: int, actor: str) -> Revocation:
    """Take set `number` out of use at once, destroy its tokens and have Zoho revoke them; see `revocation`.

    PENDING: Zoho has not confirmed, and the job asks again. Raises ValueError; RuntimeError inside `atomic()`.
    """
    check_number(number)
    return revocation.revoke(number=number, actor=actor)


def revoke_all(*, actor: str, told: Callable[[int, int], None] | None = None) -> dict[int, Revocation]:
    """The same for every set; `told` hears after each how many of how many are done. Raises RuntimeError."""
    return revocation.revoke_all(actor=actor, told=told)


def reencrypt(*, actor: str, told: Callable[[int, int], None] | None = None) -> Reencrypted:
    """Bring every stored token under the newest key, while everything runs; `told` hears how many of how many."""
    return key_rotation.reencrypt(actor=actor, told=told)


class SetStatus(TypedDict):
    """How one set stands."""

    number: int
    state: str
    uses: int
    max_uses: int
    access_expires_at: str | None
    reason: str
    reserve_released: bool


class PoolStatus(model.ForecastDocument):
    """How the pool stands, without any token."""

    sets: list[SetStatus]
    client: client_credentials.ClientStatus | None  # None unless TOKEN_GRANT=client_credentials
    active: int | None
    stopped: str


def status() -> PoolStatus:
    """The sets, the pool as a whole, and the forecast; what `/oauth/forecast.json` gives."""
    sets = list(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT))
    now, about_pool = clock.now(), pool_state.read()
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
        "client": client_credentials.status(),
        "active": about_pool["active"],
        "stopped": about_pool["stopped"],
        **model.make(sets, now, usage.read(now)).as_document(),
    }
