"""Taking a backup: every collection as of one moment, while everything runs.

All reads are of one snapshot (read concern "snapshot"), which MongoDB keeps for `minSnapshotHistoryWindowInSeconds`,
300 s unless it was set otherwise. What cannot be read in that time is not backed up half: it is refused.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.db.migrations.recorder import MigrationRecorder
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.backup import registry
from coursehub.backup.archive import Manifest, Part, Refused, Writer
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document

_ATTEMPTS = 3
_DOCUMENTS_AT_ONCE = 1_000
_SNAPSHOT_TOO_OLD, _SNAPSHOT_UNAVAILABLE = 239, 246
_TOO_LONG = (
    "MongoDB does not keep one moment of the database for as long as reading it takes: raise its parameter "
    "minSnapshotHistoryWindowInSeconds, and take the backup again."
)
_UNSTABLE = "Collections or indexes were changed while they were read: take the backup again."
Told = Callable[[int, int], None]


class _Changed(Exception):
    """The collections are not those that they were when the reading began."""


def take(output: Path, *, actor: str, told: Told | None = None) -> Manifest:
    """Write a backup to `output`, readable by its owner only, and complete as soon as it has that name.

    `told` hears after each collection how many of how many are done. Raises Refused, with no file left, when there
    is a file of that name, when it cannot be written, when the database cannot be read as of one moment, or when a
    restore has died half-way.
    """
    if output.exists():
        raise Refused(f"{output} exists, and is not overwritten.")
    if outside_transaction(registry.UNFINISHED).find_one():
        raise Refused("A restore has begun and has not ended: run it again, and take the backup after it.")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _new_file(output) as file:
                manifest = _write(file, told)
            break
        except _Changed:
            if attempt == _ATTEMPTS:
                raise Refused(_UNSTABLE) from None
    audit.record(action=Action.BACKUP_TAKEN, actor=actor, detail={"documents": manifest.documents})
    return manifest


def applied_migrations() -> list[list[str]]:
    """[app, name] of each."""
    return sorted([row["app"], row["name"]] for row in outside_transaction(_MIGRATIONS).find())


_MIGRATIONS = MigrationRecorder.Migration._meta.db_table


def _write(file: BinaryIO, told: Told | None) -> Manifest:
    database = outside_transaction(_MIGRATIONS).database
    taken_at = clock.now()
    catalogue, left_out = _catalogue(database)
    with closing(Writer(file)) as writer:
        parts = _read_at_one_moment(writer, database, catalogue, told)
        if _catalogue(database) != (catalogue, left_out):
            raise _Changed
        manifest = Manifest(taken_at.isoformat(), database.name, applied_migrations(), parts, left_out)
        writer.finish(manifest)
    return manifest


def _read_at_one_moment(
    writer: Writer, database: Database[Document], catalogue: list[Part], told: Told | None
) -> list[Part]:
    parts = []
    try:
        with database.client.start_session(snapshot=True) as session:
            for done, part in enumerate(catalogue, start=1):
                parts.append(_written(writer, database, session, part))
                if told:
                    told(done, len(catalogue))
    except OperationFailure as error:
        if error.code == _SNAPSHOT_TOO_OLD:
            raise Refused(_TOO_LONG) from None
        if error.code == _SNAPSHOT_UNAVAILABLE:
            raise _Changed from None
        raise
    return parts


def _catalogue(database: Database[Document]) -> tuple[list[Part], list[str]]:
    """All collections with their options and indexes; and the names of what has no moment to be read at."""
    parts, left_out = [], []
    for found in database.list_collections():
        name, options = found["name"], found.get("options", {})
        if name.startswith(("system.", registry.STAGED)):
            continue
        if found["type"] != "collection" or options.get("capped"):
            left_out.append(name)
            continue
        indexes = [dict(index) for index in database[name].list_indexes() if index["name"] != "_id_"]
        parts.append(Part(name, options, indexes))
    return sorted(parts, key=lambda part: part.name), sorted(left_out)


def _written(writer: Writer, database: Database[Document], session: ClientSession, part: Part) -> Part:
    if not registry.has_documents(part.name):
        return part
    batches: Any = database[part.name].find_raw_batches({}, session=session, batch_size=_DOCUMENTS_AT_ONCE)
    documents, size, sha256 = writer.add(part.name, batches)
    return Part(part.name, part.options, part.indexes, documents, size, sha256)


@contextmanager
def _new_file(output: Path) -> Iterator[BinaryIO]:
    """A file beside `output` that gets that name once it is whole and on the disk, and is gone when it fails."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".partial", dir=output.parent)  # 0600
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}.") from None
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(partial, output)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _name(partial: Path, output: Path) -> None:
    """A link fails where the name is taken, unlike a renaming; some network drives know no links."""
    try:
        os.link(partial, output)
    except FileExistsError:
        raise Refused(f"{output} exists, and is not overwritten.") from None
    except OSError:
        partial.rename(output)
    folder = os.open(output.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
