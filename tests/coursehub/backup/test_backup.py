"""A backup is the database at one moment; a restore brings exactly that back, and refuses what is damaged."""

import os
import random
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from bson import Regex, decode_all
from django.db.migrations.recorder import MigrationRecorder
from pymongo.errors import DuplicateKeyError

from coursehub import academy, audit
from coursehub.backup import archive, dump, registry, restore
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.privacy import pseudonyms
from coursehub.queue import workers
from coursehub.trainercentral.profile import AnswerKind, Meaning
from tests.support import ROOT
from tests.support.backup import kills
from tests.support.backup.kills import contents_of
from tests.support.commands import run
from tests.support.findings import Found

ADA = "ada@example.org"


@pytest.fixture
def stored(database):
    """Something in many collections, of every kind of value that BSON knows and we use."""
    pseudonyms.of(ADA)
    for number in range(5):
        audit.record(action="test.done", target=f"thing {number}", detail={"rows": number})
    database.backup_sample.drop()
    database.backup_sample.create_index(
        [("a", 1), ("b", -1)], unique=True, name="odd", partialFilterExpression={"a": {"$gt": 1}}
    )
    database.backup_sample.insert_many({"_id": n, "a": n, "b": [n, 1.5, None, "ü", b"\0\xff"]} for n in range(2500))
    database.backup_sample.insert_one({"_id": "odd", "a": {"deep": Regex("^x", "i")}, "at": audit.clock.now()})
    yield database
    database.backup_sample.drop()


@pytest.fixture
def taken(stored, tmp_path) -> Path:
    path = tmp_path / "backup.zip"
    dump.take(path, actor="test")
    return path


def test_what_comes_back_is_byte_for_byte_what_was_there_and_so_are_the_indexes(stored, tmp_path):
    path, before = tmp_path / "backup.zip", contents_of(stored)
    code, said = run("backup", "--output", str(path))
    assert (code, said["left_out"], said["bytes"]) == (0, [], path.stat().st_size)
    stored.backup_sample.drop()
    stored.auth_group.delete_many({})
    stored["coursehub_lost"].insert_one({"_id": "of a newer model"})
    code, said = run("restore", "--input", str(path), "--yes")
    assert (code, said["first_broken"]) == (0, None)
    after = contents_of(stored)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    # The event of the restore; the newer events, which are kept aside; the roles' permissions, written anew.
    assert changed <= {"coursehub_auditevent", audit.REPLACED, "__schema__", "auth_group_permissions"}
    assert after["backup_sample"] == before["backup_sample"]
    with pytest.raises(DuplicateKeyError):
        stored.backup_sample.insert_one({"a": 7, "b": [7, 1.5, None, "ü", b"\0\xff"]})


def test_the_file_is_its_owners_only_and_never_overwritten(taken):
    assert stat.S_IMODE(taken.stat().st_mode) == 0o600
    before = taken.read_bytes()
    code, said = run("backup", "--output", str(taken))
    assert code == 2
    assert "exists" in said["error"]
    assert taken.read_bytes() == before
    assert os.listdir(taken.parent) == [taken.name]


def test_a_folder_that_is_not_there_is_one_sentence(database, tmp_path):
    code, said = run("backup", "--output", str(tmp_path / "nowhere" / "backup.zip"))
    assert (code, said["error"].count("\n")) == (2, 0)


def test_what_is_of_the_moment_only_is_not_in_it(stored, tmp_path):
    for name in ("coursehub_queue", "django_session", "coursehub_callbudget", "oauthtokens_consents"):
        stored[name].insert_one({"_id": "of the moment"})
    dump.take(tmp_path / "backup.zip", actor="test")
    with zipfile.ZipFile(tmp_path / "backup.zip") as file:
        assert not [name for name in file.namelist() if b"of the moment" in file.read(name)]
    restore.restore(tmp_path / "backup.zip", actor="test")
    left = {name for name in stored.list_collection_names() if stored[name].find_one({"_id": "of the moment"})}
    assert left == {"coursehub_callbudget", "oauthtokens_consents"}, "tasks and sessions go, the rest stays as it is"


def test_what_has_no_moment_to_be_read_at_is_left_out_and_named(stored, tmp_path):
    stored.create_collection("backup_capped", capped=True, size=4096)
    try:
        code, said = run("backup", "--output", str(tmp_path / "backup.zip"))
    finally:
        stored.backup_capped.drop()
    assert (code, said["left_out"]) == (1, ["backup_capped"])


