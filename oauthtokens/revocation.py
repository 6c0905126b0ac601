"""Ending tokens at the provider, surely: what is to be revoked is kept, encrypted, until the provider confirmed it.

A kept token may be revoked once its set has gone on without it: to a newer generation, or to a state of
revocation. Until then it is only prepared, so that a process may die at any point: the token is still in the
set, or kept here, or both. Revoking twice does no harm.
"""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.leases import jittered_backoff_seconds
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.trainercentral import errors
from oauthtokens import encryption
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, refresh, refresh_lease
from oauthtokens.pool.refresh_lease import CLIENT, State

logger = logging.getLogger(__name__)

TABLE = "oauthtokens_revocations"
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 30.0, 900.0
_ENDED = (State.REVOCATION_PENDING, State.REVOKED)


class Outcome(StrEnum):
    REVOKED = "revoked"
    PENDING = "pending"  # out of use here; the provider has not confirmed yet, and is asked again by itself
    NOTHING = "nothing"  # the set held no tokens


def revoke(*, number: int, actor: str) -> Outcome:
    """Take set `number` out of use and destroy its tokens, then have the provider revoke them.

    Raises RuntimeError inside `atomic()`, with nothing changed.
    """
    refresh.accounts()
    _take_out_of_use(number, actor)
    return _settled(number)


def revoke_all(*, actor: str, told: Callable[[int, int], None] | None = None) -> dict[int, Outcome]:
    """The same for every set, and for the client's own access token (number 0) where there is one.

    All are out of use before the provider is asked about the first. `told` hears after each how many of how
    many are done.
    """
    refresh.accounts()
    numbers = list(TokenSet.objects.order_by("number").values_list("number", flat=True))
    for number in numbers:
        _take_out_of_use(number, actor)
    if _take_out_clients_own(actor):
        numbers.append(CLIENT)
    outcomes = {}
    for number in numbers:
        outcomes[number] = _settled(number)
        if told:
            told(len(outcomes), len(numbers))
    return outcomes


def keep(number: int) -> None:
    """Keep the present refresh token of a set, before it is replaced there, for `settle` to revoke afterwards."""
    row = outside_transaction(TokenSet).find_one({"number": number})
    if row and row["refresh_token"] and row["state"] != State.BROKEN:
        _keep(row)


def pending_count() -> int:
    """Refresh tokens that live on at the provider although no set uses them any more."""
    return sum(_may_go(kept) for kept in _collection().find({"kind": encryption.REFRESH}))


def settle(number: int) -> bool:
    """Have the provider revoke what is kept of this set and no longer used. False: some of it stays pending."""
    outcomes = [_revoke_at_provider(kept) for kept in _collection().find({"number": number}) if _may_go(kept)]
    return all(outcomes)


def settle_due() -> int:
    """The background job: retry what is pending and past its backoff; returns how many were revoked."""
    return sum(_revoke_at_provider(kept) for kept in _due())


def is_due() -> bool:
    """Whether `settle_due` would find anything to do."""
    return bool(_due())


def _take_out_of_use(number: int, actor: str) -> None:
    """Win the set: from here on nobody leases it, and its tokens are in the collection of this module only."""
    sets = outside_transaction(TokenSet)
    while (row := sets.find_one({"number": number, "state": {"$nin": _ENDED}})) and row["refresh_token"]:
        _keep(row)
        won = sets.update_one(
            {"number": number, "generation": row["generation"], "state": {"$nin": _ENDED}},
            {
                "$set": {
                    **{"state": State.REVOCATION_PENDING, "reason": "Zoho has not confirmed the revocation yet."},
                    **{"refresh_token": "", "access_token": "", "access_expires_at": None, "not_before": None},
                }
            },
        )
        if won.modified_count:
            audit.record(action=Action.TOKEN_SET_REVOCATION_ASKED, actor=actor, target=f"token set {number}")
            return


