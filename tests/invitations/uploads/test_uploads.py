"""One open batch per content, whatever runs at once; what is large is read in slices by whoever wins the lease."""

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from pymongo.errors import AutoReconnect, BulkWriteError

from coursehub import clock
from coursehub.models import AuditEvent, Course
from coursehub.mongo import outside_transaction
from invitations import erasure, services, tasks
from invitations.models import Batch, HeadingChoice, Invitation, Piece
from invitations.parsing import reader
from invitations.selectors import batch_status
from invitations.sending import existing_learners, sender
from invitations.uploads import import_rows, row_documents, upload
from progress.models import Member
from progress.polling import poller
from tests.support.files import csv_of

State = Invitation.State


@pytest.fixture
def send_in(course, person):
    """`send_in(content)`: what the trainer's upload makes of these bytes."""

    def make(content: bytes, course=course, role="trainer"):
        return services.upload(user=person(role), course=course, filename="class.csv", content=content)

    return make


@pytest.fixture
def choose(person):
    """`choose(batch, columns)`: the trainer says what they hold."""

    def said(batch: Batch, columns: dict[str, int]) -> bool:
        form = reader.Format(**batch.format).with_columns(columns)
        return services.choose_columns(batch, form, user=person("trainer"))

    return said


def _large(rows: int = 10_000, last: str = "") -> bytes:
    content = csv_of(*(f"learner{number}@example.org" for number in range(rows))) + last.encode()
    assert len(content) > upload.READ_AT_ONCE_BYTES
    return content


def _states(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def test_twenty_uploads_and_confirmations_at_once_make_one_batch(send_in, course, person):
    content = csv_of("ada@example.org", "grace@example.org")
    person("trainer")

    def go(_: int):
        batch = send_in(content)
        return batch.pk, services.confirm(Batch.objects.get(pk=batch.pk), actor="trainer")

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(go, range(20)))
    assert len({batch_id for batch_id, _ in results}) == 1
    assert [confirmed for _, confirmed in results].count(True) == 1
    assert Batch.objects.count() == 1
    assert Invitation.objects.count() == 2
    assert AuditEvent.objects.filter(action="batch.uploaded").count() == 1


def test_another_course_another_person_and_a_finished_batch_make_batches_of_their_own(send_in, course):
    content = csv_of("ada@example.org")
    first = send_in(content)
    other_course = Course.objects.exclude(pk=course.pk).first()
    batches = {first.pk, send_in(content, course=other_course).pk, send_in(content, role="administrator").pk}
    services.cancel(first, actor="trainer")
    assert len(batches | {send_in(content).pk}) == 4


def test_yesterday_s_file_again_invites_only_who_is_new(confirmed, send_in, invited_counts):
    sender.send_slice(confirmed("ada@example.org", "grace@example.org").pk)
    again = send_in(csv_of("ada@example.org", "grace@example.org"))
    assert _states(again) == {State.ALREADY_INVITED: 2}
    assert "Already invited in batch “class.csv” of" in Invitation.objects.filter(batch=again).first().reason
    grown = send_in(csv_of("ada@example.org", "grace@example.org", "alan@example.org"))
    assert _states(grown) == {State.ALREADY_INVITED: 2, State.PENDING: 1}
    _poll(grown)
    services.confirm(grown, actor="trainer")
    sender.send_slice(grown.pk)
    assert invited_counts() == {"ada@example.org": 1, "grace@example.org": 1, "alan@example.org": 1}


def test_a_large_file_is_stored_at_once_and_read_by_a_worker(send_in):
    content = _large()
    batch = send_in(content)
    assert (batch.state, Invitation.objects.count()) == (Batch.State.UPLOADED, 0)
    assert b"".join(bytes(piece.data) for piece in Piece.objects.filter(batch=batch)) == content
    assert import_rows.waiting() == [batch.pk]
    assert tasks.read(str(batch.pk)) == import_rows.READ
    assert tasks.read(str(batch.pk)) == import_rows.NOT_NOW
    assert _states(batch) == {State.PENDING: 10_000}
    assert Batch.objects.get(pk=batch.pk).total == 10_000


