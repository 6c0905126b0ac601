"""Whatever runs at once or dies: a file that is read anew ends with the rows of its last reading, and no others."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings

from coursehub import clock
from invitations import retention, services
from invitations.models import Batch, Invitation, Piece
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.repair import without_names
from invitations.sending import existing_learners
from invitations.uploads import anew, file_store, import_rows
from tests.support.workbooks import xlsx

State = Invitation.State
ROWS = 6_000
GRACE = "grace@example.org"


def _file(rows: int = ROWS) -> bytes:
    """Two columns of addresses; every third learner has one in the first only."""
    lines = ["email,other email,first name,last name"]
    for number in range(rows):
        other = "" if number % 3 == 0 else f"other{number}@example.org"
        lines.append(f"learner{number}@example.org,{other},A,B")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def batch(course, person):
    return services.upload(user=person("trainer"), course=course, filename="class.csv", content=_file())


def _other_way(batch) -> Format:
    return Format(**batch.format).with_columns({"email": 1, "first_name": 2, "last_name": 3})


def _finish(batch) -> None:
    deadline = time.monotonic() + 120
    while Batch.objects.get(pk=batch.pk).state == Batch.State.UPLOADED:
        import_rows.read(batch.pk)
        assert time.monotonic() < deadline, "the reading does not end"


def _assert_rows_of_last_reading(batch) -> None:
    batch.refresh_from_db()
    stored = list(Invitation.objects.filter(batch=batch).order_by("line").values_list("line", "email"))
    at = batch.format["columns"]["email"]
    lines = _file().decode().splitlines()
    expected = [(line, text.split(",")[at]) for line, text in enumerate(lines, 1) if line > 1]
    assert stored == expected
    assert batch.total == len(expected)


def test_the_rows_of_the_new_reading_take_the_place_of_the_old_ones(batch):
    _finish(batch)
    assert services.read_anew(batch, _other_way(batch), actor="trainer")
    _finish(batch)
    _assert_rows_of_last_reading(batch)


def test_a_reader_that_is_overtaken_stores_nothing_among_the_new_rows(batch, monkeypatch):
    """One is about to store its first rows, while another reads the file anew to its end."""
    known_of, form = existing_learners.Known.of, _other_way(batch)

    def of(rows):
        patch.undo()
        assert services.read_anew(batch, form, actor="trainer")
        _finish(batch)
        return known_of(rows)

    with monkeypatch.context() as patch:
        patch.setattr(existing_learners.Known, "of", of)
        assert import_rows.read(batch.pk) == import_rows.UNFINISHED
    _assert_rows_of_last_reading(batch)


def test_readers_and_choices_at_once_end_with_one_reading(batch):
    forms = [Format(**batch.format), _other_way(batch)]
    done = threading.Event()

    def read_on(_: int) -> None:
        while not done.is_set():
            import_rows.read(batch.pk)

    def choose(number: int) -> bool:
        time.sleep(0.05 * number)
        return services.read_anew(Batch.objects.get(pk=batch.pk), forms[number % 2], actor="trainer")

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read_on, number) for number in range(3)]
        chosen = list(pool.map(choose, range(12)))
        done.set()
        for reader in readers:
            reader.result()
    assert all(chosen)
    _finish(batch)
    _assert_rows_of_last_reading(batch)


def test_a_confirmation_and_a_new_reading_at_once_are_one_or_the_other(course, person, monkeypatch):
    monkeypatch.setattr(anew, "READ_AT_ONCE_BYTES", 0)
    outcomes = set()
    for number in range(12):
        content = f"email,first name,last name\nada{number}@example.org,A,B\n".encode()
        batch = services.upload(user=person("trainer"), course=course, filename="a.csv", content=content)
        form, start = Format(**batch.format), threading.Barrier(2)

        def confirm(batch=batch, start=start) -> bool:
            start.wait()
            return services.confirm(batch, actor="trainer", reading=batch.read_fence)

        def read(batch=batch, form=form, start=start) -> bool:
            start.wait()
            return services.read_anew(batch, form, actor="trainer")

        with ThreadPoolExecutor(2) as pool:
            confirmed, is_anew = pool.submit(confirm), pool.submit(read)
            assert confirmed.result() != is_anew.result()
        batch.refresh_from_db()
        outcomes.add(batch.state)
        assert batch.state == (Batch.State.QUEUED if confirmed.result() else Batch.State.UPLOADED)
        assert Invitation.objects.filter(batch=batch).count() == 1
    assert outcomes


def test_rows_left_out_of_one_reading_are_not_left_out_of_the_next(course, person, monkeypatch):
    """The worker leaves rows out while another sheet or column is chosen: the new rows are asked about anew."""
    content = b"email,other,first name\nada@example.org,ada2@example.org,\ngrace@example.org,grace2@example.org,\n"
    batch = services.upload(user=person("trainer"), course=course, filename="a.csv", content=content)
    monkeypatch.setattr(without_names, "AT_ONCE_ROWS", 0)
    assert without_names.choose(batch, Batch.Names.LEFT_OUT, actor="trainer")
    before = without_names.islice

    def meanwhile(*arguments):
        patch.undo()
        assert services.read_anew(batch, Format(**batch.format).with_columns({"email": 1}), actor="trainer")
        return before(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(without_names, "islice", meanwhile)
        assert without_names.leave_out(batch.pk) == "moved on"
    batch.refresh_from_db()
    assert (batch.names, batch.made_names) == (Batch.Names.UNDECIDED, 2)
    rows = Invitation.objects.filter(batch=batch, state=State.PENDING).values_list("email", flat=True)
    assert set(rows) == {"ada2@example.org", "grace2@example.org"}


@pytest.mark.parametrize("act", ["addresses", "sheet"])
def test_a_text_that_is_made_while_the_file_is_deleted_does_not_outlive_it(course, person, monkeypatch, act):
    rows = [["email", "first name", "last name"], ["ada@example.org; alan@example.org", "A", "B"], [GRACE, "G", "H"]]
    content = "\n".join(map(",".join, rows)).encode() if act == "addresses" else xlsx(rows, rows)
    batch = services.upload(user=person("trainer"), course=course, filename="a", content=content)
    store = file_store.store

    def late(*arguments):
        patch.undo()
        assert retention.forget(batch.pk) == "forgotten"
        return store(*arguments)

    making = {
        "addresses": lambda: services.one_row_per_address(batch, user=person("trainer")),
        "sheet": lambda: services.choose_sheet(batch, 2, user=person("trainer")),
    }
    with monkeypatch.context() as patch:
        patch.setattr(file_store, "store", late)
        with pytest.raises(FileRefused, match="was deleted"):
            making[act]()
    assert not Piece.objects.exists()


def test_a_look_at_the_members_that_began_before_does_not_count_for_the_new_rows(batch, monkeypatch):
    _finish(batch)
    Batch.objects.filter(pk=batch.pk).update(members_checked_at=None)
    distinct = existing_learners.course_members.known_as_of

    def meanwhile(course_ids):
        patch.undo()
        assert services.read_anew(batch, _other_way(batch), actor="trainer")
        return distinct(course_ids)

    with monkeypatch.context() as patch:
        patch.setattr(existing_learners.course_members, "known_as_of", meanwhile)
        patch.setattr(existing_learners.course_members, "ask_for_sweep", lambda *_, **__: set())
        existing_learners.refine(batch.pk)
    assert Batch.objects.get(pk=batch.pk).members_checked_at is None


KILLED = """
import sys, uuid, django
django.setup()
from invitations.models import Batch
from invitations import services
from invitations.parsing.file_format import Format
from invitations.uploads import import_rows
batch = Batch.objects.get(pk=uuid.UUID(sys.argv[1]))
form = Format(**batch.format).with_columns({"email": 1, "first_name": 2, "last_name": 3})
print("begins", flush=True)
services.read_anew(batch, form, actor="trainer")
import_rows.CHUNK_ROWS = 500
import_rows.read(batch.pk)
"""


@pytest.mark.fault
@pytest.mark.parametrize("after_seconds", [0.02, 0.3])
def test_a_new_reading_that_is_killed_anywhere_is_made_up_for(batch, after_seconds):
    _finish(batch)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "coursehub.settings"}
    command = [sys.executable, "-c", KILLED, str(batch.pk)]
    killed = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE)
    assert killed.stdout.readline()
    time.sleep(after_seconds)
    killed.kill()
    killed.wait()
    killed.stdout.close()
    Batch.objects.filter(pk=batch.pk).exclude(read_lease_until=None).update(
        read_lease_until=clock.now() - timedelta(seconds=1)
    )
    _finish(batch)
    _assert_rows_of_last_reading(batch)
