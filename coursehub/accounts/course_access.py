"""Giving courses to trainers, and taking them back. Each changes what is not so already, and is audited."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from coursehub import audit
from coursehub.models import Course, CourseAccess


def give(*, courses: Iterable[Course], trainers: Iterable[User], actor: str) -> int:
    """Let each of the trainers see each of the courses; returns how many permissions are new."""
    chosen, given = list(courses), 0
    for trainer in trainers:
        new = [course for course in chosen if CourseAccess.objects.get_or_create(user=trainer, course=course)[1]]
        given += len(new)
        _record("given", trainer, new, actor)
    return given


def take(*, courses: Iterable[Course], trainers: Iterable[User], actor: str) -> int:
    """Take these courses from these trainers; returns how many permissions ended."""
    chosen, taken = list(courses), 0
    for trainer in trainers:
        ended = [course for course in chosen if CourseAccess.objects.filter(user=trainer, course=course).delete()[0]]
        taken += len(ended)
        _record("taken", trainer, ended, actor)
    return taken


def _record(verb: str, trainer: User, courses: list[Course], actor: str) -> None:
    if courses:
        course_ids = [course.course_id for course in courses]
        audit.record(
            action=f"course_access.{verb}", actor=actor, target=f"user {trainer.pk}", detail={"courses": course_ids}
        )
