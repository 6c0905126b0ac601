"""Which set is in use: one at a time, and on to the next when it is used up or fails."""

from typing import Any

from django.conf import settings

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state, refresh_lease, reserve
from oauthtokens.pool.refresh_lease import LIVE, State

NONE_LEFT = "No token set can be used at present; the maintenance team must regenerate one."
_RESTING = "The token sets are resting after a failure; they are tried again by themselves."
_ATTEMPTS = 20


def select() -> int:
    """The number of the set to use, after moving on from one that cannot be used any more; or CLIENT.

    Raises TokenUnavailable when none is left or the pool has stopped.
    """
    tidy_up()
    stopped = pool_state.read()["stopped"]
    if stopped and not pool_state.win_probe():
        raise TokenUnavailable(f"the pool has stopped: {stopped}", stopped, wait_seconds=pool_state.PROBE_SECONDS)
    return client_credentials.select() if client_credentials.is_chosen() else _in_use()


def _in_use() -> int:
    for _ in range(_ATTEMPTS):
        active = pool_state.read()["active"]
        if active is not None and _stays_in_use(active):
            return active
        if (following := _next_after(active)) is None:
            if reserve.release_by_itself(active):
                continue
            raise _none_left()
        _move(active, following, actor="system")
    raise TokenUnavailable("the pool's pointer does not stand still")


def rotate(*, actor: str = "system") -> int:
    """Move on to the next ready set although the present one may still be good. Raises TokenUnavailable."""
    if client_credentials.is_chosen():
        raise TokenUnavailable("client credentials", "With TOKEN_GRANT=client_credentials no token set is in use.")
    tidy_up()
    active = pool_state.read()["active"]
    following = _next_after(active)
    if following is None or following == active:
        raise TokenUnavailable("no other set is ready", "No other token set is ready.")
    if _move(active, following, actor=actor):
        _change(active, [State.ACTIVE], State.READY)
    return following


def tidy_up() -> None:
    """Let states follow time and the pointer: whatever a process that died has left half done."""
    if client_credentials.is_chosen():  # the sets stay as they are
        return
    sets, active = outside_transaction(TokenSet), pool_state.read()["active"]
    rested = {"state": State.COOLING, "$expr": clock.passed("not_before")}
    sets.update_many(rested, {"$set": {"state": State.READY, "reason": ""}})
    # The limit was raised, or there is none any more.
    raised = sets.update_many(
        {"state": State.EXHAUSTED, "$expr": refresh_lease.has_uses_left()},
        {"$set": {"state": State.READY, "reason": ""}},
    )
    if raised.modified_count:
        pool_state.note_usable()
    left_behind = {"number": {"$ne": active}}
    sets.update_many({**left_behind, "state": State.ACTIVE}, {"$set": {"state": State.READY}})
    used_up = {
        **left_behind,
        "state": State.RETIRING,
        "$expr": {"$and": [refresh_lease.is_due(), refresh_lease.is_idle()]},
    }
    sets.update_many(used_up, [{"$set": reserve.exhausted()}])


def seconds_to_wait(number: int) -> float:
    """How long the set rests after a failure; 0 when it does not."""
    left = _remaining(number, {"state": {"$in": [State.COOLING, *LIVE]}})
    return max(left, default=0.0)


def _stays_in_use(number: int) -> bool:
    """Whether the active set can go on; one at its limit ends when its last access token does."""
    if _exhaust_if_used_up(number):
        return False
    _change(number, [State.READY], State.ACTIVE)
    in_use = {"number": number, "state": {"$in": [State.ACTIVE, State.RETIRING]}}
    return outside_transaction(TokenSet).count_documents(in_use) > 0


def _exhaust_if_used_up(number: int) -> bool:
    # A refresh that is under way has been counted already; its token is still to come.
    ended = {"$and": [{"$not": [refresh_lease.has_uses_left()]}, refresh_lease.is_due(), refresh_lease.is_idle()]}
    changed = outside_transaction(TokenSet).update_one(
        {"number": number, "state": {"$in": LIVE}, "$expr": ended}, [{"$set": reserve.exhausted()}]
    )
    if changed.modified_count:
        audit.record(action=Action.TOKEN_SET_EXHAUSTED, target=f"token set {number}")
    return bool(changed.modified_count)


def _next_after(active: int | None) -> int | None:
    """The next ready set by number, in a circle; the active one itself comes last."""
    ready = {
        "number": {"$gte": 1, "$lte": settings.TOKEN_SET_COUNT},
        "state": State.READY,
        "$expr": {"$and": [refresh_lease.has_uses_left(), clock.passed("not_before")]},
    }
    numbers = [row["number"] for row in outside_transaction(TokenSet).find(ready, {"number": 1})]
    count = settings.TOKEN_SET_COUNT
    return min(numbers, key=lambda number: (number - (active or 0) - 1) % count, default=None)


def _move(active: int | None, following: int, *, actor: str) -> bool:
    if not pool_state.move(active, following):
        return False
    _change(following, [State.READY], State.ACTIVE)
    audit.record(
        action=Action.TOKEN_SET_ACTIVATED, actor=actor, target=f"token set {following}", detail={"instead_of": active}
    )
    return True


def _change(number: int | None, leaving: list[str], state: str) -> None:
    outside_transaction(TokenSet).update_one({"number": number, "state": {"$in": leaving}}, {"$set": {"state": state}})


def _none_left() -> TokenUnavailable:
    resting = _remaining(None, {"state": {"$in": [State.COOLING, *LIVE]}})
    if resting:
        return TokenUnavailable("all usable sets are resting", _RESTING, wait_seconds=min(resting))
    return TokenUnavailable("no set is ready", NONE_LEFT)


def _remaining(number: int | None, which: dict[str, Any]) -> list[float]:
    """Seconds until the `not_before`, where it is in the future, of each such set (or of this number)."""
    left = {"left": {"$subtract": ["$not_before", clock.server_now()]}}
    still = {**which, "$expr": clock.is_ahead("not_before")}
    if number is None:
        rows = outside_transaction(TokenSet).find(still, left)
    else:
        rows = refresh_lease.documents(number).find({**still, "number": number}, left)
    return [row["left"] / 1000 for row in rows]
