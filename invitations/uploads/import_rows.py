"""From stored bytes to rows with verdicts: read under a lease, a slice at a time, and gone on with after a crash.

Rows are stored with the number of rows read so far, in one transaction under the reader's fence, so a row is stored
once, and one of an earlier reading never later. Who goes on judges the rows before without storing them: whether a row
is a duplicate depends on all above it.
"""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from bson.raw_bson import RawBSONDocument
from django.conf import settings
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from coursehub import audit, clock, course_members
from coursehub.audit import Action
from coursehub.leases import FencedLease
from coursehub.models import Course
from coursehub.mongo import draw_numbers, outside_transaction
from coursehub.mongo.types import Document
from coursehub.privacy import erasure
from coursehub.roles import AnyUser
from invitations.erasure import delete_file_of_erased, end_unread
from invitations.models import Batch, Invitation
from invitations.parsing import domains, reader
from invitations.parsing.courses import Courses
from invitations.parsing.errors import NoGoodRows
from invitations.parsing.validation import Judge, Row
from invitations.selectors import course_counts
from invitations.sending import existing_learners, missing_names
from invitations.uploads import column_mappings, file_store, overtaken_rows, row_documents
from invitations.uploads.tally import Tally

State = Invitation.State
SLICE_SECONDS = 30.0  # well below the queue's time-out for a task
_LEASE = FencedLease(until="read_lease_until", fence="read_fence", seconds=60.0)
CHUNK_ROWS = 1_000
_CHUNKS_OF_KEYS = 10
_IN_FLIGHT = 3  # chunks that are looked up and stored while the next is read and judged
# How MongoDB is asked for batches whose files leave no question.
SETTLED: dict[str, Any] = {"format.columns.email": {"$ne": None}, "format.asks.0": {"$exists": False}}
READ, UNFINISHED, NOT_NOW, REFUSED = "read", "unfinished", "not_now", "refused"


def courses_of(user: AnyUser, chosen: str) -> Courses:
    """The courses that `user` may invite to."""
    visible = Course.objects.open().visible_to(user)
    bundles = visible.filter(is_bundle=True).values_list("course_id", flat=True)
    return Courses(dict(visible.values_list("course_id", "name")), chosen, frozenset(bundles))


def read(batch_id: UUID) -> str:
    """Read on for about SLICE_SECONDS; returns READ, UNFINISHED, NOT_NOW or REFUSED. May run many times at once."""
    held = _win(batch_id)
    if held is None:
        return NOT_NOW
    batch = Batch.objects.select_related("uploaded_by").get(pk=batch_id)
    try:
        if not _Reading(batch, held["read_fence"]).go_on(skip_rows=held["total"]):
            _give_up_if_cancelled(batch)
            return UNFINISHED
    except reader.FileRefused as refusal:
        if _refuse(batch, held["read_fence"], str(refusal)) and isinstance(refusal, NoGoodRows):
            column_mappings.forget(batch.uploaded_by_id, reader.Format(**batch.format))
        return REFUSED
    except BaseException:
        _keep(batch_id, held["read_fence"], _LEASE.released())
        raise
    existing_learners.refine(batch_id)
    return READ