def _take_out_clients_own(actor: str) -> bool:
    own = refresh_lease.documents(CLIENT).find_one({"number": CLIENT, "access_token": {"$ne": ""}})
    if own is None:
        return False
    _keep(own, kind=encryption.ACCESS, name=own["access_fence"])
    client_credentials.forget()
    audit.record(action=Action.CLIENT_TOKEN_REVOCATION_ASKED, actor=actor, target=refresh_lease.name_of(CLIENT))
    return True


def _settled(number: int) -> Outcome:
    had_tokens = _collection().count_documents({"number": number}) > 0
    if not settle(number):
        return Outcome.PENDING
    return Outcome.REVOKED if had_tokens else Outcome.NOTHING


def _keep(row: dict[str, Any], *, kind: str = encryption.REFRESH, name: int | None = None) -> None:
    number, generation = row["number"], row["generation"]
    kept = {"number": number, "generation": generation, "kind": kind, "token": row[f"{kind}_token"]}
    _collection().update_one(
        {"_id": f"{number}:{generation if name is None else name}"},
        {"$setOnInsert": {**kept, "failures": 0, "not_before": None, "reason": ""}},
        upsert=True,
    )


def _due() -> list[dict[str, Any]]:
    past_backoff = {"$expr": clock.passed("not_before")}
    return [kept for kept in _collection().find(past_backoff) if _may_go(kept)]


def _may_go(kept: dict[str, Any]) -> bool:
    row = outside_transaction(TokenSet).find_one({"number": kept["number"]}, {"generation": 1, "state": 1})
    return row is None or row["generation"] > kept["generation"] or row["state"] in _ENDED


def _revoke_at_provider(kept: dict[str, Any]) -> bool:
    """One attempt. The next one is put off before it begins: what dies or fails is not asked at once again."""
    wait_seconds = jittered_backoff_seconds(
        kept["failures"], first_seconds=_FIRST_BACKOFF_SECONDS, longest_seconds=_LONGEST_BACKOFF_SECONDS
    )
    tried = _collection().find_one_and_update(
        {"_id": kept["_id"]},
        [{"$set": {"not_before": clock.after(wait_seconds), "failures": {"$add": ["$failures", 1]}}}],
        return_document=ReturnDocument.AFTER,
    )
    if tried is None:
        return True
    number, generation = tried["number"], tried["generation"]
    try:
        token = encryption.decrypt(tried["token"], number=number, kind=tried["kind"], generation=generation)
        refresh.accounts().revoke(token)
    except encryption.Undecryptable as error:
        return _failed(tried, f"It could not be revoked: {error}.")
    except errors.TrainerCentralError as error:
        logger.warning("A token was not revoked (%s): %s", refresh_lease.name_of(number), error.detail)
        return _failed(tried, error.sentence)
    _confirmed(tried)
    return True


def _failed(kept: dict[str, Any], reason: str) -> bool:
    _collection().update_one({"_id": kept["_id"]}, {"$set": {"reason": reason}})
    pending = {"number": kept["number"], "generation": kept["generation"], "state": State.REVOCATION_PENDING}
    outside_transaction(TokenSet).update_one(pending, {"$set": {"reason": reason}})
    if kept["failures"] == 1:
        refresh_lease.tell(kept["number"], Action.TOKEN_SET_REVOCATION_FAILED, reason=reason)
    return False


def _confirmed(kept: dict[str, Any]) -> None:
    pending = {"number": kept["number"], "generation": kept["generation"], "state": State.REVOCATION_PENDING}
    outside_transaction(TokenSet).update_one(pending, {"$set": {"state": State.REVOKED, "reason": ""}})
    if _collection().delete_one({"_id": kept["_id"]}).deleted_count:
        refresh_lease.tell(kept["number"], Action.TOKEN_SET_REVOKED, generation=kept["generation"])


def _collection() -> Collection[Document]:
    return outside_transaction(TABLE)
