"""Kinds of answers that nobody had seen before: noted, asked about once, learnt or decided, and told to who waits.

One document per academy and kind. Each change is one conditional update; each may be made twice.
"""

import logging
from collections.abc import Callable
from typing import Any

from pymongo.errors import DuplicateKeyError, PyMongoError

from coursehub import audit, clock
from coursehub.academy import profiles, redaction
from coursehub.audit import Action
from coursehub.models import AcademyAnswer
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.profile import AnswerKind, Meaning

logger = logging.getLogger(__name__)

# More kinds than any API has: then something in them differs from call to call, and no person could answer them.
KINDS_MOST = 200
LOOK_UP = "look-up"
# A process may have read the profile just before a decision, and a call takes its time: who waits is told once more.
_TELL_AGAIN_SECONDS = 180.0
_TRY_AGAIN_SECONDS = 60.0

# Filled by AppConfig.ready(), through the functions below.
LISTENERS: list[Callable[[str, Meaning, str], object]] = []
COUNTERS: list[Callable[[str], int]] = []


def register_decision_listener(listener: Callable[[str, Meaning, str], object]) -> None:
    """`listener(kind_key, meaning, actor)` settles what waits for that meaning; it is called more than once."""
    if listener not in LISTENERS:
        LISTENERS.append(listener)


def register_waiting_counter(counter: Callable[[str], int]) -> None:
    """`counter(kind_key)` says how many rows wait for the meaning of that kind."""
    if counter not in COUNTERS:
        COUNTERS.append(counter)


def waiting(kind_key: str) -> int:
    """How many rows wait for the meaning of this kind."""
    return sum(count(kind_key) for count in COUNTERS)


def note_answer(kind: AnswerKind, sample: Any) -> None:
    """An answer to an acting call was of a kind that means nothing yet. Never raises: the answer itself matters more.

    What is stored is redacted once more, whoever has redacted it before.
    """
    try:
        _note(kind, sample)
    except PyMongoError as error:
        logger.warning("A kind of answer was not noted: %s", type(error).__name__)


def _note(kind: AnswerKind, sample: Any) -> None:
    answers, key = outside_transaction(AcademyAnswer), _id(kind.key)
    seen = {"last_seen_at": clock.server_now(), "times": {"$add": ["$times", 1]}}
    if answers.update_one({"_id": key}, [{"$set": seen}]).matched_count:
        return
    if answers.count_documents({"academy_id": profiles.academy_id()}, limit=KINDS_MOST) >= KINDS_MOST:
        logger.warning("More than %d kinds of answers: the latest was not noted", KINDS_MOST)
        return
    new = _as_new(kind, sample) | {"first_seen_at": clock.server_now(), "last_seen_at": clock.server_now()}
    anew = {name: {"$ifNull": [f"${name}", value]} for name, value in new.items()}
    anew |= {"last_seen_at": clock.server_now(), "times": {"$add": [{"$ifNull": ["$times", 0]}, 1]}}
    try:
        answers.update_one({"_id": key}, [{"$set": anew}], upsert=True)
    except DuplicateKeyError:  # somebody else was first
        answers.update_one({"_id": key}, [{"$set": seen}])


def _as_new(kind: AnswerKind, sample: Any) -> dict[str, Any]:
    fields = {
        "id": _id(kind.key),
        "academy_id": profiles.academy_id(),
        "key": kind.key,
        "endpoint": redaction.short(kind.endpoint),
        "status": kind.status,
        "code": redaction.code(kind.code),
        "shape": redaction.shape(kind.shape),
        "sample": redaction.sample(sample),
        **{"there": 0, "absent": 0, "meaning": "", "decided_by": "", "by_itself": False},
    }
    empty = {"decided_at": None, "withdrawn_at": None, "tell_at": None}
    return {name: {"$literal": value} for name, value in (fields | empty).items()}


def note_finding(kind_key: str, *, there: int = 0, absent: int = 0) -> None:
    """Of learners so answered a look-up found `there` among the course's members, and `absent` not.

    What a look-up had learnt of this kind is taken back when somebody is absent: then a person is asked (again).
    """
    if not (there or absent):
        return
    answers, key = outside_transaction(AcademyAnswer), _id(kind_key)
    answers.update_one({"_id": key}, {"$inc": {"there": there, "absent": absent}})
    if not absent:
        return
    taken_back = {"meaning": "", "by_itself": False, "decided_by": "", "decided_at": None, "tell_at": None}
    learnt = {"_id": key, "meaning": Meaning.INVITED, "by_itself": True}
    if answers.update_one(learnt, [{"$set": taken_back | {"withdrawn_at": clock.server_now()}}]).matched_count:
        profiles.forget()
        audit.record(
            action=Action.ANSWER_ASKED_AGAIN, target=f"answer {kind_key}", detail={"there": there, "absent": absent}
        )


