"""Which of the provider's places for refresh tokens are taken: it keeps 20 per client and deletes the oldest.

An exchange is noted before it is made and forgotten once its token is stored or provably none was made, so
that a token whose answer was lost still counts: it lives at the provider, and nobody here can revoke it. It
counts until all sets have newer tokens: then it is the oldest, and so the first that the provider deletes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.collection import Collection

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.trainercentral import errors
from oauthtokens import revocation
from oauthtokens.models import TokenSet
from oauthtokens.pool.refresh_lease import State

TABLE = "oauthtokens_exchanges"
LIMIT = 19  # live tokens that we do not reach: one below the provider's 20
_NO_TOKEN_MADE = (errors.InvalidCode, errors.ClientWide, errors.MintThrottled, errors.Unreachable)


def taken() -> int:
    """Refresh tokens that live at the provider: of the sets, waiting for revocation, and lost on the way."""
    held = {"refresh_token": {"$ne": ""}, "state": {"$ne": State.BROKEN}}
    made = [row["regenerated_at"] for row in outside_transaction(TokenSet).find(held, {"regenerated_at": 1})]
    if made:
        _collection().delete_many({"begun_at": {"$lt": min(made)}})
    return len(made) + revocation.pending_count() + _collection().count_documents({})


def is_one_left() -> bool:
    """Whether one more token may be made before an old one is revoked."""
    return taken() + 1 < LIMIT


@contextmanager
def exchange(number: int) -> Iterator[None]:
    """Around an exchange and the storing of what came of it."""
    noted = _collection().insert_one({"number": number, "begun_at": clock.now()}).inserted_id
    try:
        yield
    except _NO_TOKEN_MADE:
        _collection().delete_one({"_id": noted})
        raise
    _collection().delete_one({"_id": noted})


def _collection() -> Collection[Document]:
    return outside_transaction(TABLE)
