"""Who takes part in the soak of the live feed: viewers that follow as a page does, and the writer."""

import itertools
import json
import random
import threading
import time
from contextlib import suppress
from typing import Any

import websocket
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress.models import Member, ProgressEntry
from progress.polling.poll_lease import LeaseLost
from tests.support.makers import remote_member, store

UNAVAILABLE = (PyMongoError, DatabaseError)
Table = dict[str, float]  # member id -> percent
_PERCENTS = itertools.count(1)  # thousandths, of all writers: a percentage never comes twice


def administrators_cookie() -> str:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from coursehub import roles

    user = get_user_model().objects.create(username="watcher")
    roles.assign(user, roles.ADMINISTRATOR)
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


class Viewer:
    """Follows one course as static/coursehub/js/progress.js does, and notes what it was shown with each frame."""

    def __init__(self, port: int, course_id: str, cookie: str) -> None:
        self.port, self.course_id, self.cookie = port, course_id, cookie
        self.revision, self.table = -1, Table()
        self.shown: list[tuple[int, Table]] = []
        self.frames = self.snapshots = 0
        self._socket: websocket.WebSocket | None = None
        self._left = False
        self._stalled_until = 0.0

    def go(self) -> None:
        """Connect again and again until `leave`."""
        while not self._left:
            with suppress(OSError, websocket.WebSocketException, ValueError):
                self._follow()
            time.sleep(random.uniform(0.05, 0.3))

    def _follow(self) -> None:
        origin = f"http://127.0.0.1:{self.port}"
        address = f"ws://127.0.0.1:{self.port}/ws/progress/{self.course_id}/"
        self._socket = websocket.create_connection(address, cookie=self.cookie, origin=origin, timeout=30)
        try:
            while not self._left:
                time.sleep(max(0.0, self._stalled_until - time.monotonic()))
                text = self._socket.recv()
                if not text:  # closed
                    return
                self._show(json.loads(text))
                self._socket.send(json.dumps({"type": "ack", "revision": self.revision}))
        finally:
            self._socket.close(timeout=0)

    def _show(self, frame: dict[str, Any]) -> None:
        table = Table() if frame["type"] == "snapshot" else dict(self.table)
        if frame["type"] == "snapshot" or frame["revision"] > self.revision:
            table |= {member["id"]: member["percent"] for member in frame["members"]}
        self.frames += 1
        self.snapshots += frame["type"] == "snapshot"
        self.table, self.revision = table, frame["revision"]
        self.shown.append((self.revision, table))

    def drop(self) -> None:
        """The connection breaks without a word."""
        with suppress(OSError, AttributeError):
            self._socket.sock.shutdown(2)  # type: ignore[union-attr]

    def stall(self, seconds: float) -> None:
        self._stalled_until = time.monotonic() + seconds

    def leave(self) -> None:
        self._left = True
        self.drop()

    def judge(self, within_seconds: float) -> list[str]:
        """What is wrong with what this viewer was shown. Waits for the last change, but not longer than that."""
        deadline, stored = time.monotonic() + within_seconds, _stored(self.course_id)
        while (self.revision, self.table) != stored and time.monotonic() < deadline:
            time.sleep(0.1)
        wrong = []
        if (self.revision, self.table) != stored:
            rows = sum(self.table.get(member) != percent for member, percent in stored[1].items())
            wrong.append(f"at revision {self.revision} of {stored[0]}, {rows} rows differ from the database")
        history = _history(self.course_id)
        wrong += [
            f"a row older than revision {at} was shown" for at, table in self.shown if _is_older(table, at, history)
        ]
        return wrong


def _stored(course_id: str) -> tuple[int, Table]:
    rows = outside_transaction(Member).find({"course_id": course_id})
    return Course.objects.get(course_id=course_id).revision, {row["member_id"]: row["percent"] for row in rows}


def _history(course_id: str) -> list[tuple[int, str, float]]:
    entries = outside_transaction(ProgressEntry).find({"course_id": course_id}).sort("revision", 1)
    return [(entry["revision"], entry["member_id"], entry["percent"]) for entry in entries]


def _is_older(table: Table, revision: int, history: list[tuple[int, str, float]]) -> bool:
    """Whether a row is behind what it was at that revision. The writer only ever raises percentages."""
    then = {member: percent for at, member, percent in history if at <= revision}
    return any(table.get(member, -1.0) < percent for member, percent in then.items())


class Writer:
    """Lets learners advance, a few at a time, whatever happens to the database meanwhile."""

    def __init__(self, course_ids: tuple[str, ...], learners: int, seed: int) -> None:
        self.course_ids, self.learners, self.chance = course_ids, learners, random.Random(seed)
        self.at_rest = threading.Lock()  # who holds it has the database to itself
        self._stopped = threading.Event()

    def go(self) -> None:
        while not self._stopped.wait(self.chance.uniform(0.01, 0.1)):
            with self.at_rest, suppress(LeaseLost, *UNAVAILABLE):
                self._advance(self.chance.choice(self.course_ids))

    def _advance(self, course_id: str) -> None:
        # As when a lease has run out: the one before may have died in the middle.
        outside_transaction(Course).update_one({"course_id": course_id}, {"$set": {"poll_lease_until": None}})
        percent = next(_PERCENTS) / 1000
        some = self.chance.sample(range(self.learners), self.chance.randint(1, self.learners))
        store(
            *(remote_member(number, course_id=course_id, percent=percent) for number in some),
            course_id=course_id,
        )

    def stop(self) -> None:
        self._stopped.set()
