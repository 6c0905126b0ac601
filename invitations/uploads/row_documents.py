"""Rows as a reading stores them: what the file tells, and what the database knows of their learners."""

from collections.abc import Iterable
from uuid import UUID

from bson import encode
from bson.raw_bson import RawBSONDocument

from coursehub.mongo.types import Document
from invitations.models import Invitation
from invitations.parsing.validation import Row
from invitations.sending import existing_learners, missing_names

State = Invitation.State


def of(rows: list[Row], keys: Iterable[int], batch_id: UUID) -> list[RawBSONDocument]:
    """The documents, in bytes, which take less memory than dicts. One key for each of `rows`."""
    found = existing_learners.Known.of(rows)
    made = (_document(key, batch_id.hex, row, *found.verdict(row)) for key, row in zip(keys, rows, strict=True))
    return [RawBSONDocument(encode(document)) for document in made]


def _document(key: int, batch_id: str, row: Row, state: str, reason: str, more: Document) -> Document:
    document = {
        **existing_learners.BLANK,
        "_id": key,
        "id": key,
        "batch_id": batch_id,
        "course_id": row.course_id,
        "line": row.line,
        "email": row.email,
        "email_folded": row.email_folded,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "access_expires_at": row.access_expires_at,
        "state": str(state),
        "reason": reason[:300],
        **more,
    }
    if state == State.PENDING and not (row.first_name and row.last_name):
        document |= missing_names.complete(document)
    return document
