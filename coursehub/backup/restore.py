"""A restore, in an order in which it may die anywhere and be run again from its beginning.

1. The file is verified; nothing is changed before that.
2. Its documents go into collections beside the present ones, and are brought into a state from which nothing happens
   by surprise. What the present database knows and the backup cannot is carried over.
3. From here until the end nobody ticks, the web process does not start, and the mark says so: each collection is
   replaced by renaming, in one step of its own.
4. Migrations if the backup is older, and all erasures since it again.

A death before 3 leaves the present database as it was. One after it leaves the mark: run the restore again, with this
backup or another one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string
from pymongo import timeout
from pymongo.database import Database
from pymongo.errors import PyMongoError

from coursehub import audit, roles
from coursehub.audit import Action
from coursehub.backup import carry_over, registry, staging
from coursehub.backup.archive import Manifest, Reader, Refused
from coursehub.backup.staging import Staged, Told
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.mongo.replica_set import ensure_replica_set
from coursehub.mongo.types import Document
from coursehub.privacy import erasure
from coursehub.queue import workers

_MARK = {"_id": "unfinished"}
_HOLDER = "restore"
_START_SECONDS = 2
# An erasure is logged before it is done: one that was logged so long before the backup was done in it.
_ERASED_WITHIN = timedelta(hours=1)
UNFINISHED = "A restore has begun and has not ended: run it again (`manage.py restore`), and start after it."
_WORKERS = "A worker runs: stop all workers and all web processes, and restore again."


@dataclass(frozen=True)
class Restored:
    """What a restore did. `settled` is what the apps report, `first_broken` an audit event, None if the trail holds."""

    taken_at: str
    documents: int
    replaced_events: int
    erased_again: int
    first_broken: int | None
    settled: dict[str, int]


def check(path: Path) -> Manifest:
    """What a backup holds, after all of it was read. Raises Refused when this CourseHub cannot restore it."""
    reader = Reader(path)
    try:
        _refuse_newer(reader.manifest)
        reader.verify()
    finally:
        reader.close()
    return reader.manifest


def restore(path: Path, *, actor: str, told: Told | None = None) -> Restored:
    """Replace the database by a backup. Whoever calls has made sure that no web process runs.

    Raises Refused, with nothing changed, when the file is damaged or newer than this CourseHub, or a worker runs.
    """
    check(path)
    ensure_replica_set(settings.MONGODB_URI)
    _refuse_workers()
    reader = Reader(path)
    staged = Staged(_database(), reader.manifest.taken_at)
    try:
        staged.drop()
        staged.fill(reader, told)
        staged.is_same_installation = carry_over.is_same_installation(staged)
        settled = _settled(staged)
        replaced = carry_over.carry_over(staged)
        _begin(replaced)
    except BaseException:
        staged.drop()
        raise
    finally:
        reader.close()
    _switch(staged, reader.manifest)
    return _finish(reader.manifest, settled, actor)


def refuse_while_unfinished() -> None:
    """Ends the process when a restore has died half-way. Raises SystemExit. Starts when MongoDB does not answer."""
    try:
        with timeout(_START_SECONDS):
            unfinished = _mark().find_one(_MARK)
    except PyMongoError:
        return
    if unfinished:
        raise SystemExit(UNFINISHED)


def _refuse_newer(manifest: Manifest) -> None:
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {})
    unknown = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]
    if unknown:
        raise Refused(f"The backup was taken by a newer CourseHub, which has the migration {unknown[-1]}.")


def _refuse_workers() -> None:
    if not workers.all_gone():
        raise Refused(_WORKERS)


def _settled(staged: Staged) -> dict[str, int]:
    settled: dict[str, int] = {}
    for path in registry.settlers():
        settled |= import_string(path)(staged)
    return settled


def _begin(replaced: carry_over.Replaced) -> None:
    """Nobody ticks from here on, and no worker has started meanwhile.

    A restore that died has noted in the mark what it was about to replace; what this one replaces is added to that.
    """
    if not workers.hold_ticks(_HOLDER):
        raise Refused(_WORKERS)
    try:
        _refuse_workers()
        noted = {"$max": {f"replaced.{replaced.last_hash}": replaced.events}} if replaced.events else {}
        _mark().update_one(_MARK, {"$set": {"holder": _HOLDER}, **noted}, upsert=True)
    except BaseException:
        if not _mark().find_one(_MARK):
            workers.let_tick(_HOLDER)
        raise


def _switch(staged: Staged, manifest: Manifest) -> None:
    """When this dies in between, nothing of what is carried over is lost: that comes first.

    The audit trail comes last, since by it the next restore knows whether the database was the backup's.
    """
    names = staged.names()
    order = {audit.REPLACED: 0, erasure.TABLE: 0, AuditEvent._meta.db_table: 2}
    for name in sorted(names, key=lambda one: order.get(one, 1)):
        staged.collection(name).rename(name, dropTarget=True)
    database = staged.database
    present = set(database.list_collection_names())
    for part in manifest.parts:
        if part.documents is None and part.name not in present:
            staging.create(database, part, part.name)
            staging.index(database, part, part.name)
    for name in present:
        if registry.is_emptied(name):
            database[name].delete_many({})
        elif registry.is_ours(name) and name not in names and not registry.is_left_alone(name):
            database[name].drop()


def _finish(manifest: Manifest, settled: dict[str, int], actor: str) -> Restored:
    ContentType.objects.clear_cache()
    call_command("migrate", interactive=False, verbosity=0)
    roles.sync_groups()
    erased_again = erasure.erase_again(actor=actor, since=datetime.fromisoformat(manifest.taken_at) - _ERASED_WITHIN)
    replaced = (_mark().find_one(_MARK) or {}).get("replaced", {})
    detail = {"taken_at": manifest.taken_at, "erased_again": erased_again, **settled, audit.REPLACED_EVENTS: replaced}
    audit.record(action=Action.BACKUP_RESTORED, actor=actor, detail=detail)
    first_broken = audit.verify().first_broken
    _mark().delete_one(_MARK)
    workers.let_tick(_HOLDER)
    return Restored(manifest.taken_at, manifest.documents, sum(replaced.values()), erased_again, first_broken, settled)


def _mark() -> Any:
    return outside_transaction(registry.UNFINISHED)


def _database() -> Database[Document]:
    return outside_transaction(registry.UNFINISHED).database
