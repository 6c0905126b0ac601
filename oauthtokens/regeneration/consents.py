"""Consents under way at the provider's page: which set, who, and the secrets that tie the answer to the question.

One document per consent, named by the hash of its state; whoever takes it first has used it up. So a replayed,
forged, late or foreign callback finds nothing to take.
"""

import hashlib
import secrets
from dataclasses import dataclass, field

from django.conf import settings
from pymongo.collection import Collection

from coursehub import clock
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from oauthtokens import encryption

TABLE = "oauthtokens_consents"
LIFE_SECONDS = 600.0  # from our page to the answer of the provider's
EVERY_SECONDS = 15.0  # the provider allows 5 new refresh tokens a minute (contract §5.5)
_FORGET_SECONDS = 86_400.0
_PACE = {"_id": "pace"}
_VERIFIER = "verifier"


class Unusable(Exception):
    """The provider's answer leads to no tokens, and no set was changed. `sentence` says why, for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class TooSoon(Exception):
    """The provider's pace: the next consent may begin in `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"The next consent may begin in {wait_seconds:.0f} s.")
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that was asked for. `state` and `code_verifier` are secrets."""

    number: int
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


def redirect_uri() -> str:
    """Where the provider sends the browser back to; registered there, exactly so."""
    return f"{settings.PUBLIC_URL}/oauth/callback/"


def begin(*, number: int, user_id: int) -> Consent:
    """A new consent for set `number`, good for 10 minutes and for this user. Raises TooSoon."""
    _keep_pace()
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    kept = encryption.encrypt(verifier, number=number, kind=_VERIFIER, generation=0)
    document = {"number": number, "user_id": user_id, "taken": False, "verifier": {"$literal": kept}}
    _collection().update_one(
        {"_id": _name(state)}, [{"$set": document | {"expires_at": clock.after(LIFE_SECONDS)}}], upsert=True
    )
    long_ago = {"$expr": {"$lte": ["$expires_at", clock.after(-_FORGET_SECONDS)]}}
    _collection().delete_many({"expires_at": {"$exists": True}, **long_ago})
    return Consent(number, state, verifier)


def take(*, state: str, user_id: int) -> Consent:
    """The consent of that state, once. Raises Unusable; one that another user began stays untaken."""
    name = _name(state)
    alive = {"$expr": clock.is_ahead("expires_at")}
    row = _collection().find_one_and_update(
        {"_id": name, "user_id": user_id, "taken": False, **alive}, {"$set": {"taken": True}}
    )
    if row is None:
        raise Unusable(_why_not(name, user_id))
    try:
        verifier = encryption.decrypt(row["verifier"], number=row["number"], kind=_VERIFIER, generation=0)
    except encryption.Undecryptable:
        verifier = ""
    if not verifier:
        raise Unusable("The encryption key of this consent is missing: begin again.")
    return Consent(row["number"], state, verifier)


def seconds_to_wait() -> float:
    """Until the next consent may begin; 0 when it may now."""
    left = {"left": {"$subtract": ["$next_at", clock.server_now()]}}
    row = _collection().find_one(_PACE, left) or {}
    return max(0.0, (row.get("left") or 0) / 1000)


def _keep_pace() -> None:
    collection = _collection()
    due = {"$expr": clock.passed("next_at")}
    following = [{"$set": {"next_at": clock.after(EVERY_SECONDS)}}]
    collection.update_one(_PACE, {"$setOnInsert": {"next_at": None}}, upsert=True)
    if not collection.update_one(_PACE | due, following).modified_count:
        raise TooSoon(max(seconds_to_wait(), 1.0))


def _why_not(name: str, user_id: int) -> str:
    row = _collection().find_one({"_id": name})
    if row is None:
        return "This consent was not begun here, or more than a day ago: begin it on the page of the token sets."
    if row["user_id"] != user_id:
        return "This consent was begun by somebody else: only who began it can end it."
    if row["taken"]:
        return "This consent was used before; a consent is good for one set of tokens."
    return "This consent took longer than 10 minutes: begin again."


def _name(state: str) -> str:
    return hashlib.sha256(state.encode(errors="replace")).hexdigest()


def _collection() -> Collection[Document]:
    return outside_transaction(TABLE)
