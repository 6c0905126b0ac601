"""A sitting: all sets that need regeneration, one after the other, until somebody signs it off.

It is stored, so that it survives a closed browser and goes on with whoever of the team comes back. What is done
is not stored but seen: a set is done when its generation is newer than the plan's.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from oauthtokens.models import Sitting, TokenSet
from oauthtokens.regeneration import exchange

REMARKS_LENGTH_MAX = 2000  # characters


class Outcome(StrEnum):
    DONE = "done"
    NEXT = "next"
    WAITING = "waiting"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One set of the plan; `was` is the state that it had at the start."""

    number: int
    was: str
    outcome: Outcome


def current() -> Sitting | None:
    """The sitting that is open, if there is one."""
    return Sitting.objects.filter(is_open=True).first()


def records(limit: int = 5) -> list[Sitting]:
    """The sittings that were signed off, newest first."""
    return list(Sitting.objects.filter(is_open=False)[:limit])


def start(*, actor: str) -> Sitting:
    """Begin with all sets that need it, or go on with the open sitting. Raises ValueError when none needs it."""
    now = clock.now()
    sets = list(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT))
    plan = [
        {"number": one.number, "generation": one.generation, "state": str(one.state)}
        for one in sets
        if exchange.is_needed(one, now)
    ]
    if not plan:
        if (existing := current()) is not None:
            return existing
        raise ValueError("No token set needs regeneration now.")
    try:
        sitting = Sitting.objects.create(started_by=actor, started_at=now, plan=plan)
    except IntegrityError:  # somebody began before
        return current() or start(actor=actor)
    numbers = [entry["number"] for entry in plan]
    audit.record(
        action=Action.TOKEN_SITTING_STARTED, actor=actor, target=f"sitting {sitting.pk}", detail={"sets": numbers}
    )
    return sitting


def steps(sitting: Sitting) -> list[Step]:
    """The sets of the plan, in order, each with how far it is; the first that waits is next."""
    generations = dict(TokenSet.objects.values_list("number", "generation"))
    found: list[Step] = []
    for entry in sitting.plan:
        number = entry["number"]
        if generations.get(number, 0) > entry["generation"]:
            outcome = Outcome.DONE
        elif number in sitting.skipped:
            outcome = Outcome.SKIPPED
        else:
            outcome = Outcome.WAITING if any(one.outcome is Outcome.NEXT for one in found) else Outcome.NEXT
        found.append(Step(number, entry["state"], outcome))
    return found


def skip(*, number: int, actor: str) -> None:
    """Leave this set for another time. Raises ValueError when it is not in an open sitting's plan."""
    planned = {"is_open": True, "plan.number": number, "skipped": {"$ne": number}}
    skipped = outside_transaction(Sitting).find_one_and_update(planned, {"$push": {"skipped": number}})
    if skipped is None:
        raise ValueError(f"Token set {number} is not waiting in a sitting.")
    target = f"token set {number}"
    audit.record(action=Action.TOKEN_SITTING_SKIPPED, actor=actor, target=target, detail={"sitting": skipped["id"]})


def sign_off(*, pk: int, actor: str, remarks: str) -> Sitting:
    """End the sitting with its record: who, when, which sets, remarks. Raises ValueError when it has ended before."""
    sitting = Sitting.objects.filter(pk=pk, is_open=True).first()
    if sitting is None:
        raise ValueError("This sitting was signed off before.")
    result = [{"number": step.number, "outcome": _recorded(step)} for step in steps(sitting)]
    record: dict[str, Any] = {
        **{"is_open": False, "signed_off_by": actor, "signed_off_at": clock.now(), "result": result},
        "remarks": remarks.strip()[:REMARKS_LENGTH_MAX],
    }
    ended = outside_transaction(Sitting).update_one({"id": pk, "is_open": True}, {"$set": record})
    if not ended.modified_count:
        raise ValueError("This sitting was signed off before.")
    detail = {"sets": result, "remarks": record["remarks"], "started_by": sitting.started_by}
    audit.record(action=Action.TOKEN_SITTING_SIGNED_OFF, actor=actor, target=f"sitting {pk}", detail=detail)
    return Sitting.objects.get(pk=pk)


def _recorded(step: Step) -> str:
    return {Outcome.DONE: "regenerated", Outcome.SKIPPED: "skipped"}.get(step.outcome, "left")
