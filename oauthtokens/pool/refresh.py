"""One refresh of one set, and what each kind of failure does to the set and to the pool."""

import logging
import os
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

from coursehub.audit import Action
from coursehub.leases import jittered_backoff_seconds
from coursehub.mongo import refuse_inside_atomic
from coursehub.trainercentral import TokenGrant, ZohoAccounts, errors
from oauthtokens.encryption import Undecryptable
from oauthtokens.pool import client_credentials, pool_state, refresh_lease
from oauthtokens.pool.refresh_lease import CLIENT, RefreshLease, State

logger = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 2.0, 900.0


class Outcome(StrEnum):
    REFRESHED = "refreshed"
    BUSY = "busy"  # not due, or somebody else is at it, or the set rests
    NOT_DUE = "not_due"  # as a person is told: the first of these
    UNUSABLE = "unusable"  # as a person is told: the set has no tokens, or no uses left
    FAILED = "failed"
    LATE = "late"  # the answer came after the lease had gone to somebody else


def accounts() -> ZohoAccounts:
    """The OAuth client of this deployment, with time-outs that end well within a lease.

    Raises RuntimeError inside `atomic()`.
    """
    refuse_inside_atomic("A call of the accounts server")
    connect_seconds = min(settings.TRAINERCENTRAL_CONNECT_SECONDS, settings.TOKEN_LEASE_SECONDS / 6)
    read_seconds = min(settings.TRAINERCENTRAL_READ_SECONDS, settings.TOKEN_LEASE_SECONDS / 2)
    credentials = (settings.ZOHO_ACCOUNTS_URL, settings.ZOHO_CLIENT_ID, settings.ZOHO_CLIENT_SECRET)
    return _accounts(os.getpid(), *credentials, connect_seconds, read_seconds)


@lru_cache(maxsize=4)
def _accounts(
    process_id: int, url: str, client_id: str, client_secret: str, connect_seconds: float, read_seconds: float
) -> ZohoAccounts:
    """One per process: connections must not be shared with a fork's child."""
    return ZohoAccounts(
        url, client_id, client_secret, connect_timeout_seconds=connect_seconds, read_timeout_seconds=read_seconds
    )


def refresh(number: int, *, force: bool = False, actor: str = "system") -> Outcome:
    """Refresh the set if it is due and nobody else is at it. Raises nothing of the provider's.

    `force`: also when it is not due, or rests; never beyond its uses.
    """
    provider = accounts()
    try:
        lease = refresh_lease.win(number, force=force)
    except Undecryptable as error:
        mark_undecryptable(number, str(error))
        return Outcome.FAILED
    if lease is None:
        return Outcome.BUSY
    try:
        grant = _ask(provider, lease)
    except errors.TrainerCentralError as error:
        _failed(lease, error)
        return Outcome.FAILED
    is_unproven = pool_state.is_unproven()
    if not refresh_lease.write_grant(lease, grant, is_unproven=is_unproven or lease.is_replacement):
        logger.warning("Token set %s: an answer came too late and was discarded", number)
        _discarded(lease)
        return Outcome.LATE
    if not is_unproven:
        pool_state.resume()
    pool_state.note_usable()
    detail = {"fence": lease.fence, "life_seconds": round(grant.expires_in_seconds)} | (
        {"forced": True} if force else {}
    )
    refresh_lease.tell(number, Action.TOKEN_SET_REFRESHED, actor=actor, **detail)
    return Outcome.REFRESHED


def _ask(provider: ZohoAccounts, lease: RefreshLease) -> TokenGrant:
    if lease.number == CLIENT:
        return provider.client_credentials(client_credentials.SCOPE)
    return provider.refresh(lease.refresh_token)


def _discarded(lease: RefreshLease) -> None:
    if refresh_lease.end(lease):
        refresh_lease.tell_failure(
            lease.number, counted=True, reason="The answer came when the set had gone on without it."
        )


def _failed(lease: RefreshLease, error: errors.TrainerCentralError) -> None:
    """Write what the failure means, and tell it; `counted` says whether the use stays counted."""
    logger.warning("Token set %s was not refreshed: %s", lease.number, error.detail)
    counted = not isinstance(error, errors.ClientWide | errors.MintThrottled | errors.Unreachable)
    if not _write_failure(lease, error):
        _discarded(lease)
        return
    refresh_lease.tell_failure(lease.number, counted=counted, reason=error.sentence)
    if isinstance(error, errors.ClientWide):
        pool_state.stop(error.sentence)
    elif isinstance(error, errors.InvalidCode) and lease.number != CLIENT:
        refresh_lease.tell(lease.number, Action.TOKEN_SET_BROKEN, reason=error.detail)
    elif isinstance(error, errors.MintThrottled):
        refresh_lease.tell(lease.number, Action.TOKEN_SET_COOLING, seconds=error.wait_seconds)


def _write_failure(lease: RefreshLease, error: errors.TrainerCentralError) -> bool:
    if isinstance(error, errors.ClientWide):
        return refresh_lease.give_up(lease)
    if isinstance(error, errors.InvalidCode) and lease.number != CLIENT:
        return refresh_lease.write_failure(lease, reason=error.sentence, state=State.BROKEN)
    if isinstance(error, errors.MintThrottled):
        wait_seconds = error.wait_seconds
        return refresh_lease.write_failure(
            lease, reason=error.sentence, state=State.COOLING, wait_seconds=wait_seconds, give_back=True
        )
    wait_seconds = jittered_backoff_seconds(
        lease.failures, first_seconds=FIRST_BACKOFF_SECONDS, longest_seconds=LONGEST_BACKOFF_SECONDS
    )
    never_sent = isinstance(error, errors.Unreachable)
    return refresh_lease.write_failure(lease, reason=error.sentence, wait_seconds=wait_seconds, give_back=never_sent)


def mark_undecryptable(number: int, reason: str) -> None:
    """The set is out of use and keeps its texts: the key may come back."""
    if number == CLIENT:  # nothing is lost with it: the client gets another one
        client_credentials.forget()
        return
    marked = refresh_lease.documents(number).update_one(
        {"number": number, "state": {"$in": refresh_lease.LIVE}},
        {"$set": {"state": State.UNDECRYPTABLE, "reason": reason}},
    )
    if marked.modified_count:
        refresh_lease.tell(number, Action.TOKEN_SET_UNDECRYPTABLE)
