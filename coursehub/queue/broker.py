"""The queue itself: one MongoDB collection, on the engine's shared client.

In place of django-q2's own MongoDB broker, which opens a client per object, compares deadlines by the
clocks of different hosts, and hands a task out again while it still waits in a living worker.
"""

import json
import logging
import time
from multiprocessing.synchronize import Semaphore
from typing import Any, NamedTuple

from bson import ObjectId
from django.conf import settings
from django_q import brokers
from django_q.conf import Conf
from django_q.signing import SignedPackage
from pymongo import ASCENDING, WriteConcern, timeout
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from coursehub.queue.turns import Rotation, Turn

QUEUE = "coursehub_queue"
DELIVERIES_MAX = 3
# The queue keeps real time, also where `coursehub.clock` simulates another.
NOW = "$$NOW"
_PATIENCE_SECONDS = 5
_MONGODB_AWAY_PAUSE_SECONDS = 1.0
# Others may be faster with what was chosen; after so many times the next look is as good.
_CHOICES = 5

logger = logging.getLogger(__name__)


class Identity(NamedTuple):
    """Who takes a task: a `manage.py work` process (unique in the deployment), and which of its groups."""

    worker: str
    run: int


def seconds_from_now(seconds: float) -> Document:
    """The aggregation expression for `seconds` from now by MongoDB's clock; negative for the past."""
    return {"$add": [NOW, round(seconds * 1000)]}


def brief(error: PyMongoError) -> str:
    """An error for the log, without pymongo's description of every server."""
    return f"{type(error).__name__}: {str(error)[:150]}"


def queue() -> Collection[Document]:
    """The collection of this process. Unacknowledged by other members: a lost doorbell is rung again."""
    return outside_transaction(QUEUE).with_options(write_concern=WriteConcern(w=1))


class Broker(brokers.Broker):
    """django-q2's view of the queue. Holds no connection, so one object serves a process and its forks.

    A task that names a `cluster` is handed only to the worker of that name. `free` counts the idle processes
    of a group, across its forks: a task that waited inside a busy group would be lost to the idle ones.
    """

    def __init__(
        self, list_key: str | None = None, identity: Identity | None = None, free: Semaphore | None = None
    ) -> None:
        super().__init__(list_key)
        self.identity, self._free = identity, free
        self._mongodb_is_away = False
        self._rotation = Rotation()

    @staticmethod
    def get_cache() -> None:
        """No cache: django-q2 would write its statistics there twice a second, for nobody."""

    def ping(self) -> bool:
        """True without asking: the guard that calls this forks, and so must not have a connection."""
        return True

    def enqueue(self, task: str) -> str:
        """Add a signed task; the same one that waits already keeps the better place. Raises pymongo's error."""
        content = SignedPackage.loads(task)
        only, turn = content.get("cluster"), Turn.of(content.get("group") or "")
        bell = json.dumps(content["args"])
        waiting = {"bell": bell, "taken": False, "only": only}
        added = {
            "payload": {"$ifNull": ["$payload", {"$literal": task}]},
            "deliveries": {"$ifNull": ["$deliveries", 0]},
            "lane": turn.lane.value,
            "place_at": {"$min": ["$place_at", seconds_from_now(-turn.head_start_seconds)]},
        }
        queue().update_one(waiting, [{"$set": added}], upsert=True)
        return bell

    def dequeue(self) -> list[tuple[str, str]] | None:
        """Take the task whose turn it is; None, after a pause, when there is none, nobody is free or MongoDB is away.

        Never raises for MongoDB: django-q2's pusher would die of it, and a death ends the group.
        """
        if self._free and not self._free.acquire(timeout=Conf.POLL):
            return None
        task, pause_seconds = None, Conf.POLL
        try:
            with timeout(_PATIENCE_SECONDS):
                task = self._take()
            self._note_mongodb(None)
        except PyMongoError as error:
            self._note_mongodb(error)
            pause_seconds = _MONGODB_AWAY_PAUSE_SECONDS
        if task:
            return [(str(task["_id"]), task["payload"])]
        self._note_free()
        time.sleep(pause_seconds)
        return None

    def _take(self) -> Document | None:
        if self.identity is None:
            raise RuntimeError("only the processes of `manage.py work` may take tasks")
        worker, run = self.identity
        taken = {"taken": True, "worker": worker, "run": run, "taken_at": NOW}
        update = [{"$set": {**taken, "deliveries": {"$add": ["$deliveries", 1]}}}]
        for _ in range(_CHOICES):
            heads = _heads(worker)
            if not heads:
                return None
            head = self._rotation.next_of(heads)
            task = queue().find_one_and_update({"_id": head["task"], "taken": False}, update)
            if task:
                self._rotation.note(head)
                return task
        return None

    def acknowledge(self, task_id: str) -> None:
        """Remove a task that has run. If MongoDB is away it stays, and is delivered again later."""
        try:
            with timeout(_PATIENCE_SECONDS):
                queue().delete_one({"_id": ObjectId(task_id)})
        except PyMongoError as error:
            self._note_mongodb(error)
        self._note_free()

    def fail(self, task_id: str) -> None:
        """Leave a task whose signature is not ours: it is another key's, and goes after three deliveries."""
        self._note_free()

    def _note_free(self) -> None:
        """A process of the group has nothing to do (again)."""
        if self._free:
            self._free.release()

    def _note_mongodb(self, error: PyMongoError | None) -> None:
        """Log the beginning and the end of an outage, and nothing in between."""
        if bool(error) == self._mongodb_is_away:
            return
        self._mongodb_is_away = bool(error)
        if error:
            logger.error("MongoDB cannot be reached, tasks wait: %s", brief(error))
        else:
            logger.warning("MongoDB is back, tasks go on")