def test_a_reading_in_slices_gives_what_one_reading_gives(send_in, monkeypatch):
    monkeypatch.setattr(import_rows, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 3_000)
    batch = send_in(_large(last="learner1@example.org,A,B\nnobody,A,B\n"))
    outcomes = []
    while not outcomes or outcomes[-1] == import_rows.UNFINISHED:
        outcomes.append(import_rows.read(batch.pk))
    assert outcomes == [import_rows.UNFINISHED] * 4 + [import_rows.READ]
    assert _states(batch) == {State.PENDING: 10_000, State.DUPLICATE: 1, State.INVALID: 1}


def test_a_reader_that_died_is_made_up_for_and_one_that_lost_its_lease_changes_nothing(send_in, monkeypatch):
    batch = send_in(_large())
    monkeypatch.setattr(import_rows, "SLICE_SECONDS", 0.0)
    assert import_rows.read(batch.pk) == import_rows.UNFINISHED
    # As a reader leaves it that was killed after it had stored rows and before it said so.
    Batch.objects.filter(pk=batch.pk).update(total=0, read_lease_until=clock.now() + timedelta(seconds=60))
    monkeypatch.undo()
    assert import_rows.read(batch.pk) == import_rows.NOT_NOW
    assert import_rows.waiting() == []
    held = Batch.objects.filter(pk=batch.pk)
    held.update(read_lease_until=clock.now() - timedelta(seconds=1))

    def overtake() -> None:
        held.update(read_lease_until=clock.now() - timedelta(seconds=1))
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda _: import_rows.read(batch.pk), range(4)))
        assert outcomes.count(import_rows.READ) == 1
        left.append(held.values().get())

    left: list[dict] = []
    with _meanwhile(monkeypatch, overtake):
        assert import_rows.read(batch.pk) == import_rows.UNFINISHED
    assert held.values().get() == left[0]
    assert _states(batch) == {State.PENDING: 10_000}


@contextmanager
def _meanwhile(monkeypatch, happens: Callable[[], None]) -> Iterator[None]:
    """Context: that happens once, while a reader is about to store rows."""
    known_of = existing_learners.Known.of

    def of(rows):
        patch.undo()
        happens()
        return known_of(rows)

    with monkeypatch.context() as patch:
        patch.setattr(existing_learners.Known, "of", of)
        yield


READER = """
import sys, uuid, django
django.setup()
from invitations.uploads import import_rows
import_rows.read(uuid.UUID(sys.argv[1]))
"""


@pytest.mark.fault
def test_what_a_killed_reader_has_begun_another_ends(send_in):
    batch = send_in(_large(40_000))
    command = [sys.executable, "-c", READER, str(batch.pk)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "coursehub.settings"}
    reader = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    deadline = time.monotonic() + 60
    while not Batch.objects.get(pk=batch.pk).total:
        assert time.monotonic() < deadline, "the reader does not begin"
        time.sleep(0.01)
    reader.kill()
    reader.wait()
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.UPLOADED, "killed in the middle"
    assert import_rows.read(batch.pk) == import_rows.NOT_NOW, "its lease has not ended"
    Batch.objects.filter(pk=batch.pk).update(read_lease_until=clock.now())
    # MongoDB keeps what the dead one had not committed for a minute, as long as its lease would have lasted.
    while (ended := import_rows.read(batch.pk)) == import_rows.UNFINISHED:
        pass
    assert ended == import_rows.READ
    lines = set(Invitation.objects.filter(batch=batch, state=State.PENDING).values_list("line", flat=True))
    assert lines == set(range(2, 40_002))


def test_rows_that_are_read_while_a_person_cancels_are_not_stored(send_in, monkeypatch):
    batch = send_in(_large())

    def cancel() -> None:
        assert services.cancel(batch, actor="trainer")
        assert not _states(batch)

    with _meanwhile(monkeypatch, cancel):
        assert import_rows.read(batch.pk) == import_rows.UNFINISHED
    assert not _states(batch)


