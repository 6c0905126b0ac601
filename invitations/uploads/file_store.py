"""An uploaded file's bytes, and texts made from them, kept in pieces until UPLOAD_KEEP_DAYS are over."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from uuid import UUID

from bson import Binary
from pymongo.errors import DuplicateKeyError

from coursehub.mongo import outside_transaction
from invitations.models import UPLOADED_BYTES, Piece

GONE = "The uploaded file was deleted, so it cannot be read again: upload it once more."


def of_file(file: BinaryIO) -> Iterator[bytes]:
    """The file from its beginning."""
    file.seek(0)
    while piece := file.read(Piece.SIZE_BYTES):
        yield piece


def of_batch(batch_id: UUID, text: str = "") -> Iterator[bytes]:
    """The file as it was uploaded, or the `text` of that name made from it; nothing once it was deleted."""
    found = outside_transaction(Piece).find(_of(batch_id, text), {"_id": False, "data": True})
    for piece in found.sort("number", 1).batch_size(1):  # a piece in memory, not all
        yield bytes(piece["data"])


def size_bytes(batch_id: UUID, text: str = "") -> int:
    """How many bytes that are."""
    summed = {"$group": {"_id": None, "bytes": {"$sum": {"$binarySize": "$data"}}}}
    found = next(iter(outside_transaction(Piece).aggregate([{"$match": _of(batch_id, text)}, summed])), None)
    return int(found["bytes"]) if found else 0


def store(batch_id: UUID, file: BinaryIO, text: str = "") -> None:
    """May be done by several at once, with the same bytes: each piece is stored by one of them."""
    pieces = outside_transaction(Piece)
    name = f"{batch_id.hex}-{text}" if text else batch_id.hex
    for number, data in enumerate(of_file(file)):
        key = f"{name}-{number}"
        piece = {"_id": key, "id": key, "batch_id": batch_id.hex, "text": text, "number": number}
        try:
            pieces.insert_one(piece | {"data": Binary(data)})
        except DuplicateKeyError:
            continue


def store_beside(batch_id: UUID, file: BinaryIO, text: str) -> bool:
    """Store a text that was made of the batch's file; False, with nothing of it left, when that was deleted meanwhile.

    Whoever deletes the file after that deletes the text with it.
    """
    store(batch_id, file, text)
    pieces = outside_transaction(Piece)
    if pieces.find_one({**_of(batch_id, ""), "number": 0}, {"_id": True}):
        return True
    pieces.delete_many(_of(batch_id, text))
    return False


def _of(batch_id: UUID, text: str) -> dict[str, Any]:
    return {"batch_id": batch_id.hex, **({"text": text} if text else UPLOADED_BYTES)}
