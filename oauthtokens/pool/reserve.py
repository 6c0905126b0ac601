"""The reserve of a set: its uses from TOKEN_RETIRE_AT_USES up to TOKEN_MAX_USES, spent only once they are released.

A release belongs to the set's generation: new tokens have a reserve of their own again.
"""

from typing import Any

from django.conf import settings

from coursehub import audit
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state, refresh_lease
from oauthtokens.pool.refresh_lease import LIVE, State

_WITH_RESERVE = [*LIVE, State.EXHAUSTED, State.COOLING]


def uses_in_reserve() -> int:
    """How many uses of each set are held back until they are released."""
    limit = refresh_lease.use_limit()
    return 0 if limit is None else settings.TOKEN_MAX_USES - limit


def uses_left(row: dict[str, Any]) -> int | None:
    """Refreshes that are left to the set of this document, no unreleased reserve counted; None: no limit."""
    limit = refresh_lease.use_limit()
    if limit is None or row.get("number") == refresh_lease.CLIENT:
        return None
    is_released = row.get("reserve_generation") is not None and row["reserve_generation"] == row["generation"]
    uses: int = row["uses"]
    return max((settings.TOKEN_MAX_USES if is_released else limit) - uses, 0)


def release(*, number: int, actor: str, reason: str) -> None:
    """Let set `number` be used up to TOKEN_MAX_USES, until it is regenerated. Raises ValueError with one sentence."""
    if not reason.strip():
        raise ValueError("A release of the reserve needs a reason.")
    if not uses_in_reserve():
        raise ValueError("The token sets have no reserve: see TOKEN_MAX_USES and TOKEN_RETIRE_AT_USES.")
    if not _release(number, actor=actor, reason=reason.strip()[:300]):
        raise ValueError(f"Token set {number} has no reserve that could be released now.")


def release_by_itself(active: int | None) -> bool:
    """With TOKEN_RESERVE_RELEASE=automatic: release the reserve of one used-up set, the active one first.

    Called when no other set is ready. False when there is none; True also when another process was faster.
    """
    by_itself = settings.TOKEN_RESERVE_RELEASE == "automatic"  # noqa: S105
    if not by_itself or not uses_in_reserve():
        return False
    used_up = {"$and": [{"$not": [refresh_lease.has_uses_left()]}, {"$not": [refresh_lease.is_reserve_released()]}]}
    held_back = {"number": {"$gte": 1, "$lte": settings.TOKEN_SET_COUNT}, "state": {"$in": [*LIVE, State.EXHAUSTED]}}
    sets = outside_transaction(TokenSet).find({**held_back, "$expr": used_up}, {"number": 1})
    count = settings.TOKEN_SET_COUNT
    first = min((row["number"] for row in sets), key=lambda number: (number - (active or 1)) % count, default=None)
    if first is None:
        return False
    _release(first, actor="system", reason="No other token set was ready.")
    return True


def exhausted() -> dict[str, Any]:
    """What a pipeline sets in a set that is used up."""
    kept = f"Used {refresh_lease.use_limit()} times; {uses_in_reserve()} uses are kept in reserve."
    used_up = f"Used {settings.TOKEN_MAX_USES} times, which is all."
    is_used_up = {"$or": [refresh_lease.is_reserve_released(), not uses_in_reserve()]}
    return {"state": State.EXHAUSTED, "reason": {"$cond": [is_used_up, used_up, kept]}}


def _release(number: int, *, actor: str, reason: str) -> bool:
    unreleased = {
        "number": number,
        "state": {"$in": _WITH_RESERVE},
        "$expr": {"$not": [refresh_lease.is_reserve_released()]},
    }
    ends = {"$in": ["$state", [State.EXHAUSTED, State.RETIRING]]}
    released = outside_transaction(TokenSet).find_one_and_update(
        unreleased,
        [
            {
                "$set": {
                    "reserve_generation": "$generation",
                    "state": {"$cond": [ends, State.READY, "$state"]},
                    "reason": {"$cond": [ends, "", "$reason"]},
                }
            }
        ],
    )
    if released is None:
        return False
    pool_state.note_usable()
    detail = {"reason": reason, "uses": released["uses"]}
    audit.record(action=Action.TOKEN_SET_RESERVE_RELEASED, actor=actor, target=f"token set {number}", detail=detail)
    return True
