"""The leader of a group of worker processes: forks them, and ends the group when one of them dies."""

import logging
import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any, NoReturn

from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.signals import post_execute

from coursehub.queue import parent_death, scheduler
from coursehub.queue.broker import Broker, Identity
from coursehub.queue.heartbeat import Sign, Signs

_LOOK_SECONDS = 0.5
_LOCK_SECONDS = 5

logger = logging.getLogger(__name__)


class Guard(Sentinel):
    """django-q2's cluster with another guard loop.

    Theirs replaces a killed child and goes on, but the queues between the children are guarded by locks that
    a killed child never gives back: the others then wait for ever, in silence. Here any death but a worker's
    own orderly end (after 500 tasks, or after one that ran out of time) is the end of all.

    Has one thread and no connection, ever: it forks.
    """

    def __init__(self, identity: Identity, signs: Signs) -> None:
        events = multiprocessing.Event(), multiprocessing.Event()
        broker = Broker(identity=identity, free=multiprocessing.Semaphore(Conf.WORKERS))
        super().__init__(*events, uuid.uuid4(), broker=broker, start=False)
        self.identity, self.signs = identity, signs
        self._is_asked_to_stop = False
        # Looked at each half second; an event could block on its own lock inside a signal handler.
        signal.signal(signal.SIGTERM, self._note_sigterm)
        post_execute.connect(self._note_passed_task, weak=False)  # called in the monitor

    def _note_sigterm(self, *_: object) -> None:
        self._is_asked_to_stop = True

    def _note_passed_task(self, **_: object) -> None:
        self.signs.send(Sign.TASK_PASSED)

    def start(self) -> None:
        """Fork all children and guard them; returns after an orderly stop (SIGTERM)."""
        self.spawn_cluster()
        self.ticker = self.spawn_process(scheduler.main, self.identity, self.signs)
        self.guard()

    def spawn_process(self, target: Callable[..., Any], *args: Any) -> Any:
        parent_death.name_next_child("ticker" if target is scheduler.main else target.__name__)
        return super().spawn_process(target, *args)

    def guard(self) -> None:
        self.start_event.set()
        while not self._is_asked_to_stop:
            if os.getppid() != self.parent_pid:
                self._end_group("its supervisor died")
            for name in ("monitor", "pusher", "ticker"):
                if not getattr(self, name).is_alive():
                    self._end_group(f"its {name} died")
            busy = [self._is_busy(process) for process in list(self.pool)]
            self.signs.send(Sign.BUSY if all(busy) else Sign.GUARD)
            time.sleep(_LOOK_SECONDS)
        self.stop_event.set()
        self.ticker.terminate()
        self.stop()

    def _is_busy(self, process: Any) -> bool:
        """Whether a worker is in the middle of a task, its time left counted down; replaces one that ended well."""
        if not process.is_alive():
            if process.exitcode != 0:
                self._end_group(f"a worker died ({process.exitcode})")
            self.pool.remove(process)
            self.spawn_worker()
            return False
        left = process.timer  # seconds; negative: idle; 0: it ran out of time by itself and is ending
        if not left.get_lock().acquire(timeout=_LOCK_SECONDS):
            self._end_group("a worker died with its lock")
        try:
            if 0 < left.value <= _LOOK_SECONDS:
                self._end_group("a task ran out of time and could not be interrupted")
            if left.value > 0:
                left.value -= _LOOK_SECONDS
            return bool(left.value > 0)
        finally:
            left.get_lock().release()

    def _end_group(self, reason: str) -> NoReturn:
        logger.critical("all processes of the group end: %s", reason)
        os.killpg(0, signal.SIGKILL)
        raise SystemExit(reason)  # not reached: we are of the group


def lead(identity: Identity, signs: Signs) -> None:
    """Be the guard of a new group, in a process that has no threads and leads its process group."""
    # Fork: the children share queues and settings without importing all again, and it is safe here, where
    # there are neither threads nor connections. Stated, as newer Pythons have another default, and forced,
    # as django-q2 fixes the default when it is imported.
    multiprocessing.set_start_method("fork", force=True)
    Guard(identity, signs).start()
