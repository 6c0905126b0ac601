"""Names for learners in the audit trail: a keyed hash of the address, each with a random key of its own.

Without its key a hash names nobody, so deleting the key erases the name and leaves the chain as it is.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Iterator

from pymongo import ReturnDocument
from pymongo.collection import Collection

from coursehub.mongo import outside_transaction

_KEY_BYTES = 32


def of(email: str) -> str:
    """The name of this address, 64 hex digits: the same each time until it is forgotten."""
    address = folded(email)
    return keyed_hash(address, key_in(_keys(), address))


def forget(email: str) -> bool:
    """Delete the key: what was named by it names nobody any more. Whether there was one."""
    return bool(_keys().delete_one({"_id": folded(email)}).deleted_count)


def named() -> Iterator[str]:
    """Every address that has a name now."""
    return (row["_id"] for row in _keys().find({}, {"_id": 1}))


def folded(email: str) -> str:
    """The form in which addresses are compared: trimmed, composed, lower case."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def key_in(collection: Collection, name: str) -> bytes:
    """The random key of that name, made when it is asked for the first time."""
    new = {"$setOnInsert": {"key": secrets.token_bytes(_KEY_BYTES)}}
    kept = collection.find_one_and_update({"_id": name}, new, upsert=True, return_document=ReturnDocument.AFTER)
    return bytes(kept["key"]) if kept else b""


def keyed_hash(text: str, key: bytes) -> str:
    """HMAC-SHA-256 in hex."""
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _keys() -> Collection:
    return outside_transaction("coursehub_addresskey")
