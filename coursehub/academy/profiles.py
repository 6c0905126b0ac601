"""The document of the configured academy: facts noted, and all that is known as the client asks for it.

An academy is an organisation at an address: who configures another one begins with an empty profile, and finds the
old one again on the way back.
"""

import json
import logging
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.conf import settings
from pymongo.errors import DuplicateKeyError, PyMongoError

from coursehub import clock
from coursehub.academy.facts import FACTS
from coursehub.models import AcademyAnswer, AcademyProfile
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.profile import Meaning, Profile

logger = logging.getLogger(__name__)

DAILY_WORK, PROBE = "daily work", "probe_academy"
REREAD_SECONDS = 3.0
_OF_PROFILE = ("page_cap", "newest_first", "pending_listed", "pending_status", "throttled_at_per_minute")


class _Known:
    """Of this process: the profile as read last, of which academy, and when by the machine's clock."""

    profile = Profile()
    facts: Mapping[str, Any] = {}
    academy_id = ""
    read_at: float | None = None


def academy_id() -> str:
    """The key of the configured academy's document."""
    whole = json.dumps([settings.TRAINERCENTRAL_ORG_ID, settings.TRAINERCENTRAL_URL])
    return sha256(whole.encode()).hexdigest()[:32]


def profile() -> Profile:
    """What is known now, at most some seconds old. Never raises: without MongoDB it is what was known last."""
    _read()
    return _Known.profile


def value_of(name: str) -> Any:
    """What is known of one of FACTS, at most some seconds old; None for nothing."""
    _read()
    return _Known.facts.get(name)


def forget() -> None:
    """Read afresh at the next question."""
    _Known.read_at = None


def note_fact(name: str, value: Any, *, source: str = DAILY_WORK) -> bool:
    """`value` (None: not known any more) is what was found out; True when that is news.

    `name` is one of FACTS. Raises ValueError for another name or type, and what pymongo raises.
    """
    if name not in FACTS:
        raise ValueError(f"There is no fact {name!r}.")
    value = FACTS[name].read(value)
    _read()
    if _Known.academy_id == academy_id() and name in _Known.facts and _Known.facts[name] == value:
        return False
    if not _store(name, value, source):
        return False
    forget()
    return True


def _store(name: str, value: Any, source: str) -> bool:
    noted = {"value": {"$literal": value}, "since": clock.server_now(), "source": {"$literal": source}}
    academy = {"id": academy_id(), "org_id": settings.TRAINERCENTRAL_ORG_ID, "address": settings.TRAINERCENTRAL_URL}
    fields = {key: {"$literal": text} for key, text in academy.items()} | {f"facts.{name}": noted}
    # A fact that is not there is no null: the first "not known" is no news, and is not written.
    differs = {"_id": academy_id(), f"facts.{name}.value": {"$ne": value}}
    documents = outside_transaction(AcademyProfile)
    try:
        stored = documents.update_one(differs, [{"$set": fields}], upsert=value is not None)
    except DuplicateKeyError:  # it is there, with this value; or somebody else was first, and notes it again
        return False
    return bool(stored.modified_count or stored.upserted_id)


def facts() -> dict[str, dict[str, Any]]:
    """Name -> {"value", "since" (aware), "source"} of the configured academy, in the order of FACTS."""
    held = (outside_transaction(AcademyProfile).find_one({"_id": academy_id()}) or {}).get("facts") or {}
    return {name: held[name] for name in FACTS if name in held}


def document() -> dict[str, Any]:
    """The whole profile as JSON, for a support case: facts and kinds of answers. A sandbox can be made like it."""
    found = facts()
    answers = AcademyAnswer.objects.filter(academy_id=academy_id()).order_by("first_seen_at")
    return {
        "facts": {name: {**one, "since": one["since"].isoformat()} for name, one in found.items()},
        "answers": [
            {name: getattr(one, name) for name in ("endpoint", "status", "code", "shape", "sample", "meaning", "times")}
            for one in answers
        ],
    }


def _read() -> None:
    now_id, now = academy_id(), time.monotonic()
    fresh = _Known.read_at is not None and now - _Known.read_at < REREAD_SECONDS
    if fresh and _Known.academy_id == now_id:
        return
    try:
        held = {name: one["value"] for name, one in facts().items()}
        meanings = _meanings(now_id)
    except PyMongoError as error:
        logger.warning("The academy's profile could not be read: %s", type(error).__name__)
        if _Known.academy_id != now_id:
            _Known.profile, _Known.facts, _Known.academy_id = Profile(), {}, now_id
        return
    of_profile = {name: held[name] for name in _OF_PROFILE if name in held}
    _Known.profile, _Known.facts = Profile(meanings=meanings, **of_profile), held
    _Known.academy_id, _Known.read_at = now_id, now


def _meanings(of_academy: str) -> dict[str, Meaning]:
    decided = outside_transaction(AcademyAnswer).find(
        {"academy_id": of_academy, "meaning": {"$in": list(Meaning)}}, ["key", "meaning"]
    )
    return {one["key"]: Meaning(one["meaning"]) for one in decided}