def test_a_large_file_that_turns_out_unusable_ends_with_its_sentence_and_can_be_uploaded_anew(send_in, client_for):
    content = _large(last='grace@example.org,"G,H\n')
    batch = send_in(content)
    assert import_rows.read(batch.pk) == import_rows.REFUSED
    ended = Batch.objects.get(pk=batch.pk)
    assert ended.state == Batch.State.CANCELLED
    assert "opened in line 10002 is never closed" in ended.reason
    assert _states(batch) == {State.NOT_ATTEMPTED: 10_000}
    assert send_in(content).pk != batch.pk
    page = client_for("trainer").get(f"/invitations/{batch.pk}/").content.decode()
    assert '<span role="alert">The quotation mark' in page


def test_a_reading_whose_rows_cannot_be_stored_ends_and_the_next_one_goes_on(send_in):
    batch = send_in(_large())
    rows = outside_transaction(Invitation)
    rows.database.command("collMod", rows.name, validator={"line": {"$lt": 5_000}})
    try:
        with pytest.raises(BulkWriteError):
            import_rows.read(batch.pk)
    finally:
        rows.database.command("collMod", rows.name, validator={})
    stopped = Batch.objects.get(pk=batch.pk)
    assert (stopped.state, stopped.total, stopped.read_lease_until) == (Batch.State.UPLOADED, 4_000, None)
    assert import_rows.waiting() == [batch.pk]
    assert import_rows.read(batch.pk) == import_rows.READ
    assert _states(batch) == {State.PENDING: 10_000}


@pytest.mark.parametrize("fails", [1, 2, 5])
def test_rows_behind_those_that_could_not_be_stored_are_not_stored(send_in, monkeypatch, fails):
    batch, of, calls = send_in(_large()), row_documents.of, itertools.count(1)

    def election(*args):
        if next(calls) == fails:
            raise AutoReconnect
        return of(*args)

    monkeypatch.setattr(row_documents, "of", election)
    with pytest.raises(AutoReconnect):
        import_rows.read(batch.pk)
    batch.refresh_from_db()
    assert batch.total == Invitation.objects.filter(batch=batch).count() == (fails - 1) * import_rows.CHUNK_ROWS
    assert import_rows.read(batch.pk) == import_rows.READ
    assert _states(batch) == {State.PENDING: 10_000}


def test_what_is_asked_at_the_end_of_a_reading_is_answered_by_an_index(send_in):
    batch = send_in(csv_of(*(f"learner{number}@example.org" for number in range(300))))
    of_batch = {"batch_id": batch.pk.hex}
    assert _indexes({**of_batch, "state": State.PENDING, "name_made": True}) == {"invitation_made_name"}
    assert _indexes({**of_batch, "reason": erasure.ERASED}) == {"invitation_erased"}


def _indexes(wanted: dict) -> set[str]:
    """The names of the indexes by which MongoDB finds such rows."""
    plan = outside_transaction(Invitation).find(wanted).explain()["queryPlanner"]["winningPlan"]
    return set(re.findall(r"'indexName': '(\w+)'", str(plan)))


def test_too_many_rows_are_refused(send_in, settings):
    settings.UPLOAD_MAX_ROWS = 2
    with pytest.raises(reader.FileRefused, match="more than 2 rows"):
        send_in(csv_of("a@example.org", "b@example.org", "c@example.org"))


UNTOLD = b"Whom;Called\nada@example.org;Ada\ngrace@example.org;Grace\n"


def test_a_person_says_what_the_headings_do_not_and_is_asked_once(send_in, choose):
    batch = send_in(UNTOLD)
    assert not batch_status.is_settled(batch)
    assert import_rows.read(batch.pk) == import_rows.NOT_NOW
    with pytest.raises(reader.FileRefused, match="Choose the column"):
        choose(batch, {"first_name": 1})
    assert choose(batch, {"email": 0, "first_name": 1})
    assert Invitation.objects.get(batch=batch, line=2).first_name == "Ada"
    again = send_in(UNTOLD.replace(b"ada@", b"alan@"))
    assert (again.state, HeadingChoice.objects.count()) == (Batch.State.PREVIEW, 1)
    assert send_in(UNTOLD, role="administrator").state == Batch.State.UPLOADED, "the choice is one person's"