def _heads(worker: str) -> list[Document]:
    """The first waiting task of each lane: {"_id": lane, "task": its id}, in the order of their places."""
    first = {"_id": "$lane", "task": {"$first": "$_id"}, "place_at": {"$first": "$place_at"}}
    in_order: dict[str, Any] = {"$sort": {"place_at": 1, "_id": 1}}
    stages: list[dict[str, Any]] = [
        {"$match": {"taken": False, "only": {"$in": [None, worker]}}},
        in_order,
        {"$group": first},
        in_order,
    ]
    return list(queue().aggregate(stages))


def ensure_indexes() -> None:
    """What `dequeue` and `enqueue` look up by. Raises pymongo's error."""
    queue().create_index([("taken", ASCENDING), ("place_at", ASCENDING), ("_id", ASCENDING)])
    queue().create_index([("bell", ASCENDING), ("taken", ASCENDING)])


def release_former_runs(identity: Identity) -> None:
    """Hand back what earlier groups of this worker had taken: its supervisor has seen all of them dead."""
    _release({"taken": True, "worker": identity.worker, "run": {"$lt": identity.run}})


def release_lost(living_workers: list[str], presence_seconds: float) -> None:
    """Hand back what dead workers had taken, and what nobody acknowledged within `retry` seconds.

    A task may so run twice; one that was delivered three times without an end is dropped and logged.
    """
    overdue = {"$expr": {"$lte": ["$taken_at", seconds_from_now(-settings.Q_CLUSTER["retry"])]}}
    # One taken just now may be that of a worker which came after `living_workers` was read.
    orphaned = {
        "$expr": {"$lte": ["$taken_at", seconds_from_now(-presence_seconds)]},
        "worker": {"$nin": living_workers},
    }
    _release({"taken": True, "$or": [overdue, orphaned]})
    queue().delete_many({"only": {"$nin": [None, *living_workers]}})


def _release(lost: Document) -> None:
    dropped = queue().delete_many({**lost, "deliveries": {"$gte": DELIVERIES_MAX}}).deleted_count
    if dropped:
        logger.error("%d tasks were dropped: each was delivered %d times and never ended", dropped, DELIVERIES_MAX)
    released = queue().update_many(lost, {"$set": {"taken": False}}).modified_count
    if released:
        logger.warning("%d lost tasks are delivered again", released)
