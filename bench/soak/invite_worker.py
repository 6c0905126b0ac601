"""A worker of bench.soak.invite_crashes: does what the ticker finds due, and has every task delivered twice."""

import logging
import threading
import time

from pymongo.errors import PyMongoError

_PAUSE_SECONDS = 0.25
_DELIVERIES = 2


def main() -> None:
    import django

    django.setup()
    from invitations import tasks

    running: dict[str, list[threading.Thread]] = {}
    swept_at = 0.0
    while True:
        try:
            if time.monotonic() - swept_at > 1:
                tasks.sweep()
                swept_at = time.monotonic()
            for batch_id in tasks.due():
                if not any(thread.is_alive() for thread in running.get(batch_id, [])):
                    running[batch_id] = [_delivered(tasks.send, batch_id) for _ in range(_DELIVERIES)]
        except PyMongoError as error:
            logging.getLogger(__name__).warning("MongoDB is away: %s", type(error).__name__)
        time.sleep(_PAUSE_SECONDS)


def _delivered(task, batch_id: str) -> threading.Thread:
    thread = threading.Thread(target=_run, args=(task, batch_id), daemon=True)
    thread.start()
    return thread


def _run(task, batch_id: str) -> None:
    try:
        task(batch_id)
    except PyMongoError as error:  # as the queue does: logged, and found again by the next tick
        logging.getLogger(__name__).warning("task failed: %s", type(error).__name__)


if __name__ == "__main__":
    main()
