"""Doorbells: a task takes an id, calls one service and may run twice. The ticker rings them."""

from coursehub import queue
from progress import attention, polling


def tick() -> None:
    """Tell the workers which courses are due."""
    for course_id in attention.ring_due():
        queue.enqueue(poll, course_id)


def poll(course_id: str) -> str:
    """Read one course's learners, if it is (still) due."""
    return polling.poll(course_id).outcome