def learn(kind_key: str, meaning: Meaning, *, by: str = LOOK_UP) -> bool:
    """The meaning was found out without a person: then later answers of the kind have it. True when that is news.

    Not of a kind that has a meaning, nor of one of which a look-up has found a learner absent.
    """
    open_kind = {"_id": _id(kind_key), "meaning": "", "absent": 0}
    if not _decide(open_kind, meaning, by, by_itself=True):
        return False
    audit.record(action=Action.ANSWER_LEARNT, target=f"answer {kind_key}", detail={"meaning": meaning.value, "by": by})
    tell(kind_key)
    return True


def decide(kind_key: str, meaning: Meaning, *, actor: str, instead_of: str | None = None) -> bool:
    """A person says what this kind means; what waits is settled, and later answers have that meaning.

    False when there is no such kind, when it has this meaning by a person's word already, or when it does not mean
    `instead_of` any more ("": it was open; None: whatever it means). A correction changes nothing that is settled.
    """
    as_seen = {"_id": _id(kind_key)} | ({} if instead_of is None else {"meaning": instead_of})
    before = outside_transaction(AcademyAnswer).find_one(as_seen, ["meaning", "by_itself", "code", "status"])
    if before is None or (before["meaning"] == meaning and not before["by_itself"]):
        return False
    if not _decide(as_seen | {"meaning": before["meaning"]}, meaning, actor, by_itself=False):
        return False
    detail = {"meaning": meaning.value, "before": before["meaning"], "code": before["code"], "status": before["status"]}
    audit.record(action=Action.ANSWER_DECIDED, actor=actor, target=f"answer {kind_key}", detail=detail)
    tell(kind_key)
    return True


def _decide(wanted: dict[str, Any], meaning: Meaning, actor: str, *, by_itself: bool) -> bool:
    decided = {"meaning": meaning.value, "decided_by": {"$literal": actor}, "by_itself": by_itself}
    moments = {"decided_at": clock.server_now(), "tell_at": clock.server_now()}
    stored = outside_transaction(AcademyAnswer).update_one(wanted, [{"$set": decided | moments}])
    if stored.matched_count:
        profiles.forget()
    return bool(stored.matched_count)


def due_to_tell() -> list[str]:
    """The keys of the kinds whose meaning somebody has still to be told."""
    due = {"academy_id": profiles.academy_id(), "tell_at": {"$ne": None}}
    return [
        one["key"] for one in outside_transaction(AcademyAnswer).find(due | {"$expr": clock.passed("tell_at")}, ["key"])
    ]


def tell(kind_key: str) -> bool:
    """Tell all listeners what this kind means, if that is due. The next attempt is put off before they are called."""
    answers, key = outside_transaction(AcademyAnswer), _id(kind_key)
    due = {"_id": key, "tell_at": {"$ne": None}, "$expr": clock.passed("tell_at")}
    later = [{"$set": {"tell_at": clock.after(_TRY_AGAIN_SECONDS)}}]
    told = answers.find_one_and_update(due, later)
    if told is None or not told["meaning"]:
        return False
    for listener in LISTENERS:
        listener(kind_key, Meaning(told["meaning"]), told["decided_by"])
    again_at = {"$add": ["$decided_at", round(_TELL_AGAIN_SECONDS * 1000)]}
    once_more = {"$cond": [{"$gt": [again_at, clock.server_now()]}, again_at, None]}
    same = {"_id": key, "decided_at": told["decided_at"], "tell_at": {"$ne": None}}
    answers.update_one(same, [{"$set": {"tell_at": once_more}}])
    return True


def open_questions() -> list[AcademyAnswer]:
    """The kinds of the configured academy that have no meaning, those first that were seen first."""
    of_academy = AcademyAnswer.objects.filter(academy_id=profiles.academy_id(), meaning="")
    return list(of_academy.order_by("first_seen_at"))


def _id(kind_key: str) -> str:
    return f"{profiles.academy_id()}-{kind_key}"
