"""How long a change takes from its write in MongoDB to a viewer's socket, and what a socket costs.

One web process, 1,000 people with a session each, all on this machine with mongod, the writer and the clients. The
writer is the product's own: each change is stored as a poll stores it, in a transaction of its own, which is the
hardest case, since real polls bring many changes at once. The clock starts before that transaction.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import websocket

from bench.live import stage
from bench.live.stage import COURSES, LEARNERS, SOCKETS, crowd
from bench.report import ROOT, Measure, at_most
from coursehub.development.mongod import free_port
from tests.support.stage.mongod import own_database

CHANGES_PER_MINUTE, SECONDS, WRITERS = 5_000, 40.0, 4
BATCHES, SECONDS_BETWEEN_BATCHES, ROWS_PER_BATCH = 20, 1.0, 20
BATCH_SECONDS_MAX = 20.0
STALLED = 20
SETTLE_SECONDS = 2.0
GOAL_P99_MS, GOAL_KB, GOAL_RATIO = 250, 100, 1.3


def measure() -> list[Measure]:
    """Latency over 50 courses, memory per socket, one course in comparison to bare daphne, clients that stall."""
    with own_database():
        stage.make_courses()
        cookies = stage.sign_in_trainers()
        spread = [_socket(number % COURSES, cookie) for number, cookie in enumerate(cookies)]
        together = [_socket(0, cookie) for cookie in cookies]
        measures = _spread_over_courses(spread)
        product = _all_on_one_course(together)
        measures += _others_stall(together)
        rows = _stored_rows()
    bare = _bare_daphne(rows)
    how = f"bare daphne + Channels: {bare:.0f} ms; medians of {BATCHES} batches, to the last of {SOCKETS} sockets"
    return [
        *measures,
        Measure("feed.one_course_batch_ms", round(product, 1), "ms", how),
        at_most("feed.vs_bare_daphne", round(product / bare, 2), GOAL_RATIO, "ratio", how),
    ]


def _socket(number: int, cookie: str) -> stage.Socket:
    return {"path": f"/ws/progress/{stage.course_id(number)}/", "cookie": cookie}


def _spread_over_courses(sockets: list[stage.Socket]) -> list[Measure]:
    with _web() as web:
        before_kb = stage.memory_kb(web.process.pid)
        with crowd(web.port, sockets) as watchers:
            kb_per_socket = (stage.memory_kb(web.process.pid) - before_kb) / SOCKETS
            _settle(watchers)
            cpu_before = stage.cpu_seconds(web.process.pid)
            written, seconds = _write_changes()
            cpu = stage.cpu_seconds(web.process.pid) - cpu_before
            time.sleep(SETTLE_SECONDS)
            received = watchers.received()
    expected = written * SOCKETS // COURSES
    assert len(received["seconds"]) == expected, f"{len(received['seconds'])} of {expected} changes arrived"
    assert not received["closed"], f"{received['closed']} sockets were closed"
    how = (
        f"{SOCKETS} sockets, {COURSES} courses x {LEARNERS} learners, {written / seconds * 60:.0f} changes a minute, "
        f"web process at {cpu / seconds:.0%} of a core"
    )
    p50, p99 = _percentiles(received["seconds"])
    return [
        Measure("feed.write_to_frame_p50_ms", p50, "ms", how),
        at_most("feed.write_to_frame_p99_ms", p99, GOAL_P99_MS, "ms", how),
        at_most("feed.kb_per_socket", round(kb_per_socket, 1), GOAL_KB, "KB", f"{SOCKETS} sockets of one web process"),
    ]


def _all_on_one_course(sockets: list[stage.Socket]) -> float:
    with _web() as web, crowd(web.port, sockets) as watchers:
        return _batches(watchers, _write_batch)


def _others_stall(sockets: list[stage.Socket]) -> list[Measure]:
    """The same with clients that stop reading."""
    with _web() as web, crowd(web.port, sockets, stalled=STALLED) as watchers:
        last = _batches(watchers, _write_batch, readers=SOCKETS - STALLED)
    how = f"as one_course_batch_ms, with {STALLED} of the clients reading nothing; the time of the others"
    return [Measure("feed.one_course_batch_beside_stalled_ms", round(last, 1), "ms", how)]


def _stored_rows() -> list[dict[str, Any]]:
    """As many rows of a course as a batch changes."""
    from coursehub.mongo import outside_transaction
    from progress.models import Member

    return list(outside_transaction(Member).find({"course_id": stage.course_id(0)}).limit(ROWS_PER_BATCH))


def _bare_daphne(rows: list[dict[str, Any]]) -> float:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.live.bare", str(port)], cwd=ROOT)
    try:
        teller = _connected(f"ws://127.0.0.1:{port}/tell/")
        with crowd(port, [{"path": "/", "cookie": ""}] * SOCKETS, acknowledge=False) as watchers:
            return _batches(watchers, lambda number: teller.send(_bare_text(rows, number)))
    finally:
        process.kill()
        process.wait()


def _connected(address: str) -> websocket.WebSocket:
    deadline = time.monotonic() + 20
    while True:
        try:
            return websocket.create_connection(address)
        except OSError:
            assert time.monotonic() < deadline, "bare daphne does not answer"
            time.sleep(0.1)


def _batches(watchers: stage.Crowd, tell: Callable[[int], Any], readers: int = SOCKETS) -> float:
    """Tell one batch a second; the median, in milliseconds, of how long each took to the last of the readers."""
    _settle(watchers)
    last = []
    for number in range(BATCHES):
        began = time.monotonic()
        tell(number)
        time.sleep(max(0.0, began + SECONDS_BETWEEN_BATCHES - time.monotonic()))
        seconds = watchers.received()["seconds"]
        while len(seconds) < readers * ROWS_PER_BATCH:  # a busy machine takes longer
            assert time.monotonic() < began + BATCH_SECONDS_MAX, f"batch {number} is not complete"
            time.sleep(0.2)
            seconds += watchers.received()["seconds"]
        last.append(max(seconds) * 1000)
    return statistics.median(last)


def _write_batch(number: int) -> None:
    from progress.polling import member_store, poll_lease

    lease = poll_lease.win(stage.course_id(0), only_if_due=False, afresh=True)
    member_store.store_members(lease, [_stamped(0, one) for one in range(ROWS_PER_BATCH)])
    poll_lease.interrupt(lease, 0, go_on_after_seconds=3600)


def _bare_text(rows: list[dict[str, Any]], number: int) -> str:
    """The frame that the product would send, with this moment in its names."""
    from progress import serializers

    rows = [row | {"name": _stamp()} for row in rows]
    head = {"type": "change", "revision": number, "as_of": "2026-01-01T00:00:00.000Z", "trouble": ""}
    return json.dumps(head | {"members": [serializers.member(row) for row in rows]}, separators=(",", ":"))


def _stamped(course: int, learner: int) -> Any:
    from tests.support.makers import remote_member

    return remote_member(learner, course_id=stage.course_id(course), name=_stamp())


def _stamp() -> str:
    return f"T{time.monotonic():.6f}"


def _write_changes() -> tuple[int, float]:
    """CHANGES_PER_MINUTE for SECONDS, evenly, round the courses; how many, and how long that took."""
    began = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        written = sum(pool.map(lambda writer: _write_share(writer, began), range(WRITERS)))
    return written, time.monotonic() - began


def _write_share(writer: int, began: float) -> int:
    from progress.polling import member_store, poll_lease

    mine = range(writer, COURSES, WRITERS)
    leases = {number: poll_lease.win(stage.course_id(number), only_if_due=False, afresh=True) for number in mine}
    pause, written = 60 / CHANGES_PER_MINUTE * COURSES / len(mine), 0
    while (due := began + pause * written) < began + SECONDS:
        time.sleep(max(0.0, due - time.monotonic()))
        number = mine[written % len(mine)]
        member_store.store_members(leases[number], [_stamped(number, written // len(mine) % LEARNERS)])
        written += 1
    for lease in leases.values():
        poll_lease.interrupt(lease, 0, go_on_after_seconds=3600)
    return written


def _settle(watchers: stage.Crowd) -> None:
    time.sleep(SETTLE_SECONDS)
    watchers.received()


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    hundredths = statistics.quantiles(seconds, n=100)
    return round(hundredths[49] * 1000, 1), round(hundredths[98] * 1000, 1)


@contextmanager
def _web() -> Iterator[Any]:
    from tests.support.stage.web import running_web

    with running_web() as web:
        yield web