class _Reading:
    """One holder's work on one file."""

    def __init__(self, batch: Batch, fence: int) -> None:
        self._batch, self._fence = batch, fence
        self._form = reader.Format(**batch.format)
        self._courses = courses_of(batch.uploaded_by, batch.course_id)
        self._judge = Judge(self._form.columns, self._courses, batch.created_at, settings.TIME_ZONE, self._form)
        self._tally = Tally()
        self._bytes, self._keys = 0, range(0)
        self._course_ids: set[str] = set()

    def go_on(self, *, skip_rows: int) -> bool:
        """True when the file is at its end; False when time was up or another reader has it. Raises FileRefused."""
        ends_at = time.monotonic() + SLICE_SECONDS
        rows, last_line = self._rows(), 0
        for row in islice(rows, skip_rows):
            last_line = row.line
        if not self._delete_rows_behind(last_line):
            return False
        flight: deque[Future[bool]] = deque()
        with ThreadPoolExecutor(1, "making") as making, ThreadPoolExecutor(1, "storing") as storing:
            for chunk, keys, progress in self._chunks(rows):
                if len(flight) == _IN_FLIGHT and not flight.popleft().result():
                    return False
                made = making.submit(row_documents.of, chunk, keys, self._batch.pk)
                flight.append(storing.submit(self._store, made, progress))
                if time.monotonic() > ends_at:
                    if all(stored.result() for stored in flight):
                        _keep(self._batch.pk, self._fence, _LEASE.released())
                    return False
            if not all(stored.result() for stored in flight):
                return False
        return self._end()

    def _end(self) -> bool:
        """All rows are stored: the batch is in preview, if it is still ours. Raises FileRefused."""
        if self._bytes < self._batch.size_bytes:  # deleted meanwhile: whoever stands in the rest must not vanish
            raise reader.FileRefused("The uploaded file was deleted while it was read: upload it once more.")
        if not self._batch.was_read_anew:
            self._tally.refuse_without_good_rows()
        course_members.ask_for_sweep(self._course_ids, since=self._batch.created_at)
        # Whoever was erased since the upload could not be found in it.
        erasure.erase_again(actor="system", since=self._batch.created_at)
        ready = {"state": Batch.State.PREVIEW, **_LEASE.released(), "read_bytes": self._batch.size_bytes}
        ready["leftovers"] = {"$literal": self._judge.leftovers.as_document()}
        ready["made_names"] = missing_names.count(self._batch.pk)
        ready |= self._named_courses()
        ready["suggestions"] = {"$literal": {"found": domains.suggested(self._tally.domains)}}
        if not _keep(self._batch.pk, self._fence, ready):
            return False
        delete_file_of_erased(self._batch.pk)
        audit.record(action=Action.BATCH_READ, target=f"batch {self._batch.pk}", detail={"rows": self._tally.rows})
        return True

    def _named_courses(self) -> dict[str, Any]:
        """What the batch is called by, where the form named no course: those of its rows."""
        named = [name for course_id, name in self._courses.names.items() if course_id in self._course_ids]
        if self._batch.course_id or not named:
            return {}
        return {"course_name": {"$literal": course_counts.in_words(named)}}

    def _chunks(self, rows: Iterator[Row]) -> Iterator[tuple[list[Row], range, Document]]:
        """Some rows at a time, with their keys and how far the file is read then."""
        while chunk := list(islice(rows, CHUNK_ROWS)):
            yield chunk, self._new_keys(len(chunk)), {"total": self._tally.rows, "read_bytes": self._bytes}

    def _delete_rows_behind(self, line: int) -> bool:
        """Rows there are of an earlier reading; False when this one is over itself."""
        overtaken = {"batch_id": self._batch.pk.hex, "line": {"$gt": line}}
        return overtaken_rows.delete(overtaken, lambda: _keep(self._batch.pk, self._fence, _LEASE.extended()))

    def _rows(self) -> Iterator[Row]:
        passed = self._judge.leftovers.note_outside
        for row in self._judge.rows(reader.records(self._counted(), self._form, passed=passed)):
            self._tally.note(row)
            self._course_ids.add(row.course_id)
            yield row

    def _counted(self) -> Iterator[bytes]:
        for piece in file_store.of_batch(self._batch.pk, self._form.text):
            self._bytes += len(piece)
            yield piece

    def _new_keys(self, count: int) -> range:
        """So many new keys; of a large file those of the next chunks are drawn with them."""
        if len(self._keys) < count:
            self._keys = draw_numbers(Invitation, count if count < CHUNK_ROWS else _CHUNKS_OF_KEYS * CHUNK_ROWS)
        taken, self._keys = self._keys[:count], self._keys[count:]
        return taken

    def _store(self, made: "Future[list[RawBSONDocument]]", progress: Document) -> bool:
        """The rows and how far the file is read, together or not at all. Called in a thread, by one after the other.

        False when another reader has the file, or rows before these could not be stored.
        """
        write = partial(_write_chunk, self._batch.pk, self._fence, progress, made.result())
        try:
            with outside_transaction(Invitation).database.client.start_session() as session:
                return session.with_transaction(write, write_concern=WriteConcern("majority"))
        except BulkWriteError:  # one of these lines is stored: by the reader who has overtaken this one
            if _keep(self._batch.pk, self._fence, _LEASE.extended()):
                raise
            return False


def _write_chunk(
    batch_id: UUID, fence: int, progress: Document, documents: list[RawBSONDocument], session: ClientSession
) -> bool:
    """In a transaction, since a row of a reading that was overtaken must never stand among those of the next.

    Only behind all rows before: when those could not be stored, nobody would go back for them. The batch is written
    last: whoever dies in a transaction blocks what it wrote for a minute.
    """
    outside_transaction(Invitation).insert_many(documents, ordered=False, session=session)
    behind = {"total": progress["total"] - len(documents)}
    if _keep(batch_id, fence, progress | _LEASE.extended(), only=behind, session=session):
        return True
    session.abort_transaction()
    return False


def _win(batch_id: UUID) -> dict[str, Any] | None:
    """The lease of a batch that is stored, settled and not read yet; None while another holds it."""
    return _LEASE.win(outside_transaction(Batch), {"id": batch_id.hex, **_unread()})


def _keep(
    batch_id: UUID, fence: int, values: Document, *, only: Document | None = None, session: ClientSession | None = None
) -> bool:
    """Write to the batch if it is still ours to read, and as `only` says."""
    own = {"id": batch_id.hex, "state": Batch.State.UPLOADED, "read_fence": fence, **(only or {})}
    batches = outside_transaction(Batch)
    return batches.update_one(own, [{"$set": values}], session=session).matched_count == 1


def _refuse(batch: Batch, fence: int, sentence: str) -> bool:
    """The rest of a large file turned out to be unusable: the batch ends with that sentence, nobody is invited.

    False when it was no longer ours to read.
    """
    ended = {"state": Batch.State.CANCELLED, "reason": {"$literal": sentence[:300]}, **_LEASE.released()}
    if not _keep(batch.pk, fence, ended | {"finished_at": clock.server_now()}):
        return False
    _give_up_if_cancelled(batch)
    end_unread(batch)
    audit.record(action=Action.BATCH_REFUSED, target=f"batch {batch.pk}")
    return True


def _give_up_if_cancelled(batch: Batch) -> None:
    """Rows that were stored while a person cancelled the batch."""
    if Batch.objects.filter(pk=batch.pk, state=Batch.State.CANCELLED).exists():
        Invitation.objects.filter(batch=batch, state=State.PENDING).update(state=State.NOT_ATTEMPTED)


def waiting() -> list[UUID]:
    """Batches whose file is stored, and which nobody reads."""
    return [UUID(batch["id"]) for batch in outside_transaction(Batch).find(_unread(), ["id"]).limit(20)]


def _unread() -> dict[str, Any]:
    return {
        "state": Batch.State.UPLOADED,
        "stored_at": {"$ne": None},
        **SETTLED,
        "$expr": _LEASE.is_free(),
    }
