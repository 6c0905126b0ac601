"""Doorbells: a task takes an id or nothing, calls one service and may run twice. The ticker rings them."""

from datetime import datetime

from coursehub import course_members, queue
from oauthtokens import services as token_services
from progress import course_sync, reports, webhook
from progress.polling import member_store, poller, schedule


def tick() -> None:
    """Tell the workers which courses are due; those that wait for tokens are, once there are some."""
    if since := token_services.usable_since():
        schedule.wake(since)
        _ring_for_courses_at_new_tokens(since)
    for course_id, head_start_seconds in schedule.ring_due().items():
        queue.enqueue(poll, course_id, turn=queue.Turn(queue.Lane.READING, head_start_seconds))


def _ring_for_courses_at_new_tokens(since: datetime) -> None:
    """The list of courses could not be read without tokens either, and is empty on the first day."""
    if since != _Ticker.tokens_since:
        _Ticker.tokens_since = since
        if course_sync.is_sync_due():
            queue.enqueue(sync_courses)


class _Ticker:
    """Of this process: the newest tokens that it rang for. A ticker that begins anew rings once too often."""

    tokens_since: datetime | None = None


def poll(course_id: str) -> str:
    """Read one course's learners, if it is (still) due."""
    done = poller.poll(course_id)
    if done.is_answer:
        course_members.note_read(course_id)
    return done.outcome


def fetch_report(course_id: str, member_id: str, kind: str) -> str:
    """Fetch a learner's report that somebody asked for, if it is (still) wanted."""
    return reports.fetch(course_id=course_id, member_id=member_id, kind=kind)


def tick_seldom() -> None:
    """Ring for the list of courses, if it is due, and for what is to be deleted."""
    if course_sync.is_sync_due():
        queue.enqueue(sync_courses)
    queue.enqueue(forget_old)


def sync_courses() -> str:
    """Read the academy's list of courses."""
    return course_sync.sync_if_due()


def forget_old() -> str:
    """Delete what has been kept long enough."""
    return f"{member_store.forget_old_history()} history entries, {webhook.forget_old()} signatures"
