"""What concerns the sets as a whole, in one document: which one is active, and whether the pool has stopped.

The pointer in this document decides which set is active; the sets' own states follow it.
"""

from datetime import datetime
from typing import Any, TypedDict

from pymongo.collection import Collection

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

PROBE_SECONDS = 600.0  # a stopped pool is tried again this often
_REJECTIONS_SECONDS = 3600.0  # how long a rejected fresh token counts against the client: as long as it lives
TABLE = "oauthtokens_pool"
_THE_ONE = {"_id": "pool"}


class Rejection(TypedDict):
    """A fresh token that was rejected: whose, and when."""

    number: int
    at: datetime


class PoolState(TypedDict):
    """The pool's document."""

    active: int | None  # number of the set in use
    stopped: str  # the reason, or ""
    probe_at: datetime | None
    demand_at: datetime | None
    usable_at: datetime | None
    rejections: list[Rejection]


_AT_FIRST: PoolState = {
    "active": None, "stopped": "", "probe_at": None, "demand_at": None, "usable_at": None, "rejections": []
}  # fmt: skip


def read() -> PoolState:
    """The pool's document, or what it is before anybody has written it."""
    stored: Any = _document().find_one(_THE_ONE) or {}
    state: PoolState = _AT_FIRST | stored
    return state


def active_unless_stopped() -> int | None:
    """The number of the active set; None when there is none, or the pool has stopped."""
    about_pool = read()
    return None if about_pool["stopped"] else about_pool["active"]


def move(old: int | None, new: int) -> bool:
    """Point at another set, if `old` is still the active one."""
    moved = _ensured().update_one(_THE_ONE | {"active": old}, {"$set": {"active": new}})
    return bool(moved.modified_count)


def stop(reason: str, *, until_a_call_succeeds: bool = False) -> None:
    """No set is used until a probe succeeds: a refresh, or a call. Audited the first time only."""
    halt = {
        "stopped": {"$literal": reason},
        "needs_call": until_a_call_succeeds,
        "probe_at": clock.after(PROBE_SECONDS),
    }
    if _ensured().update_one(_THE_ONE | {"stopped": ""}, [{"$set": halt}]).modified_count:
        audit.record(action=Action.TOKEN_POOL_STOPPED, target="token pool", detail={"reason": reason})
    else:
        _document().update_one(_THE_ONE, [{"$set": halt}])


def win_probe() -> bool:
    """The right to try a stopped pool; one caller gets it per PROBE_SECONDS."""
    due = {"stopped": {"$ne": ""}, "$expr": clock.passed("probe_at")}
    won = _document().update_one(_THE_ONE | due, [{"$set": {"probe_at": clock.after(PROBE_SECONDS)}}])
    return bool(won.modified_count)


def resume() -> None:
    """The client works: end a stop, if there is one."""
    is_over = [{"$set": {"stopped": "", "usable_at": clock.server_now()}}]
    resumed = _document().update_one(_THE_ONE | {"stopped": {"$nin": ["", None]}}, is_over)
    if resumed.modified_count:
        audit.record(action=Action.TOKEN_POOL_RESUMED, target="token pool")


def is_unproven() -> bool:
    """Whether the pool is stopped until a call succeeds: then a token that was handed out proves nothing."""
    return _document().count_documents(_THE_ONE | {"stopped": {"$nin": ["", None]}, "needs_call": True}) > 0


def fresh_token_was_rejected(number: int) -> bool:
    """Note it; True when another set's fresh token was rejected not long ago, which is no set's own fault."""
    since = clock.after(-_REJECTIONS_SECONDS)
    recent = {"$filter": {"input": "$rejections", "cond": {"$gt": ["$$this.at", since]}}}
    noted = {"$concatArrays": [{"$ifNull": [recent, []]}, [{"number": number, "at": clock.server_now()}]]}
    _ensured().update_one(_THE_ONE, [{"$set": {"rejections": noted}}])
    return len({rejection["number"] for rejection in read()["rejections"]}) > 1


def fresh_token_was_accepted() -> None:
    """The client works, and so does a token that was in doubt: what was rejected before counts no more."""
    _document().update_one(_THE_ONE, {"$set": {"rejections": []}})
    resume()


def note_usable() -> None:
    """A set has just become usable; what waits for tokens goes by it (`availability`)."""
    _ensured().update_one(_THE_ONE, [{"$set": {"usable_at": clock.server_now()}}])


def note_demand() -> None:
    """Somebody needs tokens now; `refresh_due` goes by it."""
    _ensured().update_one(_THE_ONE, [{"$set": {"demand_at": clock.server_now()}}])


def is_in_demand(within_seconds: float) -> bool:
    """Whether anybody needed a token in the last `within_seconds`."""
    recent = {"$expr": {"$gt": ["$demand_at", clock.after(-within_seconds)]}}
    return _document().count_documents(_THE_ONE | recent) > 0


def _document() -> Collection[Document]:
    return outside_transaction(TABLE)


def _ensured() -> Collection[Document]:
    document = _document()
    document.update_one(_THE_ONE, {"$setOnInsert": _AT_FIRST}, upsert=True)
    return document
