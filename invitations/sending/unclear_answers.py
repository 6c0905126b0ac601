"""Answers that leave open whether an invitation was taken: looked up at once, not after the last row.

The first three of a batch stop it until the course's members were read. If all of these learners are there, this kind
of answer means "invited" from then on, here and in every later batch. If not, an administrator is asked what it means.
"""

from typing import Any
from uuid import UUID

from coursehub import academy, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.profile import Meaning
from invitations import transitions
from invitations.claims import learner_claims
from invitations.models import Batch, Invitation
from invitations.reconciliation import rule
from invitations.sending import circuit_breaker

State = Invitation.State
_PROVEN_BY = 3  # learners of one kind of answer who were all found


def look(batch_id: UUID) -> bool:
    """Look up the batch's unclear rows if it is stopped for that; True when it was. Raises TrainerCentralError."""
    stopped = {"id": batch_id.hex, "state": Batch.State.RUNNING, "unclear": {"$gte": circuit_breaker.UNCLEAR_AT_ONCE}}
    if outside_transaction(Batch).find_one(stopped, {"_id": 1}) is None:
        return False
    rule.advance(batch_id)
    if outside_transaction(Invitation).find_one(_unclear(batch_id) | {"finding": ""}, {"_id": 1}):
        return True
    kinds = {kind: _counts(batch_id, kind) for kind in outside_transaction(Invitation).distinct(
        "answer_kind", {"batch_id": batch_id.hex, "answer_kind": {"$gt": ""}})}  # fmt: skip
    for kind, (there, absent) in kinds.items():
        if there >= _PROVEN_BY and not absent:
            academy.learn(kind, Meaning.INVITED, by=academy.LOOK_UP)
    outside_transaction(Batch).update_one(stopped, {"$set": {"unclear": 0, "look_at": None, "reason": ""}})
    in_doubt = {kind: absent for kind, (_, absent) in kinds.items() if absent}
    if in_doubt:
        kind = max(in_doubt, key=lambda one: in_doubt[one])
        circuit_breaker.ask_a_person(batch_id, _question(in_doubt[kind]), answer_kind=kind)
    return True


def settle(kind: str, meaning: Meaning, actor: str) -> None:
    """An administrator said what answers of this kind mean: rows that wait for it are settled, batches go on.

    What look-ups have found out settles nothing here: rows that wait are looked up themselves. May run twice.
    """
    if actor == academy.LOOK_UP:
        return
    rows = outside_transaction(Invitation)
    waiting = {"answer_kind": kind, "state": State.UNKNOWN}
    asked = {"state": Batch.State.PAUSED, "answer_kind": kind}
    batch_ids = {*rows.distinct("batch_id", waiting), *outside_transaction(Batch).distinct("id", asked)}
    changes = _settled(meaning, actor)
    for row in rows.find(waiting):
        seen = {"_id": row["_id"], "state": State.UNKNOWN, "attempts": row["attempts"]}
        if rows.update_one(seen, [{"$set": changes}]).modified_count and changes["state"] == State.FAILED:
            learner_claims.release([row])
    for batch in Batch.objects.filter(pk__in=[UUID(one) for one in batch_ids]):
        _go_on(batch, kind, meaning, actor)


def waiting(kind: str) -> int:
    """How many rows wait for the meaning of this kind of answer."""
    return outside_transaction(Invitation).count_documents({"answer_kind": kind, "state": State.UNKNOWN})


def _settled(meaning: Meaning, actor: str) -> dict[str, Any]:
    """For an update pipeline."""
    says = f"{actor} says that TrainerCentral’s answer means: {meaning.value.replace('_', ' ')}."
    changes: dict[str, Any] = {"finding": "", "reason": {"$literal": says}}
    if meaning is Meaning.INVITED:
        return changes | {"state": State.INVITED, "invited_at": "$unknown_since"}
    if meaning is Meaning.ALREADY_ENROLLED:
        return changes | {"state": State.ALREADY_ENROLLED}
    if meaning is Meaning.WAIT:
        return changes | {"state": State.PENDING, "called_at": clock.server_now()}
    return changes | {"state": State.FAILED}


def _go_on(batch: Batch, kind: str, meaning: Meaning, actor: str) -> None:
    """A batch that was paused for the question goes on, unless the answer is "stop"; one that had ended is closed."""
    if meaning is not Meaning.STOP:
        transitions.go_on(
            Action.BATCH_RESUMED, batch, actor, leaving=[Batch.State.PAUSED], only={"answer_kind": kind}, resume_at=None
        )
    if meaning is Meaning.WAIT:
        transitions.go_on(Action.BATCH_RESUMED, batch, actor, leaving=[Batch.State.COMPLETED_WITH_ERRORS])
    transitions.close_without_errors(batch)


def _unclear(batch_id: UUID) -> dict[str, Any]:
    return {"batch_id": batch_id.hex, "state": State.UNKNOWN, "answer_kind": {"$gt": ""}}


def _counts(batch_id: UUID, kind: str) -> tuple[int, int]:
    """Learners of the batch who got this kind of answer: found among the members, and looked for in vain."""
    rows, of_kind = outside_transaction(Invitation), {"batch_id": batch_id.hex, "answer_kind": kind}
    return (
        rows.count_documents({**of_kind, "state": State.INVITED}),
        rows.count_documents({**of_kind, "state": State.UNKNOWN}),
    )


def _question(absent: int) -> str:
    return (
        f"TrainerCentral gave answers that CourseHub does not understand, and {absent} of these learners are not in "
        "the course. An administrator is asked what such an answer means; resuming sends to the next three."
    )
