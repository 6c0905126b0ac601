"""Doorbells: each task takes an id, calls one service and may run twice. The ticker rings them."""

from typing import Any
from uuid import UUID

from coursehub import clock, queue
from coursehub.mongo import outside_transaction
from invitations import retention, transitions
from invitations.claims import row_leases
from invitations.models import Batch
from invitations.repair import domains, without_names
from invitations.sending import existing_learners, missing_names, sender
from invitations.uploads import import_rows
from oauthtokens import services as token_services

_SENDING = queue.Turn(queue.Lane.SENDING)


def read(batch_id: str) -> str:
    """Read an uploaded file for half a minute at most, and ring for the rest."""
    outcome = import_rows.read(UUID(batch_id))
    if outcome == import_rows.UNFINISHED:
        queue.enqueue(read, batch_id)
    return outcome


def refine(batch_id: str) -> str:
    """Take out the learners whom the sweep of the course's members found, if it has ended; and ring for the sending."""
    if not existing_learners.refine(UUID(batch_id)):
        return "waits"
    _ring_if_more(batch_id)
    return "refined"


def course_was_read(course_id: str) -> str:
    """Go on with the batches that waited for this course's members."""
    return ", ".join(refine(str(batch_id)) for batch_id in existing_learners.waiting(course_id)) or "nobody waits"


def leave_out(batch_id: str) -> str:
    """Take the rows without a full name out of a batch."""
    return without_names.leave_out(UUID(batch_id))


def correct(batch_id: str) -> str:
    """Go on giving all addresses of a domain another one, and ring for the rest."""
    outcome = domains.go_on(UUID(batch_id))
    if outcome == domains.UNFINISHED:
        queue.enqueue(correct, batch_id)
    return outcome


def prepare() -> None:
    """Ring for files that nobody reads, rows to leave out or correct, and batches that wait for course members."""
    for batch_id in domains.unfinished():
        queue.enqueue(correct, str(batch_id))
    for batch_id in missing_names.unfinished():
        queue.enqueue(leave_out, str(batch_id))
    for batch_id in import_rows.waiting():
        queue.enqueue(read, str(batch_id))
    for batch_id in existing_learners.unrefined():
        queue.enqueue(refine, str(batch_id))


def send(batch_id: str) -> str:
    """Send for a few seconds. Rings before, so that idle workers join in, and after, for rows given back since."""
    _ring_if_more(batch_id)
    state = sender.send_slice(UUID(batch_id))
    _ring_if_more(batch_id)
    return state


def _ring_if_more(batch_id: str) -> None:
    if sender.has_more(UUID(batch_id)):
        queue.enqueue(send, batch_id, turn=_SENDING)


def tick() -> None:
    """Ring for every batch with something to do now."""
    for batch_id in due():
        queue.enqueue(send, batch_id, turn=_SENDING)


def due() -> list[str]:
    """Resume what paused by itself long enough, or has tokens again, and tell which batches have something to do."""
    ended: list[dict[str, Any]] = [{"$expr": clock.passed("resume_at")}]
    if since := token_services.usable_since():
        ended.append({"awaits_tokens_since": {"$lte": since}})
    outside_transaction(Batch).update_many(
        {"state": Batch.State.PAUSED, "resume_at": {"$ne": None}, "$or": ended},
        {"$set": {"state": Batch.State.RUNNING, "resume_at": None, "awaits_tokens_since": None, "reason": ""}},
    )
    now = {"$or": [{"look_at": None}, {"$expr": clock.passed("look_at")}]}
    return [
        str(UUID(batch["id"]))
        for batch in outside_transaction(Batch).find({"$and": [transitions.workable(), now]}, ["id"])
    ]


def sweep() -> None:
    """Rows whose sender died become unknown; the batch looks them up before it ends."""
    row_leases.expire_leases()


def forget(batch_id: str) -> str:
    """Delete the uploaded bytes and cells of a batch that was kept long enough."""
    return retention.forget(UUID(batch_id))


def forget_old() -> None:
    """Ring for every batch whose file and cells were kept for UPLOAD_KEEP_DAYS."""
    for batch_id in retention.due():
        queue.enqueue(forget, batch_id)
