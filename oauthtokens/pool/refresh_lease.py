"""The fenced lease under which one caller of all processes refreshes a set, and what it may write.

Winning the lease and counting the use are one update, made before the provider is asked: whoever dies
in between has counted too much, never too little. Each win raises the fence; what a holder writes names
its fence, so that an answer which comes after the lease went to somebody else is discarded.
"""

import os
import secrets
import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from pymongo import ReturnDocument
from pymongo.collection import Collection

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.leases import FencedLease
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.trainercentral import TokenGrant
from oauthtokens import encryption
from oauthtokens.models import TokenSet

State = TokenSet.State
CLIENT = 0  # the number of the client's own access token, which no set's number is (TOKEN_GRANT=client_credentials)
CLIENT_TABLE = "oauthtokens_client"
LIVE = (State.READY, State.ACTIVE, State.RETIRING)  # sets that may be used
_RELEASED = {"lease_holder": "", "lease_until": None}
LEAST_LIFE_SECONDS = 30.0  # an access token with less left is never handed out


@dataclass(frozen=True, slots=True)
class RefreshLease:
    """The right to refresh one set once, until its deadline passes and somebody else takes it."""

    number: int
    generation: int
    fence: int
    holder: str
    won_at: datetime
    failures: int
    is_replacement: bool  # for a token that was refused when it was fresh
    refresh_token: str = field(repr=False)


def documents(number: int) -> Collection[Document]:
    """Where the document of this number is: that of the client itself is shaped like a set's and lives apart."""
    return outside_transaction(CLIENT_TABLE if number == CLIENT else TokenSet)


def name_of(number: int) -> str:
    """The target of audit events about this number."""
    return "client credentials" if number == CLIENT else f"token set {number}"


def use_limit() -> int | None:
    """Refreshes after which a set is left for the next, its reserve apart; None when the provider sets no limit."""
    if settings.TOKEN_MAX_USES == 0 or settings.TOKEN_GRANT == "client_credentials":  # noqa: S105
        return None
    return min(settings.TOKEN_RETIRE_AT_USES, settings.TOKEN_MAX_USES)


def is_reserve_released() -> dict[str, Any]:
    """The expression for: the set may be used up to TOKEN_MAX_USES."""
    return {"$eq": ["$reserve_generation", "$generation"]}


def has_uses_left() -> dict[str, Any]:
    """The expression for: the set may be refreshed once more."""
    limit = use_limit()
    if limit is None:
        return {"$literal": True}
    in_limit = {"$lt": ["$uses", {"$cond": [is_reserve_released(), settings.TOKEN_MAX_USES, limit]}]}
    return {"$or": [{"$eq": ["$number", CLIENT]}, in_limit]}


def is_due() -> dict[str, Any]:
    """The expression for: the access token is missing or at its end, or inside the margin.

    A provider may give tokens that live shorter than the margin; they are not refreshed with every call.
    """
    margin_seconds = settings.TOKEN_REFRESH_MARGIN_SECONDS
    ends = {"$lte": ["$access_expires_at", clock.after(LEAST_LIFE_SECONDS)]}
    in_margin = {"$lte": ["$access_expires_at", clock.after(margin_seconds)]}
    not_just_made = {"$lte": ["$last_refreshed_at", clock.after(-margin_seconds)]}
    return {"$or": [ends, {"$and": [in_margin, not_just_made]}]}


def is_idle() -> dict[str, Any]:
    """The expression for: nobody is refreshing this set."""
    return _lease().is_free()


def win(number: int, *, force: bool = False) -> RefreshLease | None:
    """Take the lease and count the use, if the set is usable, idle, past its rest, and due; `force`: whatever its rest.

    None when it is not, or when somebody else was faster. Raises Undecryptable, with nothing counted.
    """
    usable = {"number": number, "state": {"$in": [*LIVE, State.COOLING] if force else LIVE}}
    row = documents(number).find_one(usable)
    if row is None:
        return None
    if row["lease_holder"]:
        end_overdue(number)
    generation = row["generation"]
    token = ""
    if number != CLIENT:
        token = encryption.decrypt(row["refresh_token"], number=number, kind=encryption.REFRESH, generation=generation)
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(6)}"
    won = documents(number).find_one_and_update(
        {**usable, "generation": generation, **_free(force)},
        [{"$set": _taken_by(holder)}],
        return_document=ReturnDocument.AFTER,
    )
    if won is None:
        return None
    won_at = won["lease_until"] - timedelta(seconds=settings.TOKEN_LEASE_SECONDS)
    is_replacement = bool(won.get("is_replacement"))
    return RefreshLease(number, generation, won["fence"], holder, won_at, won["failures"], is_replacement, token)


def _lease() -> FencedLease:
    """Beside it stands the holder's name: what became of a dead holder's use is told before anybody uses the set."""
    return FencedLease(until="lease_until", fence="fence", seconds=settings.TOKEN_LEASE_SECONDS)


