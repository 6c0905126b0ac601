"""A restore that is killed at random writes and run again to its end, and what must hold then."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.support import ROOT
from tests.support.findings import Found

_NEVER = 10**9
_ERASED, _STAYS, _SINCE = "ada@example.org", "grace@example.org", "alan@example.org"
_BYTE_EQUAL = ("soak_sample", "auth_permission", "django_migrations")


def contents_of(database: Database) -> dict[str, list]:
    """All that a backup holds, in the order of the keys, with every collection's indexes."""
    from coursehub.backup import registry

    found = {}
    for name in sorted(database.list_collection_names()):
        if registry.has_documents(name) and not name.startswith(("system.", registry.STAGED)):
            raw = b"".join(database[name].find_raw_batches(sort=[("_id", 1)]))
            found[name] = [raw, sorted((index["name"], str(dict(index))) for index in database[name].list_indexes())]
    return found


def kill_run(database: Database, path: Path, chance: random.Random, writes: int, name: str) -> Found:
    """One backup, a life after it, deaths at random points of `writes`, and what was promised and did not hold."""
    from coursehub.backup import dump, restore

    _prepare(database)
    before = contents_of(database)
    dump.take(path, actor="soak")
    _live_on()
    whole, found = contents_of(database), Found()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(writes)
        died = restore_until(path, at) is None
        found.sums["deaths"] = found.sums.get("deaths", 0) + died
        switching = bool(database["coursehub_restore"].find_one())
        found.sums["deaths_in_the_switch"] = found.sums.get("deaths_in_the_switch", 0) + switching
        if switching or not died:
            whole = {}
        elif whole and contents_of(database) != whole:
            found.violations.append(f"{name}: it died at write {at}, before the switch, and something had changed")
    restore.restore(path, actor="soak")
    found.violations += [f"{name}: {what}" for what in _judged(database, before)]
    path.unlink()
    return found


def restore_until(path: Path, at: int = _NEVER) -> int | None:
    """Restore in a process that is killed at its write `at`; how many writes it made, None when it was killed."""
    command = [sys.executable, "-m", "tests.support.backup.victim", str(path), str(at)]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=100)
    if ended.returncode == -signal.SIGKILL:
        return None
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def prepared_backup(database: Database, path: Path) -> int:
    """How many writes a restore of such a database makes when nobody kills it."""
    from coursehub.backup import dump

    _prepare(database)
    dump.take(path, actor="soak")
    writes = restore_until(path)
    path.unlink()
    return writes or 0


def _prepare(database: Database) -> None:
    """A batch that runs, a learner named in the audit trail, tokens of a set, and a collection of odd documents."""
    from django.contrib.auth.models import User

    from coursehub import audit, clock
    from coursehub.models import Course
    from coursehub.privacy import pseudonyms
    from invitations.claims import learner_claims, row_leases
    from invitations.models import Batch, Claim, Invitation, Piece
    from invitations.selectors import batch_status
    from oauthtokens.models import TokenSet

    for model in (Piece, Invitation, Claim, Batch):
        model.objects.all().delete()
    for email in (_ERASED, _STAYS):
        audit.record(action="soak.named", detail={"learner": pseudonyms.of(email)})
    user, _ = User.objects.get_or_create(username="soak")
    Course.objects.get_or_create(course_id="1", defaults={"name": "Soak"})
    batch = Batch.objects.create(
        course_id="1", course_name="Soak", filename="soak.csv", uploaded_by=user, created_at=clock.now(),
        state=Batch.State.RUNNING, content_key="soak", members_checked_at=clock.now(),
    )  # fmt: skip
    Invitation.objects.bulk_create(
        Invitation(batch=batch, course_id="1", line=line, email=email, email_folded=email, state="pending")
        for line, email in enumerate([_ERASED, _STAYS, *(f"{n}@example.org" for n in range(30))], start=2)
    )
    learner_claims.win(row_leases.take(batch.pk, 4))
    assert batch_status.status(batch.pk)
    TokenSet.objects.filter(number=1).update(state="ready", generation=1, refresh_token="cipher", uses=3)
    database["soak_sample"].drop()
    database["soak_sample"].create_index([("a", 1), ("b", -1)], unique=True, name="odd")
    database["soak_sample"].insert_many({"_id": n, "a": n, "b": [n, None, b"\0"]} for n in range(2500))


def _live_on() -> None:
    """What happens after the backup: a use of a token, an invitation, an erasure, a change that is to be undone."""
    from coursehub import audit
    from coursehub.mongo import outside_transaction
    from coursehub.privacy import erasure
    from invitations.claims import learner_claims
    from oauthtokens.models import TokenSet

    TokenSet.objects.filter(number=1).update(uses=9)
    row: dict[str, Any] = {"id": 7, "course_id": "1", "email_folded": _SINCE, "attempts": 1}
    learner_claims.win([row])
    erasure.erase(_ERASED, actor="soak")
    audit.record(action="soak.later")
    outside_transaction("soak_sample").delete_many({"_id": {"$gt": 100}})


def _judged(database: Database, before: dict[str, list]) -> list[str]:
    """What is not as it was promised, once a restore has ended."""
    from coursehub import audit
    from coursehub.backup import registry
    from coursehub.privacy import erasure
    from coursehub.queue import workers

    after, verified = contents_of(database), audit.verify()
    names = [name for name in database.list_collection_names() if not name.startswith("system.")]
    batches, rows = database["invitations_batch"], database["invitations_invitation"]
    aside, sets = database[audit.REPLACED], database["oauthtokens_tokenset"]
    restored = database["coursehub_auditevent"].find_one({"action": "backup.restored"}, sort=[("seq", -1)])
    held = {
        "a collection is not the backup's": all(after.get(name) == before[name] for name in _BYTE_EQUAL),
        "the erased learner is there": not any(_ERASED in str(row) for name in names for row in database[name].find()),
        "the log of erasures was lost": database[erasure.TABLE].count_documents({}) > 1,
        "another learner was lost": bool(rows.find_one({"email": _STAYS})),
        "a claim since the backup was lost": bool(database["invitations_claim"].find_one({"email_folded": _SINCE})),
        "the audit trail is broken": verified.first_broken is None and verified.replaced_lost == 0,
        "the trail does not name the newer events": bool(restored and restored["detail"][audit.REPLACED_EVENTS]),
        "a newer audit event was lost": aside.find_one({"action": "soak.later"}) is not None,
        "a use of a token set was forgotten": bool(sets.find_one({"number": 1, "uses": 9})),
        "a batch goes on by itself": not batches.find_one({"state": {"$ne": "paused"}}),
        "a row may be sent blindly": not rows.find_one({"state": {"$in": ["pending", "sending"]}}),
        "something is left behind": not [name for name in names if name.startswith(registry.STAGED)],
        "the mark is left": database[registry.UNFINISHED].find_one() is None,
        "nobody may tick": workers.TickerLease("soak").hold(),
    }
    database["coursehub_lease"].delete_many({})
    return [what for what, holds in held.items() if not holds]
