"""Viewers of a live page while sockets break, and web processes and MongoDB die: nobody ends with a wrong table.

Each run has viewers who come back by themselves, a writer, and a few faults at random. While it goes on, no viewer's
row may be older than the revision that the viewer was told; at its end every table equals the database. Half of the
steps run on a replica set of one, the others on a set of three. `python -m tests.support.progress.feed_faults SEED
RUNS` is one step.
"""

import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from coursehub.development.mongod import Mongod
from tests.support.findings import Found, report
from tests.support.stage.mongod import Server, SetOfThree, own_database

COURSES, LEARNERS, VIEWERS = ("3000000001", "3000000002"), 15, 6
FAULTS_PER_RUN = (2, 4)
STALL_SECONDS, SETTLE_SECONDS = 6.0, 60.0


def step(chance: random.Random, runs: int) -> Found:
    """`runs` runs on one database."""
    with tempfile.TemporaryDirectory(prefix="soak-feed-") as folder:
        server = SetOfThree(Path(folder)) if chance.random() < 0.5 else None
        with own_database(server) as started:
            return _runs(started, chance, runs)


def _runs(server: Server, chance: random.Random, runs: int) -> Found:
    from tests.support.makers import make_course, remote_member, store
    from tests.support.progress.feed_viewers import Viewer, Writer, administrators_cookie
    from tests.support.stage.web import running_web

    for course_id in COURSES:
        make_course(course_id)
        store(*(remote_member(number, course_id=course_id) for number in range(LEARNERS)), course_id=course_id)
    found, cookie = Found(sums={"runs": 0, "faults": 0, "frames": 0, "snapshots": 0}), administrators_cookie()
    with running_web() as web:
        for number in range(runs):
            seed = chance.getrandbits(32)
            viewers = [Viewer(web.port, COURSES[place % len(COURSES)], cookie) for place in range(VIEWERS)]
            writer = Writer(COURSES, LEARNERS, seed)
            names = _run(Stage(server, web, viewers, writer, random.Random(seed)))
            texts = [text for viewer in viewers for text in viewer.judge(SETTLE_SECONDS)]
            found.violations += [f"run {number} ({', '.join(names)}): {text}" for text in texts]
            found.sums["runs"] += 1
            found.sums["faults"] += len(names)
            for viewer in viewers:
                found.sums["frames"] += viewer.frames
                found.sums["snapshots"] += viewer.snapshots
                viewer.leave()
    return found


class Stage:
    """Everything that a fault may strike."""

    def __init__(self, server: Server, web: Any, viewers: list, writer: Any, chance: random.Random) -> None:
        self.server, self.web, self.viewers, self.writer, self.chance = server, web, viewers, writer, chance

    def break_sockets(self) -> None:
        for viewer in self.chance.sample(self.viewers, self.chance.randint(1, VIEWERS)):
            viewer.drop()

    def stall(self) -> None:
        """Some viewers read nothing for longer than a slow reader may."""
        for viewer in self.chance.sample(self.viewers, 2):
            viewer.stall(STALL_SECONDS)
        time.sleep(STALL_SECONDS)

    def kill_web(self) -> None:
        self.web.process.kill()
        self.web.process.wait()
        self.web.start()

    def restart_web(self) -> None:
        self.web.process.send_signal(signal.SIGTERM)
        self.web.process.wait(30)
        self.web.start()

    def kill_mongod(self) -> None:
        """Kill the one that takes writes; with three, another takes over meanwhile."""
        mongod = self.server if isinstance(self.server, Mongod) else self.server.primary()  # type: ignore[attr-defined]
        mongod.stop(hard=True)
        time.sleep(self.chance.uniform(0, 1))
        if isinstance(self.server, Mongod):
            mongod.start()
        else:
            mongod.launch()

    def step_down(self) -> None:
        with MongoClient(self.server.uri) as client, suppress(PyMongoError):
            client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=3)

    def lose_history(self) -> None:
        """The change stream cannot be resumed, as after an oplog that was too small: the rows are put in their own
        place, at one stroke, so that nobody reads the collection without them."""
        from coursehub.mongo import outside_transaction
        from progress.models import Member

        rows = outside_transaction(Member)
        with self.writer.at_rest:
            rows.aggregate([{"$out": rows.name}])

    def faults(self) -> list[Callable[[], None]]:
        every = [self.break_sockets, self.stall, self.kill_web, self.restart_web, self.kill_mongod]
        return [*every, self.lose_history if isinstance(self.server, Mongod) else self.step_down]


def _run(stage: Stage) -> list[str]:
    """Strike, with changes being written all the time; returns the names of the faults."""
    struck = stage.chance.choices(stage.faults(), k=stage.chance.randint(*FAULTS_PER_RUN))
    threads = [threading.Thread(target=one.go, daemon=True) for one in (*stage.viewers, stage.writer)]
    for thread in threads:
        thread.start()
    _await_first_frames(stage.viewers)
    for fault in struck:
        time.sleep(stage.chance.uniform(0.2, 1.5))
        fault()
    time.sleep(stage.chance.uniform(0.2, 1.0))
    stage.writer.stop()
    threads[-1].join()
    return [fault.__name__ for fault in struck]


def _await_first_frames(viewers: list) -> None:
    """A fault that strikes before a viewer is there makes nobody come back."""
    ends_at = time.monotonic() + SETTLE_SECONDS
    while not all(viewer.frames for viewer in viewers) and time.monotonic() < ends_at:
        time.sleep(0.02)


if __name__ == "__main__":
    report(step)
