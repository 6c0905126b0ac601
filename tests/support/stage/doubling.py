"""Every task twice: a second one of each that comes into the product's queue, added from outside as it comes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

_MONGODB_AWAY_PAUSE_SECONDS = 0.2
_SECOND = "is_second"


class Doubler(threading.Thread):
    """Follows the queue's collection; `doubled` counts the tasks that were added."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.doubled = 0
        self._ends = threading.Event()
        self._seen: Any = None  # resume token: what comes while MongoDB is away is doubled when it is back

    def run(self) -> None:
        came = [{"$match": {"operationType": "insert", f"fullDocument.{_SECOND}": None}}]
        while not self._ends.is_set():
            try:
                with _queue().watch(came, resume_after=self._seen, max_await_time_ms=100) as stream:
                    while not self._ends.is_set():
                        event = stream.try_next()
                        if event:
                            self._add(event["fullDocument"])
                        self._seen = stream.resume_token
            except PyMongoError:
                self._ends.wait(_MONGODB_AWAY_PAUSE_SECONDS)

    def end(self) -> None:
        self._ends.set()
        self.join()

    def _add(self, task: dict[str, Any]) -> None:
        second = {"_id": ObjectId(), "taken": False, "deliveries": 0, _SECOND: True}
        _queue().insert_one({**{key: task[key] for key in ("bell", "only", "payload", "lane", "place_at")}, **second})
        self.doubled += 1


@contextmanager
def every_task_twice() -> Iterator[Doubler]:
    """Context: each task is there twice, whatever happens to MongoDB meanwhile."""
    doubler = Doubler()
    doubler.start()
    try:
        yield doubler
    finally:
        doubler.end()


def _queue() -> Collection:
    from coursehub.queue.broker import queue  # not before Django is set up

    return queue()
