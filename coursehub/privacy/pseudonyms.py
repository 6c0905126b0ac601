"""Names for learners in the audit trail: a keyed hash of the address, each with a random key of its own.

Without its key a hash names nobody, so deleting the key erases the name and leaves the chain as it is.
"""

import hmac
import secrets
from collections.abc import Iterator
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

from coursehub.emails import normalize, spellings
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

_KEY_BYTES = 32
_AFTER = ReturnDocument.AFTER


def of(email: str) -> str:
    """The name of this address, 64 hex digits: the same each time until it is forgotten."""
    address = normalize(email)
    kept = _kept(_keys(), address)
    return keyed_hash(kept.get("address", address), bytes(kept["key"]))


def forget(email: str) -> bool:
    """Delete the key: what was named by it names nobody any more. Whether there was one."""
    return bool(_keys().delete_many({"_id": {"$in": sorted(spellings(email))}}).deleted_count)


def merge(into: str, kept: dict[str, Any]) -> None:
    """An earlier version named two spellings of one address each by itself, or named it by another one: `kept`.

    Both names stay as they are in the trail, and are forgotten together. For migrations; may run twice.
    """
    own = {"address": kept.get("address", kept["_id"]), "key": kept["key"]}
    found = _keys().find_one_and_update({"_id": into}, {"$setOnInsert": own}, upsert=True, return_document=_AFTER)
    if found and bytes(found["key"]) != bytes(own["key"]):
        _keys().update_one({"_id": into}, {"$addToSet": {"older": own}})
    _keys().delete_one({"_id": kept["_id"]})


def names(email: str) -> list[str]:
    """All names by which the trail may know this address; none after it was forgotten."""
    kept = _keys().find_one({"_id": normalize(email)})
    if not kept:
        return []
    both = [{"address": kept["_id"], **kept}, *kept.get("older", [])]
    return [keyed_hash(one["address"], bytes(one["key"])) for one in both]


def named() -> Iterator[str]:
    """Every address that has a name now."""
    return (row["_id"] for row in _keys().find({}, {"_id": 1}))


def key_in(collection: Collection[Document], name: str) -> bytes:
    """The random key of that name, made when it is asked for the first time."""
    return bytes(_kept(collection, name)["key"])


def keyed_hash(text: str, key: bytes) -> str:
    """HMAC-SHA-256 in hex."""
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _kept(collection: Collection[Document], name: str) -> dict[str, Any]:
    new = {"$setOnInsert": {"key": secrets.token_bytes(_KEY_BYTES)}}
    return collection.find_one_and_update({"_id": name}, new, upsert=True, return_document=_AFTER) or {"key": b""}


def _keys() -> Collection[Document]:
    return outside_transaction("coursehub_addresskey")
