"""What it means that TrainerCentral did not accept an access token, and that it did.

An old token is forgotten, and the next caller gets another one. A fresh one that is refused says that the token
was ended at the provider, or that something is wrong with more than the token; one answer does not tell which.
So its set rests for some seconds, in which another set is tried, and a second call decides: when the same token is
refused again it is replaced, at the cost of one use. A replacement that is refused as well costs no further use:
its set rests. Fresh tokens of two sets refused stop the pool until a call succeeds.

A call never reports the same token twice: between its attempts the set rests. So whoever reports it again, in this
process or another, is another call.
"""

from typing import Any

from coursehub import clock
from coursehub.audit import Action
from coursehub.trainercentral import AccessToken
from oauthtokens.pool import pool_state, refresh_lease
from oauthtokens.pool.refresh_lease import CLIENT, LIVE, State

# A token refused so soon after it was made says that something is wrong with the set, or with more.
FRESH_SECONDS = 60.0
# So long a set rests before its fresh token is tried once more.
SECOND_TRY_AFTER_SECONDS = 5.0
# Where tokens are ended early again and again, replacing them would spend the uses of a week in an hour.
_REPLACED_EVERY_SECONDS = pool_state.PROBE_SECONDS
_REFUSED = "TrainerCentral did not accept its fresh access token."
_GONE = {"access_token": "", "access_expires_at": None, "access_fence": 0, "access_unproven": False}


def rejected(token: AccessToken) -> None:
    """The API did not accept this token, which a call has used. Nothing happens when it was replaced meanwhile."""
    if not isinstance(token.key, tuple):
        return
    number, generation, fence, _ = token.key
    name = {"number": number, "generation": generation, "access_fence": fence}
    row = refresh_lease.documents(number).find_one(name)
    if row is None:
        return
    if not _is_fresh(row):
        if refresh_lease.documents(number).update_one(name, {"$set": _GONE}).modified_count:
            refresh_lease.tell(number, Action.TOKEN_SET_ACCESS_TOKEN_REJECTED, lost_seconds=_lost_seconds(row))
        return
    for _ in range(2):  # of two callers at the same moment one is the first, and the other confirms
        if _replace(name, _lost_seconds(row)) or _rest(name):
            return


def accepted(token: AccessToken) -> None:
    """The API accepted this token. Costs nothing, unless that was in doubt."""
    if isinstance(token.key, tuple) and token.key[-1]:
        number, generation, fence, _ = token.key
        name = {"number": number, "generation": generation, "access_fence": fence}
        proven = {"access_unproven": False, "is_replacement": False}
        refresh_lease.documents(number).update_one(name, {"$set": proven})
        pool_state.fresh_token_was_accepted()


def _is_fresh(row: dict[str, Any]) -> bool:
    """Whether the token was just made, or has never been accepted."""
    if row["access_unproven"]:
        return True
    refreshed_at = row["last_refreshed_at"]
    return bool(refreshed_at) and (clock.now() - refreshed_at).total_seconds() <= FRESH_SECONDS


def _may_be_replaced() -> dict[str, Any]:
    """The expression for: it is worth a use to have another token in the place of one that is refused twice."""
    long_ago = {"$lte": [{"$ifNull": ["$replaced_at", None]}, clock.after(-_REPLACED_EVERY_SECONDS)]}
    return {"$and": [{"$ne": ["$is_replacement", True]}, long_ago]}


def _lost_seconds(row: dict[str, Any]) -> int:
    """How much longer the token should have lived, by what the provider said when it made it."""
    ends = row["access_expires_at"]
    return max(0, round((ends - clock.now()).total_seconds())) if ends else 0


def _replace(name: dict[str, Any], lost_seconds: int) -> bool:
    """Give the token up if this is not the first call that it failed: the next caller has the set refreshed."""
    number = name["number"]
    if number != CLIENT and pool_state.is_unproven():  # no token is to blame, so another one would not help
        return False
    refused_before = {**name, "access_unproven": True, "state": {"$in": [State.COOLING, *LIVE]}}
    ready = State.ACTIVE if number == CLIENT else State.READY
    given_up = {
        **_GONE,
        "reason": "",
        "not_before": None,
        "state": {"$cond": [{"$eq": ["$state", State.COOLING]}, ready, "$state"]},
        "is_replacement": True,
        "replaced_at": clock.server_now(),
    }
    replaced = (
        refresh_lease.documents(number)
        .update_one({**refused_before, "$expr": _may_be_replaced()}, [{"$set": given_up}])
        .modified_count
    )
    if replaced:
        reason = "A second call was refused with it."
        refresh_lease.tell(number, Action.TOKEN_SET_ACCESS_TOKEN_GIVEN_UP, reason=reason, lost_seconds=lost_seconds)
        pool_state.note_usable()
    return bool(replaced)


def _rest(name: dict[str, Any]) -> bool:
    """Let the set rest; False when it rests already. The token stays, and is unproven from now on."""
    number = name["number"]
    short = number != CLIENT and not pool_state.is_unproven()
    seconds = {
        "$cond": [
            _may_be_replaced(),
            SECOND_TRY_AFTER_SECONDS if short else pool_state.PROBE_SECONDS,
            pool_state.PROBE_SECONDS,
        ]
    }
    resting = {
        "state": State.COOLING, "reason": _REFUSED, "not_before": clock.after(seconds), "access_unproven": True
    }  # fmt: skip
    rests = refresh_lease.documents(number).update_one({**name, "state": {"$in": LIVE}}, [{"$set": resting}])
    if not rests.modified_count:
        return False
    refresh_lease.tell(number, Action.TOKEN_SET_ACCESS_TOKEN_REJECTED)
    refresh_lease.tell(number, Action.TOKEN_SET_COOLING)
    _stop_where_no_set_is_to_blame(number)
    return True


def _stop_where_no_set_is_to_blame(number: int) -> None:
    of_two_sets = pool_state.fresh_token_was_rejected(number)
    if number == CLIENT:
        pool_state.stop(
            "TrainerCentral did not accept a fresh access token of the client itself.", until_a_call_succeeds=True
        )
    elif of_two_sets:
        pool_state.stop(
            "TrainerCentral did not accept fresh access tokens of two token sets.", until_a_call_succeeds=True
        )
