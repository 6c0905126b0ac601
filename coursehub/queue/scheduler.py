"""The process that calls the registered ticks while its worker holds the ticker's lease."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import close_old_connections
from django.utils.module_loading import import_string
from pymongo import timeout
from pymongo.errors import PyMongoError

from coursehub.queue import producer, workers
from coursehub.queue.broker import Identity, brief, ensure_indexes, release_former_runs, release_lost
from coursehub.queue.heartbeat import Sign, Signs
from coursehub.queue.ticks import TICKS

TICK_SECONDS_MAX = 5
_ROUND_SECONDS = 1.0
_HEARTBEAT_SECONDS = _RELEASE_SECONDS = 5.0
_MONGODB_SECONDS_MAX = 5

logger = logging.getLogger(__name__)


class TickTooLong(Exception):
    """A tick did not end within its 5 s."""


class Every:
    """Whether something is due again, by this process's clock: at once, then every `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._due_at = seconds, 0.0

    def is_due(self) -> bool:
        """True once per period; a period that was missed is not made up for."""
        now = time.monotonic()
        if now < self._due_at:
            return False
        self._due_at = now + self._seconds - 0.1  # a round a moment early still counts
        return True


class Tick(Every):
    """One registered tick."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(seconds)
        self._path, self._last_error = path, ""

    def call(self) -> None:
        """Call it; whatever it raises is logged, once while it goes on raising the same, and stops no other."""
        close_old_connections()
        try:
            with _time_limit(TICK_SECONDS_MAX):
                import_string(self._path)()
        except Exception as error:
            if repr(error) != self._last_error:
                logger.exception("tick %s failed", self._path)
            self._last_error = repr(error)
        else:
            self._last_error = ""


class Ticker:
    """One round each second: say that we live, ring the heartbeat, and tick if the lease is ours."""

    def __init__(self, identity: Identity, signs: Signs) -> None:
        self._identity, self._signs = identity, signs
        self.lease = workers.TickerLease(identity.worker)
        self._is_set_up = self._mongodb_is_away = False
        self._heartbeat, self._release = Every(_HEARTBEAT_SECONDS), Every(_RELEASE_SECONDS)
        self._ticks = [Tick(path, seconds) for path, seconds in TICKS.items()]

    def go_round(self) -> None:
        """Never raises for MongoDB or for a tick; tells the supervisor which it was."""
        try:
            with timeout(_MONGODB_SECONDS_MAX):
                holds_lease = self._keep_house()
        except PyMongoError as error:
            if not self._mongodb_is_away:
                logger.error("no ticks until MongoDB answers again: %s", brief(error))
            self._mongodb_is_away = True
            self._signs.send(Sign.MONGODB_AWAY)
            return
        self._mongodb_is_away = False
        if holds_lease:
            self._tick()
        self._signs.send(Sign.TICK)

    def _keep_house(self) -> bool:
        if not self._is_set_up:
            ensure_indexes()
            release_former_runs(self._identity)
            self._is_set_up = True
        workers.stamp(*self._identity)
        if self._heartbeat.is_due():
            producer.ring(f"{producer.__name__}.heartbeat", only_for_worker=self._identity.worker)
        holds_lease = self.lease.hold()
        if holds_lease and self._release.is_due():
            release_lost(workers.living_workers(), workers.PRESENCE_SECONDS)
        return holds_lease

    def _tick(self) -> None:
        for tick in self._ticks:
            if not tick.is_due():
                continue
            if not self._still_holds_lease():
                return
            tick.call()
            self._signs.send(Sign.TICK)

    def _still_holds_lease(self) -> bool:
        try:
            with timeout(_MONGODB_SECONDS_MAX):
                return self.lease.hold()
        except PyMongoError:  # the next round tells of it
            return False


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise TickTooLong(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def main(identity: Identity, signs: Signs) -> None:
    """The ticker's process: goes round until SIGTERM, then gives the lease back."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ticker = Ticker(identity, signs)
    try:
        while True:
            started = time.monotonic()
            ticker.go_round()
            time.sleep(max(0.0, _ROUND_SECONDS - (time.monotonic() - started)))
    finally:
        with suppress(PyMongoError), timeout(1):
            ticker.lease.give_back()
