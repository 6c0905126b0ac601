"""Workers and the ticker within one process, for which waiting takes no time."""

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from uuid import UUID

# Of one drive: what is still under way then stands, and must say why. A throttle without end is under way for ever.
ROUNDS_MOST, ROUNDS_OF_THE_LOUD = 300, 15
_SENDERS = 2
_LOOK_EVERY_SECONDS = 0.1


def drive(course_id: str, rounds_most: int) -> None:
    """What the workers and the ticker do until nothing is left to do; waits are passed by the clock."""
    from coursehub import clock
    from coursehub.academy import answers
    from invitations import tasks
    from invitations.sending import existing_learners, sender

    with ThreadPoolExecutor(_SENDERS) as pool:
        for _ in range(rounds_most):
            _pass(_paused_until())
            tasks.sweep()
            for key in answers.due_to_tell():
                answers.tell(key)
            looked = _look(course_id)
            refined = [existing_learners.refine(batch_id) for batch_id in existing_learners.unrefined()]
            due = tasks.due()
            _await([pool.submit(sender.send_slice, UUID(batch_id)) for batch_id in due])
            if not (looked or any(refined) or due):
                moment = _next_moment(course_id)
                if moment is None or moment < clock.now() - timedelta(seconds=1):
                    return
                _pass(moment)


def _await(slices: Collection[Future[str]]) -> None:
    """Until all have ended; a pause that begins meanwhile is passed at once. Raises what they raise."""
    working = set(slices)
    while working:
        ended, working = wait(working, timeout=_LOOK_EVERY_SECONDS)
        for one in ended:
            one.result()
        _pass(_paused_until())


def _look(course_id: str) -> bool:
    from progress.polling import poller

    return poller.poll(course_id).outcome not in ("not_due", "failed")


def _pass(moment: datetime | None) -> None:
    """Let the product's clock be a little later than that."""
    from coursehub import clock

    left_seconds = (moment - clock.now()).total_seconds() if moment else 0.0
    if left_seconds > 0:
        clock.simulate(ahead_seconds=left_seconds + 0.01)


def _paused_until() -> datetime | None:
    """Until when nobody may call."""
    from coursehub.mongo import outside_transaction

    budget = outside_transaction("coursehub_callbudget").find_one({"_id": "academy"}) or {}
    return budget["paused_until"] if budget.get("paused_until") else None


def _next_moment(course_id: str) -> datetime | None:
    """When the next thing happens that somebody waits for; None: nothing will."""
    from coursehub.models import Course
    from coursehub.mongo import outside_transaction
    from invitations.models import Batch

    moments: list[datetime | None] = []
    for batch in outside_transaction(Batch).find({"state": {"$in": list(Batch.WORKING)}}):
        moments += [batch.get("resume_at"), batch.get("look_at")]
        if batch["state"] == Batch.State.QUEUED and not batch.get("members_checked_at"):
            course = outside_transaction(Course).find_one({"course_id": course_id}) or {}
            moments.append(course.get("poll_due_at"))
    return min((moment for moment in moments if moment), default=None)
