"""The cell before a correction is personal data as any other: erased, forgotten, and brought back by no restore."""

import pytest

from coursehub.backup import dump, restore
from coursehub.privacy import erasure
from invitations import retention, services
from invitations.models import Batch, Invitation

OLD, NEW, OTHER = "ada@gmial.com", "ada@gmail.com", "grace@example.org"


@pytest.fixture
def corrected(uploaded, repair):
    batch = uploaded(f"email,first name,last name\n{OLD},Ada,Lovelace\n{OTHER},Grace,Hopper\n")
    assert repair(batch, 2, email=NEW).is_done
    return batch


def _held(database, text: str) -> set[str]:
    names = [name for name in database.list_collection_names() if not name.startswith("system.")]
    return {name for name in names if any(text in str(row).lower() for row in database[name].find())}


@pytest.mark.parametrize("address", [OLD, NEW, "ADA@gmial.com "])
def test_a_learner_is_erased_under_the_old_address_and_the_new(corrected, database, address):
    assert erasure.erase(address, actor="admin")["invitations"] == 1
    for text in (OLD, NEW, "lovelace"):
        assert _held(database, text) == set()
    assert Invitation.objects.get(batch=corrected, line=2).state == Invitation.State.NOT_ATTEMPTED
    assert Invitation.objects.get(batch=corrected, line=3).email == OTHER
    assert erasure.erase(address, actor="admin")["invitations"] == 0


def test_a_restore_brings_nothing_back_of_who_was_erased_under_the_old_address(corrected, database, tmp_path):
    dump.take(tmp_path / "backup.zip", actor="admin")
    erasure.erase(OLD, actor="admin")
    assert restore.restore(tmp_path / "backup.zip", actor="admin").erased_again == 1
    assert _held(database, OLD) == _held(database, NEW) == set()


def test_a_correction_outlives_a_backup_and_not_its_cells(corrected, database, tmp_path):
    dump.take(tmp_path / "backup.zip", actor="admin")
    restore.restore(tmp_path / "backup.zip", actor="admin")
    assert Invitation.objects.get(batch=corrected, line=2).correction["cells"]["email"]["before"] == OLD
    services.cancel(Batch.objects.get(pk=corrected.pk), actor="trainer")
    assert retention.forget(corrected.pk) == "forgotten"
    for text in (OLD, NEW):
        assert _held(database, text) == set()


def test_a_row_that_was_erased_cannot_be_put_right(corrected, repair):
    erasure.erase(OLD, actor="admin")
    assert not repair(corrected, 2, email=NEW).is_done
