"""One worker of the soak `engine-connections`: eight threads that come and go, and a fork every second."""

import collections
import faulthandler
import os
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from tests.support.findings import Found, report

THREADS = 8
_CALLS_PER_THREAD = 60  # then the thread ends, without closing its connection, and another takes its place
_CHILD_SECONDS_MAX = 30
# Two monitors of the client, and one call of the main thread.
CONNECTIONS_MAX = THREADS + 3


class Worker:
    """What the threads share."""

    def __init__(self, calls: Sequence[Callable[[random.Random], int]], chance: random.Random, seconds: float) -> None:
        self.calls, self.chance, self.ends_at = calls, chance, time.monotonic() + seconds
        self.done: collections.Counter[str] = collections.Counter()
        self.violations: list[str] = []
        self.lock = threading.Lock()

    def run(self) -> Found:
        keepers = [threading.Thread(target=self._keep_a_thread_going, args=(self._chance(),)) for _ in range(THREADS)]
        for keeper in keepers:
            keeper.start()
        while time.monotonic() < self.ends_at:
            self._fork()
            time.sleep(1)
        for keeper in keepers:
            keeper.join()
        held = _own_connections()
        if held > CONNECTIONS_MAX:
            self.violations.append(f"{held} connections are held by {THREADS} threads that have ended")
        return Found(self.violations[:20], dict(self.done), {"connections_of_one_process": held})

    def _chance(self) -> random.Random:
        return random.Random(self.chance.random())  # noqa: S311

    def _keep_a_thread_going(self, chance: random.Random) -> None:
        while time.monotonic() < self.ends_at:
            thread = threading.Thread(target=self._work, args=(chance, _CALLS_PER_THREAD))
            thread.start()
            thread.join()

    def _work(self, chance: random.Random, calls: int) -> None:
        for _ in range(calls):
            call = chance.choice(self.calls)
            try:
                counted = call(chance)
            except Exception as error:
                with self.lock:
                    self.violations.append(f"{call.__name__}: {type(error).__name__}: {str(error)[:300]}")
                continue
            with self.lock:
                self.done["operations"] += 1
                self.done["increments"] += counted

    def _fork(self) -> None:
        """A child works with the engine while the parent's threads go on; it leaves with the number of its writes."""
        chance = self._chance()
        child = os.fork()
        if child == 0:
            os._exit(_as_exit_code(lambda: self._childs_work(chance)))
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.done["forks"] += 1
        if 0 <= ended < _FAILED:
            self.done["increments"] += ended
        else:
            self.violations.append(f"a forked child ended with {ended}")

    def _childs_work(self, chance: random.Random) -> int:
        faulthandler.dump_traceback_later(_CHILD_SECONDS_MAX - 1)  # where a child hangs that the alarm ends
        signal.alarm(_CHILD_SECONDS_MAX)
        self.lock, self.done, self.violations = threading.Lock(), collections.Counter(), []
        threads = [threading.Thread(target=self._work, args=(self._chance(), 5)) for _ in range(2)]
        for thread in threads:
            thread.start()
        self._work(chance, 5)
        for thread in threads:
            thread.join()
        for text in self.violations:
            os.write(2, f"in a forked child: {text}\n".encode())
        return _FAILED if self.violations else self.done["increments"]


_FAILED = 100


def _as_exit_code(work: Callable[[], int]) -> int:
    try:
        return work()
    except BaseException:
        traceback.print_exc()
        return _FAILED


def _own_connections() -> int:
    """How many connections the server keeps for this process, by the name that it gave itself."""
    from coursehub.mongo import client_for

    client = client_for()
    name = client.options.pool_options.appname
    every = {"$currentOp": {"allUsers": True, "idleConnections": True}}
    return len(list(client.admin.aggregate([every, {"$match": {"appName": name}}])))


def work(chance: random.Random, seconds: int) -> Found:
    """`seconds` of work; Django is configured by the environment that the soak hands on."""
    import django

    django.setup()
    # Before any thread starts: a child forked while another thread imports would wait for that import for ever.
    from bench.soak.engine_calls import CALLS

    return Worker(CALLS, chance, seconds).run()


if __name__ == "__main__":
    report(work)
