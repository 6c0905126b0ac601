"""Some seconds of work on one batch: rows are taken and claimed, a call is made for each, outcomes are written.

The threads call; whichever finds nothing left takes the next rows for all of them, and the thread that began
the slice writes the outcomes, so that no call waits for a write of MongoDB. Sending and undoing differ in
their `Job` only.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from coursehub import rate_limit
from coursehub.trainercentral import errors
from invitations.claims import row_leases
from invitations.claims.row_leases import Outcome, Row, Waiting
from invitations.sending import circuit_breaker
from invitations.sending.circuit_breaker import Permit, Way

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

log = logging.getLogger(__name__)
# A crash leaves so many rows per thread claimed and not called for, to be looked up.
_ROWS_PER_THREAD = 4
# What a call takes at best: near the end of a slice only so many rows are taken as it can still call for.
_CALL_SECONDS = 0.1
_WRITE_EVERY_SECONDS = 0.1
_ASK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True)
class Job:
    """What is done with the rows of a batch that are `waiting`; while it is done they are in the state `to`.

    `claim` tells which of the rows taken may be called for, and what becomes of the others. `call` makes the one
    call for a row; it raises TrainerCentralError or NoSlotInTime when none left us. Then, or when the slice ends
    before, `release` comes before the row waits again.
    """

    waiting: Waiting
    to: str
    claim: Callable[[list[Row]], tuple[list[Row], list[Outcome]]]
    call: Callable[[Row, "TrainerCentralClient"], Outcome]
    release: Callable[[list[Row]], None]


class Slice:
    """One slice of `seconds`; its threads share what is taken and what came of it."""

    def __init__(self, batch_id: UUID, job: Job, client: "TrainerCentralClient", *, seconds: float) -> None:
        self._batch_id, self._job, self._client = batch_id, job, client
        self._began = time.monotonic()
        self._deadline = self._began + seconds
        self._rows: deque[Row] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._refilling = Lock()

    def run(self) -> None:
        """Returns when the time is over, nothing is left to take, or the batch does not run."""
        count = settings.INVITE_CONCURRENCY
        try:
            with ThreadPoolExecutor(count, thread_name_prefix="invite") as pool:
                working: set[Future[None]] = {pool.submit(self._work) for _ in range(count)}
                while working:
                    ended, working = wait(working, timeout=_WRITE_EVERY_SECONDS)
                    self._write_outcomes()
                    for thread in ended:
                        thread.result()
        finally:
            self._write_outcomes()
            self._give_back(list(self._rows))

    def _work(self) -> None:
        """One thread: while there is something to take and it may be called for, a slot first, then the row."""
        rate_limit.give_up_at(
            self._began + row_leases.CALL_BEGINS_SECONDS
        )  # no row of this slice was taken before it began
        while (left_seconds := self._deadline - time.monotonic()) > 0 and self._has_more():
            permit = Permit(Way.BUSY)
            if rate_limit.reserve_slot(rate_limit.INVITATIONS, within_seconds=left_seconds):
                row = self._next()
                if row is None:
                    return
                permit = circuit_breaker.ask(self._batch_id)  # as late as can be: after a cancel no call begins
                if permit.way in (Way.OPEN, Way.PROBE):
                    self._do(row, permit)
                else:
                    self._rows.append(row)
            if permit.way is Way.CLOSED:
                return
            if permit.way is Way.BUSY:
                time.sleep(min(left_seconds, _ASK_AGAIN_SECONDS))

    def _has_more(self) -> bool:
        return bool(self._rows) or row_leases.any_free(self._batch_id, waiting=self._job.waiting)

    def _next(self) -> Row | None:
        """A row to call for, from what was taken, or from what is taken now for all threads."""
        with self._refilling:
            while not self._rows:
                taken = row_leases.take(self._batch_id, self._at_once(), waiting=self._job.waiting, to=self._job.to)
                if not taken:
                    return None
                claimed, settled = self._job.claim(taken)
                self._rows.extend(claimed)
                self._outcomes.extend(settled)
            return self._rows.popleft()

    def _at_once(self) -> int:
        """How many rows to take: one where each call waits for its turn."""
        if rate_limit.interval_seconds():
            return 1
        left_seconds = min(self._deadline - time.monotonic(), _ROWS_PER_THREAD * _CALL_SECONDS)
        return max(1, round(settings.INVITE_CONCURRENCY * left_seconds / _CALL_SECONDS))

    def _do(self, row: Row, permit: Permit) -> None:
        try:
            outcome = self._job.call(row, self._client)
        except rate_limit.NoSlotInTime:
            self._give_back([row])
            circuit_breaker.give_back(self._batch_id, permit)
            return
        except errors.TrainerCentralError as error:
            self._give_back([row])
            log.warning("Invitation %s: %s", row["id"], error.detail)
            circuit_breaker.trip(self._batch_id, error)
            return
        self._outcomes.append(outcome)
        if outcome.trouble:
            log.warning("Invitation %s: %s", row["id"], outcome.trouble.detail)
        circuit_breaker.report(self._batch_id, permit, outcome.trouble)

    def _write_outcomes(self) -> None:
        """All there are, in one command. Raises pymongo's error, with nothing lost."""
        outcomes = [self._outcomes.popleft() for _ in range(len(self._outcomes))]
        try:
            row_leases.settle(outcomes)
        except BaseException:
            self._outcomes.extendleft(reversed(outcomes))
            raise

    def _give_back(self, taken: list[Row]) -> None:
        self._job.release(taken)
        row_leases.give_back(taken, self._job.waiting.state)
