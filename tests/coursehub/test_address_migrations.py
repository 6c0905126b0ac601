"""Addresses that an earlier version stored in other forms: migrated, again after a death, and after a restore."""

import importlib
import time
from contextlib import suppress

import pytest
from django.db.migrations.recorder import MigrationRecorder
from pymongo.errors import AutoReconnect

from coursehub import audit, clock, emails
from coursehub.backup import dump, restore
from coursehub.models import AccessEnd
from coursehub.mongo import outside_transaction
from coursehub.privacy import erasure, pseudonyms
from invitations.claims import learner_claims
from invitations.models import Claim, Invitation
from progress.models import Member

CODED, LETTERS = "ada@xn--mnchen-3ya.de", "ada@m\u00fcnchen.de"
APART, COMPOSED = "jose\u0301@example.org", "jos\u00e9@example.org"
APPS = ("coursehub", "progress", "invitations")


def _name(app: str) -> str:
    number = {"coursehub": "0008", "progress": "0007", "invitations": "0007"}[app]
    return f"{number}_one_form_of_addresses"


def migrate() -> None:
    for app in APPS:
        importlib.import_module(f"{app}.migrations.{_name(app)}").normalize(None, None)


def _claim(address: str, *, number: int, generation: int = 1, undone: bool = False) -> None:
    row = {"course_id": "1", "email_folded": address, "generation": generation, "id": number, "attempts": 1}
    assert learner_claims.win([row]) == [row]
    if undone:
        learner_claims.undo(row)


def _member(address: str, number: int = 1) -> None:
    key = f"1-m{number}"
    row = {"_id": key, "id": key, "course_id": "1", "member_id": f"m{number}", "email": address, "gone_at": None}
    outside_transaction(Member).insert_one(row | {"email_folded": address.strip().casefold()})


def _row(address: str, folded: str, line: int = 2) -> None:
    row = {"course_id": "1", "line": line, "email": address, "email_folded": folded, "state": "invited"}
    outside_transaction(Invitation).insert_one(row | {"id": line, "batch_id": "0" * 32})


def _folded(model) -> set[str]:
    return set(outside_transaction(model).distinct("email_folded"))


@pytest.fixture
def older(database):
    """As earlier versions stored a learner of each kind, and one whose address is plain."""
    at = clock.now()
    for number, address in enumerate([CODED, APART, "grace@example.org"], start=1):
        _member(address, number)
        _row(address, address, number)
        _claim(address, number=number)
        AccessEnd.note(course_id="1", email_folded=address, ends_at=at)
        outside_transaction("coursehub_addresskey").insert_one({"_id": address, "key": bytes([number]) * 32})
    return database


def test_all_that_is_stored_gets_the_normal_form_and_the_same_again_changes_nothing(older):
    expected = {LETTERS, COMPOSED, "grace@example.org"}
    for _ in range(2):
        migrate()
        for model in (Member, Invitation, Claim, AccessEnd):
            assert _folded(model) == expected
        assert set(outside_transaction(Claim).distinct("key")) == {Claim.key_of("1", one) for one in expected}
        assert set(outside_transaction(AccessEnd).distinct("_id")) == {AccessEnd.key_of("1", one) for one in expected}
        assert set(pseudonyms.named()) == expected


@pytest.mark.parametrize("after", range(12))
def test_a_migration_that_dies_anywhere_is_ended_by_the_next(older, monkeypatch, after):
    _claim(LETTERS, number=7)
    left = after

    def dies(method):
        def write(*args, **options):
            nonlocal left
            left -= 1
            if left < 0:
                raise AutoReconnect("killed")
            return method(*args, **options)

        return write

    collection = type(outside_transaction(Claim))
    with monkeypatch.context() as patch:
        for name in ("update_one", "bulk_write", "delete_one", "delete_many", "find_one_and_update"):
            patch.setattr(collection, name, dies(getattr(collection, name)))
        with suppress(AutoReconnect):
            migrate()
    test_all_that_is_stored_gets_the_normal_form_and_the_same_again_changes_nothing(older)