def test_a_choice_for_a_file_without_headings_is_not_remembered(send_in, choose):
    choose(send_in(b"ada@example.org;Ada\n"), {"email": 0})
    other_way_round = send_in(b"grace@example.org;boss@example.org\n")
    assert not batch_status.is_settled(other_way_round)
    assert HeadingChoice.objects.count() == 0


def test_a_remembered_choice_that_does_not_fit_a_file_is_asked_anew(send_in, choose):
    choose(send_in(UNTOLD), {"email": 0})
    assert not batch_status.is_settled(send_in(b"Whom;Called\nAda;ada@example.org\nGrace;grace@example.org\n"))


def test_rows_name_their_courses_and_one_learner_may_be_in_several(send_in, course):
    first, second = Course.objects.order_by("course_id")[:2]
    content = f"email,course\na@example.org,{first.course_id}\na@example.org,{second.name}\na@example.org,no such\n"
    batch = send_in(content.encode(), course=None)
    assert batch.course_id == ""
    rows = Invitation.objects.filter(batch=batch, state=State.PENDING).order_by("line")
    assert [row.course_id for row in rows] == [first.course_id, second.course_id]
    with pytest.raises(reader.FileRefused, match="Choose the course"):
        send_in(csv_of("a@example.org"), course=None)


def test_a_trainer_s_file_reaches_no_course_of_others(send_in, course, person):
    foreign = Course.objects.create(course_id="999", name="Not theirs")
    with pytest.raises(reader.FileRefused, match="no course “999” that you may invite to"):
        send_in(f"email,course\na@example.org,{foreign.course_id}\n".encode())


def _member(course, email: str, **more) -> Member:
    return Member.objects.create(
        id=f"{course.course_id}-{email}", course_id=course.course_id, member_id="7", email=email, email_folded=email,
        status="50", **more,
    )  # fmt: skip


def test_members_of_the_course_are_skipped_with_the_age_of_what_is_known(send_in, course):
    _member(course, "ada@example.org")
    _member(course, "gone@example.org", gone_at=clock.now())
    Course.objects.filter(pk=course.pk).update(polled_at=clock.now() - timedelta(days=1))
    batch = send_in(csv_of("ADA@example.org", "gone@example.org"))
    assert _states(batch) == {State.ALREADY_ENROLLED: 1, State.PENDING: 1}
    row = Invitation.objects.get(batch=batch, state=State.ALREADY_ENROLLED)
    assert row.reason.startswith("Already in the course on ")
    assert row.member_id == "7"


def _poll(batch) -> None:
    """The sweep that the upload asked for, and what the ticker does after it."""
    while not existing_learners.refine(batch.pk):
        assert poller.poll(batch.course_id).outcome in ("read", "unfinished", "not_due")


def test_sending_waits_for_the_sweep_which_takes_out_who_is_there(send_in, course, academy, invited_counts):
    [there] = academy.add_learners(course.course_id, 1)
    batch = send_in(csv_of(there, "new@example.org"))
    assert _states(batch) == {State.PENDING: 2}
    assert "being read anew" in batch_status.status(batch.pk)["reason"]
    services.confirm(batch, actor="trainer")
    assert existing_learners.unrefined() == []
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED
    assert invited_counts() == {}
    _poll(batch)
    assert _states(batch) == {State.PENDING: 1, State.ALREADY_ENROLLED: 1}
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"new@example.org": 1}


def test_a_batch_that_is_to_start_later_does_not_start_now(upload, invited_counts):
    batch = upload("ada@example.org")
    services.confirm(batch, actor="trainer", start_at=clock.now() + timedelta(hours=1))
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED
    Batch.objects.filter(pk=batch.pk).update(start_at=clock.now() - timedelta(seconds=1))
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"ada@example.org": 1}
