"""A backup's collections beside the present ones, under names of their own, until they take their places.

Whatever happens here changes nothing that is in use; what a restore that died has left is dropped by the next.
"""

from collections.abc import Callable, Iterator

from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from coursehub.backup import registry
from coursehub.backup.archive import Part, Reader, Refused
from coursehub.mongo.types import Document

_AT_ONCE_BYTES, _AT_ONCE_DOCUMENTS = 8_000_000, 1_000
Told = Callable[[int, int], None]


class Staged:
    """The restored collections before they are in use. `taken_at` is the moment of the backup, ISO 8601, UTC.

    `is_same_installation`: the present database is the one that the backup was taken from.
    """

    def __init__(self, database: Database[Document], taken_at: str) -> None:
        self.database, self.taken_at = database, taken_at
        self.is_same_installation = False

    def collection(self, name: str) -> Collection[Document]:
        """The restored collection that will have this name."""
        return self.database[registry.STAGED + name]

    def names(self) -> list[str]:
        """Of the collections that are restored."""
        found = self.database.list_collection_names()
        return sorted(name.removeprefix(registry.STAGED) for name in found if name.startswith(registry.STAGED))

    def drop(self) -> None:
        """Nothing was restored."""
        for name in self.names():
            self.collection(name).drop()

    def fill(self, reader: Reader, told: Told | None = None) -> None:
        """All documents and indexes of the backup. Raises Refused when the file is not what it was verified to be."""
        parts = [part for part in reader.manifest.parts if part.documents is not None]
        for done, part in enumerate(parts, start=1):
            collection = self.collection(part.name)
            create(self.database, part, collection.name)
            for documents in _some_at_a_time(reader.documents(part)):
                collection.insert_many(documents, ordered=False)
            index(self.database, part, collection.name)
            if collection.count_documents({}) != part.documents:
                raise Refused(f"MongoDB did not take all documents of {part.name}.")
            if told:
                told(done, len(parts))


def create(database: Database[Document], part: Part, name: str) -> None:
    """An empty collection with the options of `part`."""
    database.command({"create": name, **part.options})


def index(database: Database[Document], part: Part, name: str) -> None:
    """The indexes of `part`."""
    if part.indexes:
        database.command({"createIndexes": name, "indexes": part.indexes})


def _some_at_a_time(documents: Iterator[bytes]) -> Iterator[list[RawBSONDocument]]:
    chunk: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        chunk.append(RawBSONDocument(document))
        size += len(document)
        if size > _AT_ONCE_BYTES or len(chunk) == _AT_ONCE_DOCUMENTS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