@pytest.mark.parametrize(
    ("first", "second", "is_free"),
    [
        ([False], [False], False),
        ([True], [False], False),
        ([False], [True], False),
        ([True], [True], True),
        ([False, True], [False], False),
        ([False], [False, True], False),
        ([True, False], [True], False),
        ([True, True], [True], True),
    ],
)
def test_claims_that_fall_together_keep_whoever_is_invited(database, first, second, is_free):
    """Of each spelling: whether the claims of its generations were undone."""
    for spelling, undone in ((CODED, first), (LETTERS, second)):
        for generation, is_undone in enumerate(undone, start=1):
            _claim(spelling, number=1, generation=generation, undone=is_undone)
    for _ in range(2):
        migrate()
        assert _folded(Claim) == {LETTERS}
        assert Claim.objects.count() == max(len(first), len(second))
        latest = learner_claims.latest("1", [LETTERS])[LETTERS]
        assert bool(latest["undone_at"]) == is_free


def test_a_name_in_the_audit_trail_stays_and_two_are_forgotten_together(database):
    keys = outside_transaction("coursehub_addresskey")
    keys.insert_many([{"_id": CODED, "key": b"1" * 32}, {"_id": LETTERS, "key": b"2" * 32}])
    before = {pseudonyms.keyed_hash(CODED, b"1" * 32), pseudonyms.keyed_hash(LETTERS, b"2" * 32)}
    migrate()
    assert set(pseudonyms.names(CODED)) == before
    assert pseudonyms.of(CODED) == pseudonyms.of(LETTERS) in before
    assert pseudonyms.forget(CODED)
    assert (list(pseudonyms.named()), pseudonyms.names(LETTERS)) == ([], [])


def test_a_single_name_stays_though_the_address_is_spelled_otherwise_now(database):
    outside_transaction("coursehub_addresskey").insert_one({"_id": CODED, "key": b"1" * 32})
    migrate()
    assert pseudonyms.of(LETTERS) == pseudonyms.keyed_hash(CODED, b"1" * 32)


def _of_an_older_version(database) -> None:
    """As it was before: without the records of these migrations and of all later ones."""
    for app in APPS:
        assert database["django_migrations"].delete_many({"app": app, "name": {"$gte": _name(app)}}).deleted_count


def test_a_restored_backup_of_an_older_version_is_normalized(older, tmp_path):
    _of_an_older_version(older)
    dump.take(tmp_path / "backup.zip", actor="test")
    migrate()  # the present database has gone on, and its claims are kept
    restore.restore(tmp_path / "backup.zip", actor="test")
    for model in (Member, Invitation, Claim, AccessEnd):
        assert _folded(model) == {LETTERS, COMPOSED, "grace@example.org"}
    assert MigrationRecorder.Migration.objects.filter(app="invitations", name=_name("invitations")).exists()


@pytest.mark.parametrize("logged", [CODED, LETTERS])
def test_who_was_erased_under_any_spelling_stays_erased_after_a_restore(older, tmp_path, logged):
    """The log of erasures holds hashes only, of the spelling that was typed at that time."""
    _of_an_older_version(older)
    dump.take(tmp_path / "backup.zip", actor="test")
    erasure.erase("somebody@example.org", actor="test")
    log = older[erasure.TABLE]
    key = bytes(log.find_one({"key": {"$ne": None}})["key"])
    log.insert_one({"_id": pseudonyms.keyed_hash(logged, key), "at": clock.now()})
    assert restore.restore(tmp_path / "backup.zip", actor="test").erased_again == 1
    for model in (Member, Invitation, Claim, AccessEnd):
        assert _folded(model) - {""} == {COMPOSED, "grace@example.org"}
    assert pseudonyms.names(LETTERS) == []
    assert audit.verify().first_broken is None


def test_who_is_erased_before_the_migration_has_run_is_erased_under_every_spelling(older):
    erasure.erase(LETTERS, actor="test")
    for model in (Member, Invitation, Claim, AccessEnd):
        assert not _folded(model) & emails.spellings(LETTERS)


def test_plain_addresses_cost_the_migration_next_to_nothing(database):
    """A scan in the database for each collection."""
    plain = [f"{number}@example.org" for number in range(20_000)]
    rows = [{"key": Claim.key_of("1", one), "course_id": "1", "email_folded": one} for one in plain]
    outside_transaction(Claim).insert_many(rows)
    began = time.monotonic()
    migrate()
    assert time.monotonic() - began < 2
