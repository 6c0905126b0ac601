"""Courses and what TrainerCentral would say about their learners."""

from datetime import UTC, datetime

from coursehub.models import Course, CourseAccess
from coursehub.trainercentral.records import Member as RemoteMember
from progress.polling import member_store, poll_lease

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_course(course_id: str = "3000000001", *, seen_by=(), **fields) -> Course:
    course = Course.objects.create(course_id=course_id, name=f"Course {course_id}", **fields)
    for user in seen_by:
        CourseAccess.objects.create(user=user, course=course)
    return course


def remote_member(number: int, *, percent: float = 0.0, course_id: str = "3000000001", **fields) -> RemoteMember:
    values = {
        "member_id": f"m{number}",
        "course_id": course_id,
        "org_member_id": f"o{number}",
        "email": f"learner{number}@example.org",
        "name": f"Learner {number:04}",
        "role": "3",
        "status": "50",
        "percent": percent,
        "completed_lessons": None,
        "total_lessons": None,
        "time_ms": 1_700_000_000_000 + number,
        "enrolled_at": LONG_AGO,
        "last_login_at": None,
        "completed_at": None,
    }
    return RemoteMember(**{**values, **fields})


def store(*members: RemoteMember, course_id: str = "3000000001") -> int:
    """What a poll that read these members would write, and give back."""
    lease = poll_lease.win(course_id, only_if_due=False, afresh=True)
    changed = member_store.store_members(lease, members)
    poll_lease.finish(lease)
    return len(changed)