def _free(force: bool) -> dict[str, Any]:
    rested = clock.passed("not_before")
    conditions = [is_idle(), has_uses_left(), *([] if force else [rested, is_due()])]
    # No holder either, not even a dead one: what came of its use is told before anybody uses the set again.
    return {"lease_holder": "", "$expr": {"$and": conditions}}


def _taken_by(holder: str) -> dict[str, Any]:
    awake = {"$cond": [{"$eq": ["$number", CLIENT]}, State.ACTIVE, State.READY]}
    return {
        "state": {"$cond": [{"$eq": ["$state", State.COOLING]}, awake, "$state"]},
        "uses": {"$add": ["$uses", 1]},
        "lease_holder": {"$literal": holder},
        **_lease().taken(),
    }


def write_grant(lease: RefreshLease, grant: TokenGrant, *, is_unproven: bool = False) -> bool:
    """Store the new access token, if the lease still is the newest and the set still usable.

    `is_unproven`: others like it, or the one before it, were rejected when they were fresh. The token's life is
    reckoned from the winning of the lease, which was before the provider made it.
    """
    encrypted = encryption.encrypt(
        grant.access_token, number=lease.number, kind=encryption.ACCESS, generation=lease.generation
    )
    is_last = {"$and": [{"$eq": ["$state", State.ACTIVE]}, {"$not": [has_uses_left()]}]}
    return write(
        lease,
        {
            "access_token": {"$literal": encrypted},
            "access_fence": lease.fence,
            "access_unproven": is_unproven,
            "access_expires_at": lease.won_at + timedelta(seconds=grant.expires_in_seconds),
            "last_refreshed_at": clock.server_now(),
            "not_before": None,
            "failures": 0,
            "reason": "",
            "state": {"$cond": [is_last, State.RETIRING, "$state"]},
        },
    )


def write_failure(
    lease: RefreshLease,
    *,
    reason: str,
    state: str | None = None,
    wait_seconds: float | None = None,
    give_back: bool = False,
) -> bool:
    """Note why no token came: another `state`, a wait, or both, if the lease still is the newest.

    `give_back`: the provider provably did not count this use, so neither do we.
    """
    changes: dict[str, Any] = {"reason": {"$literal": reason[:300]}, "failures": {"$add": ["$failures", 1]}}
    if state is not None:
        changes["state"] = state
    if wait_seconds is not None:
        changes["not_before"] = clock.after(wait_seconds)
    if give_back:
        changes["uses"] = {"$subtract": ["$uses", 1]}
    return write(lease, changes)


def give_up(lease: RefreshLease) -> bool:
    """As if the lease had never been taken: the failure was not the set's, and no use was counted."""
    return write(lease, {"uses": {"$subtract": ["$uses", 1]}})


def end(lease: RefreshLease) -> bool:
    """Clear a lease that came to nothing; False when somebody else did, and has told what became of its use."""
    ours = {"number": lease.number, "generation": lease.generation, "fence": lease.fence, "lease_holder": lease.holder}
    ended = documents(lease.number).update_one(ours, {"$set": _RELEASED})
    replaced = {"number": lease.number, "generation": {"$gt": lease.generation}}
    return bool(ended.modified_count) or documents(lease.number).count_documents(replaced) > 0


def end_overdue(number: int | None = None) -> None:
    """Clear leases whose holder did not report in time: each has cost a use, which is told here."""
    which = {} if number is None else {"number": number}
    for collection in (documents(CLIENT), outside_transaction(TokenSet)):
        while (row := collection.find_one_and_update({**which, **_overdue()}, {"$set": _RELEASED})) is not None:
            tell_failure(row["number"], counted=True, reason="Whoever refreshed it did not report in time.")


def any_overdue() -> bool:
    """Whether `end_overdue` would find anything to do."""
    return any(one.count_documents(_overdue(), limit=1) for one in (documents(CLIENT), outside_transaction(TokenSet)))


def tell(number: int, action: Action, *, actor: str = "system", **detail: Any) -> None:
    """An audit event about a set; of the client's own token the action of the same name is told."""
    if number == CLIENT:
        action = Action(action.replace("token_set.", "client_token."))
    audit.record(action=action, actor=actor, target=name_of(number), detail=detail)


def tell_failure(number: int, *, counted: bool, reason: str) -> None:
    """The audit event of a refresh that gave no token; `counted`: it is one of the set's uses."""
    tell(number, Action.TOKEN_SET_REFRESH_FAILED, counted=counted, reason=reason)


def _overdue() -> dict[str, Any]:
    return {"lease_holder": {"$ne": ""}, "$expr": clock.passed("lease_until")}


def write(lease: RefreshLease, changes: dict[str, Any]) -> bool:
    """End the lease with `changes` to its set; False when somebody else has ended it."""
    ours = {"number": lease.number, "generation": lease.generation, "fence": lease.fence, "lease_holder": lease.holder}
    written = documents(lease.number).update_one({**ours, "state": {"$in": LIVE}}, [{"$set": {**_RELEASED, **changes}}])
    return bool(written.modified_count)
