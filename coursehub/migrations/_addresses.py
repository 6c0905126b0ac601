"""For migrations: stored addresses into the one form in which they are compared (coursehub.emails).

May run twice, and go on after a death anywhere. Only what may be of another form is looked at, so that plain addresses,
nearly all there are, cost one scan in the database.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

from pymongo import UpdateOne
from pymongo.collection import Collection

from coursehub.emails import LONGEST, normalize
from coursehub.mongo import outside_transaction

# Not in plain small letters, or in the code of a domain in other letters.
_PERHAPS_OTHER = {"$regex": "[^!-~]|[A-Z]|xn--"}
_CHUNK = 2_000
Document = dict[str, Any]
T = TypeVar("T")


def normal(address: str) -> str:
    """As it is stored."""
    return normalize(address)[:LONGEST]


def differing(collection: Collection, *, column: str = "email_folded", order: str = "_id") -> Iterator[Document]:
    """The documents whose address is not of the normal form."""
    found = collection.find({column: _PERHAPS_OTHER}).sort([(order, 1), (column, 1)] if order != column else order)
    return (one for one in found if normal(one[column]) != one[column])


def chunks(found: Iterator[T]) -> Iterator[list[T]]:
    """Some thousands at a time."""
    while chunk := list(islice(found, _CHUNK)):
        yield chunk


def rewrite(table: str) -> None:
    """Normalize `email_folded` where no key is made of it."""
    collection = outside_transaction(table)
    for chunk in chunks(differing(collection)):
        collection.bulk_write([renamed(one) for one in chunk], ordered=False)


def renamed(document: Document, **changes: str) -> UpdateOne:
    """What normalizes one document, unless somebody else has changed its address meanwhile."""
    unchanged = {"_id": document["_id"], "email_folded": document["email_folded"]}
    return UpdateOne(unchanged, {"$set": {"email_folded": normal(document["email_folded"]), **changes}})
