"""Moving every stored token to the newest key, while everything runs.

A value is written only over the very text that was read: what somebody replaced meanwhile is theirs, and
already under the newest key. What no key opens stays as it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymongo.collection import Collection

from coursehub import audit
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from oauthtokens import encryption, revocation
from oauthtokens.models import TokenSet
from oauthtokens.pool import refresh_lease
from oauthtokens.regeneration import consents

# Every field of every collection that holds encrypted text.
PLACES: tuple[tuple[type[TokenSet] | str, tuple[str, ...]], ...] = (
    (TokenSet, ("refresh_token", "access_token")),
    (refresh_lease.CLIENT_TABLE, ("access_token",)),
    (revocation.TABLE, ("token",)),
    (consents.TABLE, ("verifier",)),
)


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """`moved` values; `by_key` holds for each key, newest first, how many values only it opens now."""

    moved: int
    by_key: tuple[int, ...]
    undecryptable: int


def reencrypt(*, actor: str, told: Callable[[int, int], None] | None = None) -> Reencrypted:
    """Bring all that an older key opens under the newest one; may run at any time, and twice.

    `told` hears after each value how many of how many are done.
    """
    values = list(_values())
    moved = 0
    for done, (collection, key, field, text) in enumerate(values, start=1):
        moved += _move(collection, key, field, text)
        if told:
            told(done, len(values))
    positions = [encryption.key_position(text) for *_, text in _values()]
    by_key = tuple(positions.count(position) for position in range(encryption.key_count()))
    if moved:
        audit.record(action=Action.TOKENS_REENCRYPTED, actor=actor, target="token pool", detail={"values": moved})
    return Reencrypted(moved, by_key, positions.count(None))


def _move(collection: Collection[Document], key: object, field: str, text: str) -> bool:
    """Whether this value was moved."""
    if encryption.key_position(text) in (0, None):
        return False
    newer = encryption.under_newest_key(text)
    return bool(collection.update_one({"_id": key, field: text}, {"$set": {field: newer}}).modified_count)


def _values() -> Iterator[tuple[Collection[Document], object, str, str]]:
    for place, fields in PLACES:
        collection = outside_transaction(place)
        for row in collection.find({}, dict.fromkeys(fields, 1)):
            yield from ((collection, row["_id"], field, row[field]) for field in fields if row.get(field))
