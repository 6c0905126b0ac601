"""Tasks and ticks that the tests of the queue let real workers run.

What is to be done stands in documents, as in the apps: a row {"_id": key, "done": false}.
"""

import os
import time

from django.apps import AppConfig

from coursehub import queue
from coursehub.mongo import outside_transaction

ROWS, TICKED = "queuetests_row", "queuetests_tick"


class QueueTasksConfig(AppConfig):
    name = "tests.support.queue"
    label = "queue_tests"

    def ready(self):
        queue.register_tick(f"{__name__}.tick_that_fails", seconds=1)
        queue.register_tick(f"{__name__}.tick", seconds=1)
        queue.register_tick(f"{__name__}.sweep", seconds=15)


def do_row(key):
    """The work: takes a moment, and counts how often it was done."""
    time.sleep(0.05)
    outside_transaction(ROWS).update_one(
        {"_id": key}, {"$set": {"done": True, "by": os.getpid()}, "$inc": {"times": 1}}, upsert=True
    )


def fail(key):
    do_row(key)
    raise RuntimeError("a task of the tests that fails")


def sleep_long(key, seconds):
    outside_transaction(ROWS).update_one({"_id": key}, {"$set": {"begun": True}}, upsert=True)
    time.sleep(seconds)
    do_row(key)


def kill_own_process(key):
    outside_transaction(ROWS).update_one({"_id": key}, {"$inc": {"begun": 1}}, upsert=True)
    os.kill(os.getpid(), 9)


def tick():
    """Leaves a trace of who ticks and when."""
    outside_transaction(TICKED).update_one({"_id": os.getpid()}, [{"$set": {"at": "$$NOW"}}], upsert=True)


def tick_that_fails():
    raise RuntimeError("a tick of the tests that fails")


def sweep():
    """Rings again for the rows that nobody did."""
    for row in outside_transaction(ROWS).find({"done": False}):
        queue.enqueue(do_row, row["_id"])
