"""How a batch changes its state: one conditional update that names the states it may leave, then the audit."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from pymongo.errors import DuplicateKeyError

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation

_ERRORS = [Invitation.State.FAILED, Invitation.State.UNKNOWN]
# The breaker as it begins, and no question left open.
CALM: dict[str, Any] = {
    "failures": 0, "refused_in_a_row": 0, "unclear": 0, "must_read": False, "probe_until": None, "answer_kind": "",
}  # fmt: skip


def act(
    action: Action, batch: Batch, actor: str, *, leaving: Sequence[str], detail: dict[str, Any] | None = None,
    unless: Mapping[str, Any] | None = None, only: Mapping[str, Any] | None = None, **changes: Any,
) -> bool:  # fmt: skip
    """Move the batch for a person; False, with nothing changed, when it was in none of `leaving`, or is `unless`.

    False, too, when it is not as `only` says.
    """
    moved = move(batch.pk, leaving=leaving, unless=unless, only=only, **changes)
    if moved:
        record(action, batch, actor, **(detail or {}))
    return moved


def move(
    batch_id: UUID, *, leaving: Sequence[str], unless: Mapping[str, Any] | None = None,
    only: Mapping[str, Any] | None = None, **changes: Any,
) -> bool:  # fmt: skip
    """False, too, when a batch of the same content is open and this one would be a second."""
    movable = Batch.objects.filter(pk=batch_id, state__in=leaving, **(only or {}))
    try:
        return (movable.exclude(**unless) if unless else movable).update(**changes) == 1
    except IntegrityError:
        return False


def startable() -> dict[str, Any]:
    """The filter for confirmed batches whose members were looked up, and whose time has come. An undo needs no look."""
    due = clock.passed("start_at")
    looked = {"$or": [{"members_checked_at": {"$ne": None}}, {"undoing": True}]}
    return {"state": Batch.State.QUEUED, **looked, "$expr": due}


def workable() -> dict[str, Any]:
    """The filter for batches that run, or may begin."""
    return {"$or": [{"state": Batch.State.RUNNING}, startable()]}


def start(batch_id: UUID) -> bool:
    """Begin with a batch if it is startable."""
    begun = {"state": Batch.State.RUNNING, "started_at": {"$ifNull": ["$started_at", clock.server_now()]}}
    return (
        outside_transaction(Batch).update_one({"id": batch_id.hex, **startable()}, [{"$set": begun}]).modified_count
        == 1
    )


def look_again(batch_id: UUID) -> bool:
    """Have the members of a running batch's courses read once more; it goes on when they were taken out of its rows."""
    return _look(batch_id, [Batch.State.RUNNING], state=Batch.State.QUEUED)


def finished_state(batch_id: UUID) -> str:
    """How a batch ends whose rows are all final."""
    wanted = {"batch_id": batch_id.hex, "state": {"$in": _ERRORS}}
    errors_left = outside_transaction(Invitation).find_one(wanted, {"_id": 1}) is not None
    return Batch.State.COMPLETED_WITH_ERRORS if errors_left else Batch.State.COMPLETED


def go_on(
    action: Action, batch: Batch, actor: str, *, leaving: Sequence[str], detail: dict[str, Any] | None = None,
    only: Mapping[str, Any] | None = None, **changes: Any,
) -> bool:  # fmt: skip
    """Send the batch's waiting rows, for a person, after a fresh look at the members; False as in `act`."""
    afresh = {"state": Batch.State.QUEUED, "reason": "", "finished_at": None, **changes}
    if not _look(batch.pk, leaving, only, **afresh):
        return False
    record(action, batch, actor, **(detail or {}))
    return True


def close_without_errors(batch: Batch) -> None:
    """A batch of which people have settled the last open row ended well."""
    open_rows = Invitation.objects.filter(batch=batch, state__in=[*_ERRORS, Invitation.State.PENDING])
    if not open_rows.exists():
        move(batch.pk, leaving=[Batch.State.COMPLETED_WITH_ERRORS], state=Batch.State.COMPLETED)


def _look(batch_id: UUID, leaving: Sequence[str], only: Mapping[str, Any] | None = None, **changes: Any) -> bool:
    values = {name: value if value in (None, True, False) else {"$literal": value} for name, value in changes.items()}
    anew = {"members_checked_at": None, "look_since": clock.server_now(), "look_at": None, **CALM}
    wanted = {"id": batch_id.hex, "state": {"$in": list(leaving)}, **(only or {})}
    try:
        return outside_transaction(Batch).update_one(wanted, [{"$set": {**anew, **values}}]).modified_count == 1
    except DuplicateKeyError:  # a batch of the same content is open, and this one would be a second
        return False


def record(action: Action, batch: Batch, actor: str, **detail: Any) -> None:
    audit.record(action=action, actor=actor, target=f"batch {batch.pk}", detail={"course": batch.course_id, **detail})
