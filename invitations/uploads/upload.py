"""Taking a file in: examined once, stored in pieces, one open batch per content, whatever runs at the same time."""

import hashlib
import io
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError

from coursehub import clock, course_members
from coursehub.audit import Action
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import transitions
from invitations.models import Batch
from invitations.parsing import reader, validation
from invitations.parsing.errors import NoGoodRows
from invitations.uploads import column_mappings, doubts, file_store, import_rows, texts
from invitations.uploads.tally import Tally

# Read and judged within the request; what is larger is read by a worker.
READ_AT_ONCE_BYTES = 200_000
CHOOSE_COURSE = "Choose the course that these learners are invited to, or give the file a column “course”."
SEVERAL_COURSES = "courses named in the file"


def upload(*, user: User, course: Course | None, filename: str, content: bytes | BinaryIO) -> Batch:
    """Store the file as a batch to be read, or find the open batch of the same file, course and uploader.

    A small file is in preview when this returns. A larger one is `uploaded`: whoever called enqueues its reading.
    Raises FileRefused, with nothing stored, for what its first look shows to be unusable; of a small
    file that is everything.
    """
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    with texts.examined(file) as found:
        form = with_what_is_known(found.content, found.form, user, course.course_id if course else "")
        if course is None and form.is_settled and "course" not in form.columns:
            raise reader.FileRefused(CHOOSE_COURSE)
        at_once = form.is_settled and found.size_bytes <= READ_AT_ONCE_BYTES
        if at_once and not _has_good_rows(found.content, form, user, course, are_chosen=bool(form.chosen_on)):
            column_mappings.forget(user.pk, found.form)
            form, at_once = found.form, False  # to be asked
        batch = _open_batch(user, course, filename, _Bytes.of(file, found), form)
        if not batch.stored_at:
            _store(batch, file, found)
    if course:
        course_members.ask_for_sweep([course.course_id], since=batch.created_at)
    if at_once:
        import_rows.read(batch.pk)
    batch.refresh_from_db()
    return batch


def with_what_is_known(file: BinaryIO, form: reader.Format, user: User, course_id: str) -> reader.Format:
    """`form` with what this person chose for such headings before, and with the doubts that courses and dates raise."""
    try:
        rows = reader.sample(file_store.of_file(file), form, rows=doubts.ROWS_LOOKED_AT)
    except reader.FileRefused:  # told when the file is read
        return form
    recalled = column_mappings.recall(user.pk, form, rows)
    if recalled.chosen_on or not recalled.columns:
        return recalled
    courses = import_rows.courses_of(user, course_id)
    judge = validation.Judge(form.columns, courses, clock.now(), settings.TIME_ZONE, form)
    return doubts.added(form, rows, courses, judge)


def _has_good_rows(file: BinaryIO, form: reader.Format, user: User, course: Course | None, *, are_chosen: bool) -> bool:
    """Judge the whole of a small file before anything is stored.

    False when the columns that were chosen for an earlier file do not fit; else raises FileRefused.
    """
    courses = import_rows.courses_of(user, course.course_id if course else "")
    judge = validation.Judge(form.columns, courses, clock.now(), settings.TIME_ZONE, form)
    tally = Tally()
    for row in judge.rows(reader.records(file_store.of_file(file), form)):
        tally.note(row)
    try:
        tally.refuse_without_good_rows()
    except NoGoodRows:
        if not are_chosen:
            raise
        return False
    return True


@dataclass(frozen=True)
class _Bytes:
    """What is told of an upload by its bytes; `read_bytes` is the size of the text that is read of them."""

    digest: str
    size_bytes: int
    read_bytes: int

    @classmethod
    def of(cls, file: BinaryIO, found: texts.Examined) -> "_Bytes":
        if found.content is file:
            return cls(found.digest, found.size_bytes, found.size_bytes)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it asks for readinto
        return cls(digest, file.tell(), found.size_bytes)


def _open_batch(user: User, course: Course | None, filename: str, uploaded: _Bytes, form: reader.Format) -> Batch:
    """The one open batch of this content, made now unless it is there; the index decides between the two."""
    key = hashlib.sha256(f"{user.pk} {course.course_id if course else ''} {uploaded.digest}".encode()).hexdigest()
    while True:
        try:
            batch = Batch.objects.create(
                content_key=key,
                course_id=course.course_id if course else "",
                course_name=course.name if course else SEVERAL_COURSES,
                filename=filename[:255],
                size_bytes=uploaded.read_bytes,
                format=form.as_document(),
                uploaded_by=user,
                created_at=clock.now(),
                state=Batch.State.UPLOADED,
            )
        except IntegrityError:
            if there := Batch.objects.filter(content_key=key, state__in=Batch.OPEN).first():
                return there
        else:
            transitions.record(Action.BATCH_UPLOADED, batch, user.get_username(), size_bytes=uploaded.size_bytes)
            return batch


def _store(batch: Batch, file: BinaryIO, found: texts.Examined) -> None:
    """Whoever uploads the same content meanwhile stores it too, so one that died half-way is made up for."""
    file_store.store(batch.pk, file)
    if found.form.text:
        file_store.store(batch.pk, found.content, found.form.text)
    outside_transaction(Batch).update_one(
        {"id": batch.pk.hex, "stored_at": None}, [{"$set": {"stored_at": clock.server_now()}}]
    )
