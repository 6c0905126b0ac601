"""Access tokens for callers: from the store, kept encrypted in memory, refreshed when they run out."""

import logging
import random
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import AccessToken
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import encryption
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state, refresh, refresh_lease, rejection, selection
from oauthtokens.pool.refresh import Outcome
from oauthtokens.pool.refresh_lease import CLIENT, LEAST_LIFE_SECONDS, State

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_DEMAND_EVERY_SECONDS = 60.0
_STATES = [State.ACTIVE, State.RETIRING]
# The token's name, and whether it is in doubt: an answer to it is news only while that is as it was.
_NAME = ("number", "generation", "access_fence", "access_unproven")


@dataclass
class Memory:
    """Of this process: the encrypted access token read last with its full name, and when demand was noted."""

    token: tuple[tuple[Any, ...] | None, str] = (None, "")  # replaced as one, since threads share it
    demand_noted_at: datetime | None = None

    def clear(self) -> None:
        """As in a new process."""
        self.token, self.demand_noted_at = (None, ""), None


memory = Memory()


def access_token() -> AccessToken:
    """A token with at least 30 s left; refreshes it first when it is inside the margin and nobody else does.

    Raises TokenUnavailable, with what to wait when that is known. Waits at most a lease and 10 s.
    """
    gives_up_at = time.monotonic() + settings.TOKEN_LEASE_SECONDS + 10
    while True:
        row = in_use()
        _note_demand(row["now"] if row else None)
        token = _token_of(row) if row else None
        if row and token and row["left_ms"] > settings.TOKEN_REFRESH_MARGIN_SECONDS * 1000:
            return token
        try:
            outcome = _renew()
        except TokenUnavailable:
            if token:
                return token
            raise
        if token and outcome is not Outcome.REFRESHED:
            return token
        if time.monotonic() > gives_up_at:
            raise TokenUnavailable("another caller's refresh does not end", wait_seconds=settings.TOKEN_LEASE_SECONDS)
        if outcome is Outcome.BUSY:
            time.sleep(random.uniform(_POLL_SECONDS / 2, _POLL_SECONDS * 2))  # noqa: S311


class PoolTokens:
    """The pool as a token provider of the TrainerCentral client."""

    def current(self) -> AccessToken:
        return access_token()

    def rejected(self, token: AccessToken) -> None:
        rejection.rejected(token)

    def accepted(self, token: AccessToken) -> None:
        rejection.accepted(token)


def in_use() -> dict[str, Any] | None:
    """The name and remaining life of the token in use, if it has enough left to be handed out."""
    alive = {"$gt": ["$access_expires_at", clock.after(LEAST_LIFE_SECONDS)]}
    left_ms = {"$subtract": ["$access_expires_at", clock.server_now()]}
    shown = {**dict.fromkeys(_NAME, 1), "access_expires_at": 1, "left_ms": left_ms, "now": clock.server_now()}
    collection = refresh_lease.documents(CLIENT) if client_credentials.is_chosen() else outside_transaction(TokenSet)
    return collection.find_one({"state": {"$in": _STATES}, "$expr": alive}, shown, sort=[("access_expires_at", -1)])


def _token_of(row: dict[str, Any]) -> AccessToken | None:
    """The token of that name, from memory if it was read before; None if it was replaced meanwhile."""
    key = tuple(row[part] for part in _NAME)
    name = (*key, row["access_expires_at"])
    remembered, text = memory.token
    if remembered != name:
        stored = refresh_lease.documents(key[0]).find_one(dict(zip(_NAME, key, strict=True)), {"access_token": 1})
        if stored is None:
            return None
        text = stored["access_token"]
    try:
        token = encryption.decrypt(text, number=row["number"], kind=encryption.ACCESS, generation=row["generation"])
    except encryption.Undecryptable as error:
        refresh.mark_undecryptable(row["number"], str(error))
        return None
    memory.token = (name, text)
    return AccessToken(token, key)


def _renew() -> Outcome:
    """Refresh the set to use, moving on to the next one where needed. Raises TokenUnavailable."""
    number = selection.select()
    outcome = refresh.refresh(number)
    if outcome is Outcome.BUSY and (wait_seconds := selection.seconds_to_wait(number)):
        raise TokenUnavailable(
            f"{refresh_lease.name_of(number)} rests after a failed refresh",
            "The last refresh of the access token failed; it is tried again by itself.",
            wait_seconds=wait_seconds,
        )
    return outcome


def _note_demand(now: datetime | None) -> None:
    """For `refresh_due`: at most once a minute from each process, and always when there is no token."""
    noted_at = memory.demand_noted_at
    if now is None or noted_at is None or abs((now - noted_at).total_seconds()) > _DEMAND_EVERY_SECONDS:
        memory.demand_noted_at = now
        pool_state.note_demand()
