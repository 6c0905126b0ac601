"""Giving courses to trainers, and taking them back. Each changes what is not so already, and is audited."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from coursehub import audit
from coursehub.audit import Action
from coursehub.models import Course, CourseAccess


def give(*, courses: Iterable[Course], trainers: Iterable[User], actor: str) -> int:
    """Let each of the trainers see each of the courses; returns how many permissions are new."""
    chosen, given = list(courses), 0
    for trainer in trainers:
        new = [course for course in chosen if CourseAccess.objects.get_or_create(user=trainer, course=course)[1]]
        given += len(new)
        _record(Action.COURSE_ACCESS_GIVEN, trainer, new, actor)
    return given


def take(*, courses: Iterable[Course], trainers: Iterable[User], actor: str) -> int:
    """Take these courses from these trainers; returns how many permissions ended."""
    chosen, taken = list(courses), 0
    for trainer in trainers:
        ended = [course for course in chosen if CourseAccess.objects.filter(user=trainer, course=course).delete()[0]]
        taken += len(ended)
        _record(Action.COURSE_ACCESS_TAKEN, trainer, ended, actor)
    return taken


def _record(action: Action, trainer: User, courses: list[Course], actor: str) -> None:
    if courses:
        course_ids = [course.course_id for course in courses]
        audit.record(action=action, actor=actor, target=f"user {trainer.pk}", detail={"courses": course_ids})
