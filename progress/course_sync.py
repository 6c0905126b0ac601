"""Which courses the academy has."""

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Q

from coursehub import audit, clock, rate_limit
from coursehub.audit import Action
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TrainerCentralError, Unexpected
from coursehub.trainercentral.records import Course as RemoteCourse
from oauthtokens import services as token_services

logger = logging.getLogger(__name__)

SYSTEM = "system"
# How often the worker reads the academy's list of courses.
SYNC_SECONDS = 900
# How long a person waits for a call to become free.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Sync:
    """What a sync found."""

    courses: int
    new: int
    renamed: int
    gone: int
    back: int

    def __str__(self) -> str:
        found = f"{self.courses} courses" if self.courses != 1 else "1 course"
        return f"{found} at the academy: {self.new} new, {self.renamed} renamed, {self.gone} gone, {self.back} back."

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def sync_courses(*, actor: str = SYSTEM) -> Sync:
    """Make our courses those of the academy: new ones are read soon, vanished ones are kept and marked.

    Raises errors of `coursehub.trainercentral.errors`; then nothing has changed.
    """
    began = clock.now()
    found = token_services.client(lane=rate_limit.PROGRESS).list_courses()
    if not found and Course.objects.open().exists():
        raise Unexpected(
            "courses.json: no course at all", "TrainerCentral listed no course at all; nothing was changed."
        )
    listed = {course.course_id: course for course in found if course.course_id}
    names = {course_id: course.name[:300] or course_id for course_id, course in listed.items()}
    known = dict(Course.objects.values_list("course_id", "name"))
    now = clock.now()
    new = sum(_create(course_id, names[course_id], now) for course_id in names.keys() - known.keys())
    differing = [course_id for course_id, name in names.items() if known.get(course_id, name) != name]
    renamed = sum(_rename(course_id, names[course_id]) for course_id in differing)
    _note_kinds(listed.values(), now)
    here = Course.objects.filter(course_id__in=list(names))
    back = here.exclude(gone_at=None).update(gone_at=None, poll_due_at=now)
    here.update(synced_at=now)
    gone = _mark_gone(known.keys() - names.keys(), now, began)
    done = Sync(len(names), new, renamed, gone, back)
    if new or renamed or gone or back or actor != SYSTEM:
        audit.record(action=Action.COURSES_SYNCED, actor=actor, detail=done.as_dict())
    return done


def sync_now(*, actor: str) -> str:
    """Sync for a person who waits, and not much longer than PATIENCE_SECONDS; returns one sentence."""
    rate_limit.give_up_at(time.monotonic() + PATIENCE_SECONDS)
    try:
        return str(sync_courses(actor=actor))
    except rate_limit.NoSlotInTime:
        return "All calls are spoken for at the moment; the worker reads the list of courses by itself."
    except TrainerCentralError as error:
        return error.sentence
    finally:
        rate_limit.give_up_at(None)


def is_sync_due() -> bool:
    """Whether the academy's list of courses was not read for SYNC_SECONDS."""
    lately = {"$gt": ["$synced_at", clock.after(-SYNC_SECONDS)]}
    return not outside_transaction(Course).count_documents({"$expr": lately}, limit=1)


def sync_if_due() -> str:
    """Sync, unless somebody has meanwhile; what the remote side does wrong is logged. Returns what it did."""
    if not is_sync_due():
        return "not due"
    try:
        return str(sync_courses())
    except TrainerCentralError as error:
        logger.warning("The academy's courses were not read: %s", error.detail)
        return error.sentence


def _create(course_id: str, name: str, now: datetime) -> bool:
    try:
        Course.objects.create(course_id=course_id, name=name, synced_at=now, poll_due_at=now)
    except IntegrityError:  # another sync was quicker
        return False
    return True


def _rename(course_id: str, name: str) -> int:
    return Course.objects.filter(course_id=course_id).exclude(name=name).update(name=name)


def _note_kinds(listed: Iterable[RemoteCourse], now: datetime) -> None:
    """Which of them are bundles, and which are not published; what is a course now is read at once."""
    courses = list(listed)
    for is_bundle in (True, False):
        ids = [course.course_id for course in courses if course.is_bundle == is_bundle]
        changed = Course.objects.filter(course_id__in=ids, is_bundle=not is_bundle)
        changed.update(is_bundle=is_bundle, poll_due_at=None if is_bundle else now)
    for is_published in (True, False):
        ids = [course.course_id for course in courses if course.is_published == is_published]
        Course.objects.filter(course_id__in=ids, is_published=not is_published).update(is_published=is_published)


def _mark_gone(course_ids: Iterable[str], now: datetime, began: datetime) -> int:
    """Not those that another sync found while this one was reading."""
    found_before = Q(synced_at=None) | Q(synced_at__lt=began)
    return Course.objects.filter(found_before, course_id__in=list(course_ids), gone_at=None).update(gone_at=now)
