"""Reading a course's learners, a page at a time, and storing what changed.

A read begins with the newest rows of TrainerCentral's order by time. Where that order has proven itself
this is all; now and then, and always where it has not, the whole list is read as well. A full read that
finds what the order should have shown ends the trust in it, for as long as it takes to earn it again.
"""

import logging
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from coursehub import academy, rate_limit
from coursehub.trainercentral import errors
from coursehub.trainercentral.member_pager import OVERLAP_ROWS, Walk
from coursehub.trainercentral.records import MemberPage
from oauthtokens import services as token_services
from progress import daily_figures
from progress.polling import incremental, member_store, poll_lease, unreadable_values
from progress.polling.poll_lease import Done, Lease, LeaseLost, Sweep

logger = logging.getLogger(__name__)

# A task begins no call after this long: one call with its retries may take most of a minute, and then the
# queue would end it. The sweep goes on in the next task.
SLICE_SECONDS = 10.0
PAGE_ROWS = 100  # asked for; the academy may give fewer
# When the budget had no call for us at all, the next try comes after this long.
_NO_CALL_SECONDS = 10.0
# So many full reads that agree with the order by time restore the trust in it.
PROOFS_AFTER_A_MISS = 20
_UNEXPECTED = "Reading the course's learners failed; the details are in the worker's log."


@dataclass(frozen=True)
class Poll:
    """What one poll did. `outcome`: "read", "unfinished", "not_due", "failed" or "lease_lost"."""

    course_id: str
    outcome: str
    mode: str = ""  # "newest" or "full"
    calls: int = 0
    learners: int = 0
    changed: int = 0
    missed: int = 0  # changes that only the full read found, though the order by time should have shown them
    reason: str = ""
    is_answer: bool = False  # a batch waited for this read

    def __str__(self) -> str:
        text = f"{self.course_id}: {self.outcome}"
        if self.calls:
            text += f" ({self.mode}), {self.calls} calls, {self.changed} changed"
        return f"{text} - {self.reason}" if self.reason else text

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class SliceOver(Exception):
    """No further call can begin in this task."""


