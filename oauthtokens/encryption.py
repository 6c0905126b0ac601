"""Tokens at rest: encrypted with TOKEN_ENCRYPTION_KEYS, and bound to the place they are stored in.

Set number, kind and generation stand inside the encrypted text, so that two texts which somebody
swapped in the database are noticed instead of used.
"""

import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

REFRESH, ACCESS = "refresh", "access"


class Undecryptable(Exception):
    """No key opens the text, or it belongs elsewhere. Says which set, never what was in it."""

    def __init__(self, number: int, kind: str) -> None:
        super().__init__(f"the {kind} token of token set {number} cannot be decrypted")


def encrypt(token: str, *, number: int, kind: str, generation: int) -> str:
    """`token` as text for the database, under the newest key."""
    content = {"set": number, "kind": kind, "generation": generation, "token": token}
    return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).encrypt(json.dumps(content).encode()).decode()


def decrypt(text: str, *, number: int, kind: str, generation: int) -> str:
    """The token in `text`. Raises Undecryptable, also when it is another set's, kind's or generation's."""
    try:
        content = json.loads(_fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).decrypt(text.encode()))
    except (InvalidToken, ValueError):
        content = {}
    if (content.get("set"), content.get("kind"), content.get("generation")) != (number, kind, generation):
        # Raised outside the handler: the cause would only show pieces of the text.
        raise Undecryptable(number, kind)
    token: str = content["token"]
    return token


def key_count() -> int:
    """How many keys there are."""
    return len(settings.TOKEN_ENCRYPTION_KEYS)


def key_position(text: str) -> int | None:
    """Which key opens `text`, 0 being the newest; None when none does. Which place it belongs to is not looked at."""
    for position, key in enumerate(settings.TOKEN_ENCRYPTION_KEYS):
        try:
            _fernet((key,)).decrypt(text.encode())
        except (InvalidToken, ValueError):
            continue
        return position
    return None


def under_newest_key(text: str) -> str:
    """The same content, encrypted with the newest key. Raises cryptography's InvalidToken when no key opens it."""
    return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).rotate(text.encode()).decode()


@lru_cache(maxsize=16)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
