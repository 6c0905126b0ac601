"""Which courses the academy has."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError

from coursehub import audit, clock, pacing
from coursehub.models import Course
from oauthtokens import services as token_services


@dataclass(frozen=True)
class Sync:
    """What a sync found."""

    courses: int
    new: int
    renamed: int
    gone: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def sync_courses(*, actor: str = "system") -> Sync:
    """Make our courses those of the academy: new ones are read soon, vanished ones are kept and marked.

    Raises errors of `coursehub.trainercentral.errors`; then nothing has changed.
    """
    found = token_services.client(lane=pacing.PROGRESS).list_courses()
    names = {course.course_id: course.name[:300] or course.course_id for course in found if course.course_id}
    known = dict(Course.objects.values_list("course_id", "name"))
    now = clock.now()
    new = sum(_create(course_id, names[course_id], now) for course_id in names.keys() - known.keys())
    renamed = [course_id for course_id, name in names.items() if known.get(course_id, name) != name]
    for course_id in renamed:
        Course.objects.filter(course_id=course_id).update(name=names[course_id])
    Course.objects.filter(course_id__in=list(names)).update(synced_at=now, gone_at=None)
    gone = _mark_gone(known.keys() - names.keys(), now)
    done = Sync(len(names), new, len(renamed), gone)
    if new or renamed or gone:
        audit.record(action="courses.synced", actor=actor, detail=done.as_dict())
    return done


def _create(course_id: str, name: str, now) -> bool:
    try:
        Course.objects.create(course_id=course_id, name=name, synced_at=now, poll_due_at=now)
    except IntegrityError:  # another sync was quicker
        return False
    return True


def _mark_gone(course_ids: Iterable[str], now) -> int:
    return Course.objects.filter(course_id__in=list(course_ids), gone_at=None).update(gone_at=now)