class Reader:
    """Reads and stores pages of a course for as long as one task may; counts what it did."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._client = token_services.client(lane=rate_limit.PROGRESS)
        self._gives_up_at = time.monotonic() + SLICE_SECONDS
        self.calls = self.changed = self.missed = 0
        self.top_ms = 0
        self.found_unreadable = bool(lease.unreadable)
        self.active_at: datetime | None = None
        # Changes older than this (TrainerCentral's milliseconds) were missed by whoever read before.
        self.missed_before_ms = 0

    def page(self, start: int, *, by_time: bool = False) -> MemberPage:
        """Raises SliceOver, LeaseLost and errors of TrainerCentral."""
        left_seconds = max(0.0, self._gives_up_at - time.monotonic())
        if not rate_limit.reserve_slot(rate_limit.PROGRESS, within_seconds=left_seconds):
            raise SliceOver
        poll_lease.extend(self._lease)
        page = self._client.member_page(self._lease.course_id, newest_first=by_time, page_size=PAGE_ROWS, start=start)
        changed = member_store.store_members(self._lease, page.members)
        self.calls += 1
        self.changed += len(changed)
        self.missed += sum(row["remote_time_ms"] < self.missed_before_ms for row in changed)
        self.top_ms = max([self.top_ms, *(member.time_ms for member in page.members)])
        self.found_unreadable |= any(map(unreadable_values.of, page.members))
        self.active_at = max(filter(None, (self.active_at, *map(member_store.active_at, changed))), default=None)
        return page

    def unreadable(self) -> str | None:
        """What the course says from now on of values that could not be read; None: as before, nothing."""
        return unreadable_values.sentence(self._lease.course_id) if self.found_unreadable else None

    def poll(self, outcome: str, mode: str, learners: int) -> Poll:
        is_answer = self._lease.is_wanted and (outcome, mode) == ("read", "full")
        counts = self.calls, learners, self.changed, self.missed
        return Poll(self._lease.course_id, outcome, mode, *counts, is_answer=is_answer)


def poll(course_id: str, *, only_if_due: bool = True, afresh: bool = False) -> Poll:
    """Read a course's learners and store what changed. Any number may be started; one at a time works.

    `afresh` reads the whole list, and begins anew instead of going on with an unfinished sweep. What the
    remote side does wrong is noted in the course and in the result, and raises nothing.
    """
    lease = poll_lease.win(course_id, only_if_due=only_if_due, afresh=afresh)
    if lease is None:
        return Poll(course_id, "not_due")
    try:
        done = _read(lease)
        if done.outcome == "read":
            daily_figures.record(course_id)
        return done
    except LeaseLost:
        return Poll(course_id, "lease_lost")
    except errors.TrainerCentralError as error:
        logger.warning("Poll of course %s: %s", course_id, error.detail)
        awaits_tokens = isinstance(error, errors.TokenUnavailable)
        wait_seconds = getattr(error, "wait_seconds", None) or 0.0
        if isinstance(error, errors.Throttled):
            wait_seconds = rate_limit.throttled(error)
        return _failed(lease, error.sentence, wait_seconds, awaits_tokens)
    except Exception:
        _failed(lease, _UNEXPECTED)
        raise


def _read(lease: Lease) -> Poll:
    reader = Reader(lease)
    if lease.top_ms is not None:
        return _sweep(lease, reader, lease.top_ms)
    if lease.is_wanted:
        return _wanted(lease, reader)
    try:
        look = incremental.look(lease, partial(reader.page, by_time=True))
    except SliceOver:
        if reader.calls:  # so much is new that a full read, which can be interrupted, is the way
            poll_lease.begin_sweep(lease, reader.top_ms)
        return _interrupted(lease, reader, offset=0, learners=0)
    if look.order != incremental.Order.UNKNOWN:
        academy.order_seen(newest_first=look.order == incremental.Order.NEWEST_FIRST)
    if look.is_complete and not lease.sweep_is_due:
        poll_lease.finish(lease, Done(look.order, look.top_ms, reader.active_at, unreadable=reader.unreadable()))
        return reader.poll("read", "newest", 0)
    poll_lease.begin_sweep(lease, look.top_ms)
    return _sweep(lease, reader, look.top_ms, look)


def _wanted(lease: Lease, reader: Reader) -> Poll:
    """The whole list for a batch that waits, without the newest rows first: a course of one page is one page."""
    poll_lease.begin_sweep(lease, lease.watermark_ms or 0)
    return _sweep(lease, reader, lease.watermark_ms or 0)


def _sweep(lease: Lease, reader: Reader, top_ms: int, look: incremental.Look | None = None) -> Poll:
    """The whole list, after what the order by time has shown (`look`; None: in an earlier task)."""
    shown = reader.changed
    if look and look.is_complete:
        reader.missed_before_ms = top_ms - incremental.OVERLAP_MS
    elif lease.is_trusted and lease.watermark_ms is not None:  # what is older, the reads before should have shown
        reader.missed_before_ms = lease.watermark_ms - incremental.OVERLAP_MS
    walk = member_store.walk_on(lease, reader.page, proven_rows=academy.value_of("largest_page") or 0)
    seen_before = set(walk.known)
    try:
        _walk_to_the_end(lease, walk)
    except SliceOver:
        member_store.remember_part(lease, walk, walk.known - seen_before)
        return _interrupted(lease, reader, offset=walk.place.start, learners=len(walk.known))
    # Only who read all pages knows who was in none of them.
    gone = 0 if walk.place.has_gap else member_store.store_absent(lease, walk.known)
    reader.changed += gone
    if look is None and lease.top_ms is None:  # begun and ended in this task, which is shorter than OVERLAP_MS
        top_ms = max(top_ms, reader.top_ms)
    unproven = _trust(lease.unproven, look, shown=shown, missed=reader.missed)
    sweep = Sweep(_calls(walk), walk.row_count, unproven, is_orderly=walk.place.is_orderly)
    poll_lease.finish(lease, Done(look.order if look else None, top_ms, reader.active_at, sweep, reader.unreadable()))
    academy.pages_seen(asked=PAGE_ROWS, largest=walk.place.page_rows, rows=walk.row_count)
    if lease.offset:
        member_store.forget_parts(lease)
    if reader.missed:
        logger.warning("Course %s: the order by time did not show %d changes", lease.course_id, reader.missed)
    return reader.poll("read", "full", len(walk.known))


def _walk_to_the_end(lease: Lease, walk: Walk) -> None:
    """Raises NotPaged when the list repeats itself and may go on unseen, and what reading a page raises."""
    try:
        while walk.next_page() is not None:
            pass
        if walk.place.repeats and member_store.lacks_somebody(lease.course_id, walk.known):
            raise errors.NotPaged(f"course {lease.course_id}: a shorter list than before, which repeats itself")
    except errors.NotPaged:  # what is proven by this page lets shorter lists be read
        academy.pages_seen(asked=PAGE_ROWS, largest=walk.place.page_rows, rows=walk.place.page_rows)
        raise


def _trust(unproven: int, look: incremental.Look | None, *, shown: int, missed: int) -> int:
    """How many full reads must still agree with the order by time. One that found no news at all proves nothing."""
    if missed:
        return PROOFS_AFTER_A_MISS
    agrees = look is not None and look.is_complete and shown > 0
    return max(0, unproven - 1) if agrees else unproven


def _calls(walk: Walk) -> int:
    """Calls of a full read of this list: pages that overlap, and one to see the end."""
    advance = max(1, walk.place.page_rows - OVERLAP_ROWS)
    return -(-walk.row_count // advance) + 1


def _interrupted(lease: Lease, reader: Reader, *, offset: int, learners: int) -> Poll:
    poll_lease.interrupt(lease, offset, go_on_after_seconds=0 if reader.calls else _NO_CALL_SECONDS)
    return reader.poll("unfinished", "full" if offset else "newest", learners)


def _failed(lease: Lease, sentence: str, wait_seconds: float = 0, awaits_tokens: bool = False) -> Poll:
    try:
        poll_lease.fail(lease, sentence, wait_seconds=wait_seconds, awaits_tokens=awaits_tokens)
    except LeaseLost:
        return Poll(lease.course_id, "lease_lost")
    return Poll(lease.course_id, "failed", reason=sentence)