@contextmanager
def writers(database, count: int = 4):
    """Each moves one unit from one account to another in a transaction, so that the sum never changes."""
    names, stop = ("backup_left", "backup_right"), threading.Event()
    for name in names:
        database[name].drop()
        database[name].insert_many({"_id": n, "units": 100} for n in range(50))

    def write(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            source, target = chance.sample(names, 2)
            with database.client.start_session() as session:
                session.with_transaction(lambda s, source=source, target=target: _move(s, chance, source, target))

    def _move(session, chance, source, target) -> None:
        database[source].update_one({"_id": chance.randrange(50)}, {"$inc": {"units": -1}}, session=session)
        database[target].update_one({"_id": chance.randrange(50)}, {"$inc": {"units": 1}}, session=session)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield names
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for name in names:
            database[name].drop()


def test_a_backup_is_of_one_moment_while_writers_run(stored, tmp_path):
    sums, seen = [], set()
    with writers(stored) as names:
        for number in range(5):
            path = tmp_path / f"{number}.zip"
            dump.take(path, actor="test")
            with zipfile.ZipFile(path) as file:
                rows = [decode_all(file.read(f"collections/{name}.bson")) for name in names]
            sums.append(sum(row["units"] for part in rows for row in part))
            seen.add(str(rows))
    assert sums == [10_000] * 5
    assert len(seen) > 1, "the writers were writing"


def _damaged(path: Path, how: str) -> Path:
    """A copy of the backup with one thing wrong."""
    content, target = bytearray(path.read_bytes()), path.with_name(f"{how}.zip")
    with zipfile.ZipFile(path) as file:
        sample = file.getinfo("collections/backup_sample.bson")
        manifest = file.getinfo("manifest.json")
    if how == "cut off in the documents":
        content = content[: sample.header_offset + 100]
    elif how == "cut off in the manifest":
        content = content[: manifest.header_offset + 60]
    elif how == "a byte of a document":
        content[sample.header_offset + 200] ^= 0x40
    elif how == "a byte of the manifest":
        content[manifest.header_offset + 200] ^= 0x40
    elif how == "no backup":
        content = bytearray(b"email,first name\nada@example.org,Ada\n")
    elif how == "empty":
        content = bytearray()
    target.write_bytes(bytes(content))
    return target


def _rewritten(path: Path, how: str) -> Path:
    """A copy of the backup whose zip is fine, and whose content is not."""
    target = path.with_name(f"{how}.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "collections/backup_sample.bson" and how == "a document less":
                content = content[struct.unpack("<i", content[:4])[0] :]
            if name == "collections/backup_sample.bson" and how == "half a document":
                content = content[:-3]
            if name == "collections/auth_group.bson" and how == "a part less":
                continue
            if name == "manifest.json":
                content = content.replace(*_REWRITTEN.get(how, (b"", b"")))
                if how == "another zip":
                    continue
            new.writestr(name, content)
    return target


_REWRITTEN = {
    "another product": (b"coursehub-backup", b"otherhub-backup"),
    "a newer format": (b'"version": {"$numberInt": "1"}', b'"version": {"$numberInt": "2"}'),
    "a newer version": (b'["coursehub", "0001_initial"]', b'["coursehub", "0999_from_the_future"]'),
    "nonsense": (b'"parts"', b'"party"'),
}
DAMAGES = ["cut off in the documents", "cut off in the manifest", "a byte of a document", "a byte of the manifest"]
DAMAGES += ["no backup", "empty"]
REWRITTEN = ["a document less", "half a document", "a part less", "another zip", *_REWRITTEN]


@pytest.mark.parametrize("how", [*DAMAGES, *REWRITTEN, "not there"])
def test_a_file_that_is_damaged_or_foreign_is_one_sentence_and_changes_nothing(stored, taken, how):
    made = (
        taken.with_name("not there") if how == "not there" else (_damaged if how in DAMAGES else _rewritten)(taken, how)
    )
    before = contents_of(stored)
    for arguments in (["--check"], ["--yes"]):
        code, said = run("restore", "--input", str(made), *arguments)
        assert (code, list(said)) == (2, ["error"])
        assert said["error"].endswith(".")
        assert "\n" not in said["error"]
    assert contents_of(stored) == before
    assert not [name for name in stored.list_collection_names() if name.startswith(registry.STAGED)]


@pytest.mark.parametrize("seed", range(1, 6))
def test_any_byte_that_differs_is_noticed_or_means_nothing(taken, seed):
    chance, content = random.Random(seed), taken.read_bytes()
    whole = [(part.name, part.sha256) for part in restore.check(taken).parts]
    for _ in range(40):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        taken.write_bytes(bytes(changed))
        try:
            assert [(part.name, part.sha256) for part in restore.check(taken).parts] == whole
        except archive.Refused:
            continue


def test_a_worker_that_runs_keeps_a_restore_away_and_one_that_died_is_waited_for(stored, taken):
    alive, stop = "host:1", threading.Event()
    before = contents_of(stored)

    def live() -> None:
        while not stop.wait(0.2):
            workers.stamp(alive, 1)

    workers.stamp(alive, 1)
    thread = threading.Thread(target=live)
    thread.start()
    try:
        code, said = run("restore", "--input", str(taken), "--yes")
    finally:
        stop.set()
        thread.join()
    assert (code, "worker" in said["error"]) == (2, True)
    assert contents_of(stored) == before
    outside_transaction("coursehub_worker").update_many({}, [{"$set": {"alive_until": workers.seconds_from_now(1)}}])
    assert run("restore", "--input", str(taken), "--yes")[0] == 0


def test_nobody_ticks_between_the_first_renaming_and_the_end(stored, taken, monkeypatch):
    ticking = []
    lease = workers.TickerLease("a worker that was started too early")

    def die(**_):
        ticking.append(lease.hold())
        raise KeyboardInterrupt

    monkeypatch.setattr("coursehub.privacy.erasure.erase_again", die)  # of the first things after the switch
    with pytest.raises(KeyboardInterrupt):
        restore.restore(taken, actor="test")
    assert ticking == [False]
    with pytest.raises(SystemExit, match="restore"):
        restore.refuse_while_unfinished()
    monkeypatch.undo()
    restore.restore(taken, actor="test")
    assert lease.hold()
    restore.refuse_while_unfinished()


@pytest.mark.fault
@pytest.mark.timeout(600)
def test_a_restore_that_is_killed_anywhere_and_run_again_is_right(database, tmp_path):
    """Five fixed seeds, and more until one dies in the switch; `make soak ONLY=restore-kills` runs many."""
    path, found = tmp_path / "backup.zip", Found()
    writes = kills.prepared_backup(database, path)
    for seed in range(1, 21):
        if seed > 5 and found.sums["deaths_in_the_switch"]:
            break
        found.add(kills.kill_run(database, path, random.Random(seed), writes, f"seed {seed}"))
    database["soak_sample"].drop()
    assert found.violations == []
    assert found.sums["deaths"] > found.sums["deaths_in_the_switch"] > 0


def test_no_backup_is_taken_of_half_a_restore(database, tmp_path):
    database[registry.UNFINISHED].insert_one({"_id": "unfinished"})
    code, said = run("backup", "--output", str(tmp_path / "backup.zip"))
    assert (code, "restore" in said["error"]) == (2, True)


def test_the_newer_events_are_kept_aside_and_a_change_to_them_shows(stored, taken):
    audit.record(action="role.taken", actor="ada", target="user 7")
    restore.restore(taken, actor="test")
    assert not AuditEvent.objects.filter(action="role.taken").exists()
    code, said = run("verify_audit_log")
    assert (code, said["replaced"], said["replaced_lost"]) == (0, 2, 0)
    stored[audit.REPLACED].update_one({"action": "role.taken"}, {"$set": {"target": "user 8"}})
    code, said = run("verify_audit_log")
    assert (code, said["replaced_lost"]) == (2, 2)


def test_what_was_learnt_about_the_academy_comes_back(stored, tmp_path):
    kind = AnswerKind("addCourseAttendee.json", 200, "ST_41", "{}")
    academy.note_fact("page_cap", 50)
    academy.note_answer(kind, {"message": "exists"})
    academy.decide(kind.key, Meaning.REFUSED, actor="ada")
    known = academy.document()
    dump.take(tmp_path / "backup.zip", actor="test")
    academy.note_fact("page_cap", 10)
    academy.decide(kind.key, Meaning.INVITED, actor="grace")
    restore.restore(tmp_path / "backup.zip", actor="test")
    academy.forget()
    assert academy.document() == known
    assert academy.profile().meanings == {kind.key: Meaning.REFUSED}


def test_numbers_that_were_given_out_since_are_not_given_again(stored, taken, person):
    newest = person("trainer").pk
    restore.restore(taken, actor="test")
    assert person("trainer").pk > newest


def test_a_backup_of_an_older_version_is_migrated(stored, tmp_path):
    """As it was before the fourth migration of `oauthtokens`: without its collection, and without later records."""
    stored["oauthtokens_sitting"].drop()
    schema = stored["__schema__"].find_one_and_delete({"name": "oauthtokens_sitting"})
    later = {"app": "oauthtokens", "name": {"$gte": "0004_sitting"}}
    assert schema
    assert stored["django_migrations"].delete_many(later).deleted_count
    dump.take(tmp_path / "backup.zip", actor="test")
    restore.restore(tmp_path / "backup.zip", actor="test")
    assert MigrationRecorder.Migration.objects.filter(app="oauthtokens", name="0004_sitting").exists()
    assert "one_open_sitting" in stored["oauthtokens_sitting"].index_information()


def test_a_restore_asks_unless_it_is_told_that_nothing_runs(stored, taken):
    code, said = run("restore", "--input", str(taken))
    assert (code, "--yes" in said["error"]) == (3, True)


def test_a_trail_that_holds_and_one_that_does_not(database):
    for _ in range(3):
        audit.record(action="test.done")
    code, said = run("verify_audit_log")
    assert (code, said["events"], said["first_broken"]) == (0, 3, None)
    assert said["last_hash"] == AuditEvent.objects.get(seq=3).hash
    outside_transaction(AuditEvent).delete_one({"seq": 2})
    code, said = run("verify_audit_log")
    assert (code, said["events"], said["first_broken"]) == (2, 1, 2)


def test_the_web_process_does_not_start_on_half_a_restore(database, tmp_path):
    database[registry.UNFINISHED].insert_one({"_id": "unfinished"})
    command = [sys.executable, "-m", "coursehub.web"]
    began = time.monotonic()
    ended = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, "restore" in ended.stderr) == (1, True)
    assert time.monotonic() - began < 60
