"""Doorbells: a task takes an id, calls one service and may run twice. The ticker rings them."""

from coursehub import queue
from progress import attention, polling, reports


def tick() -> None:
    """Tell the workers which courses are due."""
    for course_id in attention.ring_due():
        queue.enqueue(poll, course_id)


def poll(course_id: str) -> str:
    """Read one course's learners, if it is (still) due."""
    return polling.poll(course_id).outcome


def fetch_report(course_id: str, member_id: str, kind: str) -> str:
    """Fetch a learner's report that somebody asked for, if it is (still) wanted."""
    return reports.fetch(course_id=course_id, member_id=member_id, kind=kind)
