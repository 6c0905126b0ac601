"""Reading a course's learners, a page at a time, and storing what changed."""

import logging
import time
from dataclasses import asdict, dataclass
from typing import Any

from coursehub import pacing
from coursehub.trainercentral import errors
from oauthtokens import services as token_services
from progress import leasing, storing
from progress.leasing import Lease, LeaseLost

logger = logging.getLogger(__name__)

# A task begins no call after this long: one call with its retries may take most of a minute, and then the
# queue would end it. The sweep goes on in the next task.
SLICE_SECONDS = 10.0
# When the budget had no call for us at all, the next try comes after this long.
_NO_CALL_SECONDS = 10.0
_UNEXPECTED = "Reading the course's learners failed; the details are in the worker's log."


@dataclass(frozen=True)
class Poll:
    """What one poll did. `outcome`: "read", "unfinished", "not_due", "failed" or "lease_lost"."""

    course_id: str
    outcome: str
    pages: int = 0
    learners: int = 0
    changed: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def poll(course_id: str, *, only_if_due: bool = True, afresh: bool = False) -> Poll:
    """Read a course's learners and store what changed. Any number may be started; one at a time works.

    `afresh` begins anew instead of going on with an unfinished sweep. What the remote side does wrong
    is noted in the course and in the result, and raises nothing.
    """
    lease = leasing.win(course_id, only_if_due=only_if_due, afresh=afresh)
    if lease is None:
        return Poll(course_id, "not_due")
    try:
        return _sweep(lease)
    except LeaseLost:
        return Poll(course_id, "lease_lost")
    except errors.TrainerCentralError as error:
        logger.warning("Poll of course %s: %s", course_id, error.detail)
        return _failed(lease, error.sentence, getattr(error, "wait_seconds", None) or 0)
    except Exception:
        _failed(lease, _UNEXPECTED)
        raise


def _sweep(lease: Lease) -> Poll:
    gives_up_at = time.monotonic() + SLICE_SECONDS
    pages = token_services.client(lane=pacing.PROGRESS).iter_member_pages(lease.course_id, start=lease.offset)
    present: set[str] = set()
    page_count = changed = rows = 0
    while pacing.reserve_slot(pacing.PROGRESS, within_seconds=max(0.0, gives_up_at - time.monotonic())):
        leasing.extend(lease)
        page = next(pages, None)
        if page is None:
            return _finish(lease, Poll(lease.course_id, "read", page_count, len(present), changed), present)
        changed += storing.store_members(lease, page)
        present.update(member.member_id for member in page)
        page_count, rows = page_count + 1, rows + len(page)
    leasing.interrupt(lease, lease.offset + rows, go_on_after_seconds=0 if rows else _NO_CALL_SECONDS)
    return Poll(lease.course_id, "unfinished", page_count, len(present), changed)


def _finish(lease: Lease, done: Poll, present: set[str]) -> Poll:
    # Only who read all pages knows who was in none of them.
    gone = storing.store_absent(lease, present) if lease.offset == 0 else 0
    leasing.finish(lease)
    return Poll(done.course_id, done.outcome, done.pages, done.learners, done.changed + gone)


def _failed(lease: Lease, sentence: str, wait_seconds: float = 0) -> Poll:
    try:
        leasing.fail(lease, sentence, wait_seconds=wait_seconds)
    except LeaseLost:
        return Poll(lease.course_id, "lease_lost")
    return Poll(lease.course_id, "failed", reason=sentence)
