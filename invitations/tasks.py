"""Doorbells: each task takes an id, calls one service and may run twice. The ticker rings them."""

from uuid import UUID

from coursehub import clock, queue
from coursehub.mongo import outside_transaction
from invitations import sending
from invitations.models import Batch


def send(batch_id: str) -> str:
    """Send for a few seconds; the ticker rings again while the batch is not done."""
    return sending.send_slice(UUID(batch_id))


def tick() -> None:
    """Resume what paused by itself and is due, and ring for every batch with something to send."""
    outside_transaction(Batch).update_many(
        {
            "state": Batch.State.PAUSED,
            "resume_at": {"$ne": None},
            "$expr": {"$lte": ["$resume_at", clock.server_now()]},
        },
        {"$set": {"state": Batch.State.RUNNING, "resume_at": None, "reason": ""}},
    )
    for batch_id in Batch.objects.filter(state__in=[Batch.State.QUEUED, Batch.State.RUNNING]).values_list(
        "pk", flat=True
    ):
        queue.enqueue(send, str(batch_id))


def sweep() -> None:
    """Rows whose sender died become unknown; the batch looks them up before it ends."""
    sending.expire_leases()
