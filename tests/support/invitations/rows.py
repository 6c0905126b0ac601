"""Rows of a batch, stored as they are and not read from a file."""

from typing import Any

from coursehub import clock
from coursehub.mongo import draw_numbers, outside_transaction
from invitations.models import Batch, Invitation
from invitations.sending.existing_learners import BLANK

CHUNK_ROWS = 10_000


def batch_of(user, course, count: int, *, state: str = Batch.State.PREVIEW, filename: str = "many.csv") -> Batch:
    """A batch with `count` rows; every tenth line of its file is blank, every hundredth row is bad."""
    batch = Batch.objects.create(
        course_id=course.course_id, course_name=course.name, filename=filename, uploaded_by=user, total=count,
        created_at=clock.now(), members_checked_at=clock.now(), state=state,
    )  # fmt: skip
    for start in range(0, count, CHUNK_ROWS):
        store(batch, [row(number) for number in range(start, min(start + CHUNK_ROWS, count))])
    return batch


def row(number: int, **fields: Any) -> dict[str, Any]:
    """The row of that number, counted from 0."""
    address = f"learner.{number}@mail{number % 500}.example.org"
    bad = {"state": Invitation.State.INVALID, "reason": "Not an e-mail address."} if number % 100 == 99 else {}
    return {
        "line": line_of(number), "email": address, "email_folded": address, "first_name": f"Ada{number % 977}",
        "last_name": f"Lovelace-{number % 1009}", "state": Invitation.State.PENDING, "reason": "", **bad, **fields,
    }  # fmt: skip


def line_of(number: int) -> int:
    return 2 + number + number // 9


def store(batch: Batch, rows: list[dict[str, Any]]) -> None:
    """Store these rows in the batch, in its course unless they say otherwise."""
    keys = draw_numbers(Invitation, len(rows))
    of_batch = {**BLANK, "batch_id": batch.pk.hex, "course_id": batch.course_id, "access_expires_at": None}
    outside_transaction(Invitation).insert_many(
        [{**of_batch, **one, "_id": key, "id": key} for key, one in zip(keys, rows, strict=True)]
    )
