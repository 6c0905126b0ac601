"""An uploaded file's bytes, kept in pieces until UPLOAD_KEEP_DAYS are over."""

from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from bson import Binary
from pymongo.errors import DuplicateKeyError

from coursehub.mongo import outside_transaction
from invitations.models import Piece


def of_file(file: BinaryIO) -> Iterator[bytes]:
    """The file from its beginning."""
    file.seek(0)
    while piece := file.read(Piece.SIZE_BYTES):
        yield piece


def of_batch(batch_id: UUID) -> Iterator[bytes]:
    """The file as it was uploaded; nothing once it was deleted."""
    found = outside_transaction(Piece).find({"batch_id": batch_id.hex}, {"_id": False, "data": True})
    for piece in found.sort("number", 1).batch_size(1):  # a piece in memory, not all
        yield bytes(piece["data"])


def store(batch_id: UUID, file: BinaryIO) -> None:
    """May be done by several at once, with the same bytes: each piece is stored by one of them."""
    pieces = outside_transaction(Piece)
    for number, data in enumerate(of_file(file)):
        key = f"{batch_id.hex}-{number}"
        try:
            pieces.insert_one({"_id": key, "id": key, "batch_id": batch_id.hex, "number": number, "data": Binary(data)})
        except DuplicateKeyError:
            continue
