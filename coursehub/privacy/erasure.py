"""Erasing one learner everywhere, and again after a restore.

Each app registers what erases a learner from its own documents. The log of erasures holds no address:
only hashes under a key of its own, which tell whether an address that a restored backup brings back was
erased. A restore keeps the present log over the backup's (`keep_log`) and calls `erase_again`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from pymongo.collection import Collection

from coursehub import audit, clock, emails, registered
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.privacy import pseudonyms

TABLE = "coursehub_erasure"
_KEY = "key"


@dataclass(frozen=True)
class Eraser:
    """Dotted paths: of `erase(email) -> {what: how many}`, which may run twice, and of `addresses()` that are held.

    The addresses may come in every spelling that is held, and more than once.
    """

    erase: str
    addresses: str


_ERASERS: dict[str, Eraser] = {}


def register(app: str, *, erase: str, addresses: str) -> None:
    """Called by AppConfig.ready()."""
    for path in (erase, addresses):
        registered.note(path, "erasing a learner")
    _ERASERS[app] = Eraser(erase, addresses)


def erase(email: str, *, actor: str) -> dict[str, int]:
    """Erase the learner with this address; what was erased, and how much of it.

    Safe to repeat after a crash. It does not touch TrainerCentral: a learner who is still a member of a
    course there comes back with the next poll.
    """
    counts: dict[str, int] = {}
    _log(email)
    for eraser in _ERASERS.values():
        erased: dict[str, int] = _function(eraser.erase)(email)
        counts |= {name: counts.get(name, 0) + count for name, count in erased.items()}
    audit.record(action=Action.LEARNER_ERASED, actor=actor, detail={"learner": pseudonyms.of(email), **counts})
    pseudonyms.forget(email)
    return counts


def erase_again(*, actor: str, since: datetime | None = None) -> int:
    """Erase whoever is in the log of erasures, `since` a moment or ever, and is here again; returns how many.

    Whoever was erased earlier may be here rightly: somebody has uploaded the address anew.
    """
    logged = {_KEY: None} | ({"at": {"$gte": since}} if since else {})
    erased = {row["_id"] for row in _erasures().find(logged, {"_id": 1})}
    if not erased:
        return 0
    keys = [bytes(row[_KEY]) for row in _erasures().find({_KEY: {"$ne": None}})]
    held = set(pseudonyms.named())
    for eraser in _ERASERS.values():
        held.update(_function(eraser.addresses)())
    # An earlier version may have logged another spelling than the one that is held now.
    found = {
        emails.normalize(address)
        for address in held
        if any(pseudonyms.keyed_hash(one, key) in erased for one in emails.spellings(address) for key in keys)
    }
    for address in sorted(found):
        erase(address, actor=actor)
    return len(found)


def has_erased(*, since: datetime) -> bool:
    """Whether anybody was erased since that moment."""
    return _erasures().find_one({_KEY: None, "at": {"$gte": since}}, {"_id": 1}) is not None


def keep_log(into: Collection[Document]) -> None:
    """For a restore: add what the present log knows to the backup's. A log of another key keeps its key beside it."""
    for row in _erasures().find():
        if _KEY not in row:
            into.update_one({"_id": row["_id"]}, {"$max": {"at": row["at"]}}, upsert=True)
            continue
        kept = into.find_one_and_update({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True)
        if kept and kept[_KEY] != row[_KEY]:
            other = {"_id": hashlib.sha256(row[_KEY]).hexdigest(), _KEY: row[_KEY]}
            into.update_one({"_id": other["_id"]}, {"$setOnInsert": other}, upsert=True)


def _log(email: str) -> None:
    """Before anything is erased, so that a restore in the middle knows of it."""
    _erasures().update_one({"_id": _hash(email)}, [{"$set": {"at": clock.server_now()}}], upsert=True)


def _hash(email: str) -> str:
    return pseudonyms.keyed_hash(emails.normalize(email), pseudonyms.key_in(_erasures(), _KEY))


@cache
def _function(path: str) -> Callable[..., Any]:
    function: Callable[..., Any] = import_string(path)
    return function


def _erasures() -> Collection[Document]:
    return outside_transaction(TABLE)
