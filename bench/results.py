"""What the results of 100,000 rows cost: both downloads over HTTP, and the counts that pages and live feed ask for.

The web process is the product's own; its memory is looked at every 20 ms while it sends.
"""

import os
import statistics
import time

from bench.live.product import Product
from bench.preview import COURSE, ROWS, SIZE_BYTES, peak, product, table
from bench.report import Measure, at_most
from tests.support.stage.mongod import own_database

GOAL_FIRST_BYTE_SECONDS, GOAL_SECONDS, GOAL_MB, GOAL_STATUS_MS = 1, 10, 50, 50
DOWNLOADS = {"results": "results.csv", "results_safe": "results-safe.csv"}
STATUS_CALLS = 20


def measure() -> list[Measure]:
    """Of a batch of ROWS rows whose preview is there."""
    content = table(SIZE_BYTES // ROWS)
    with own_database(), product() as running:
        address = running.upload(content, COURSE)
        while running.status(address)["state"] == "uploaded":
            time.sleep(0.25)
        measures = [_status(address)]
        for key, name in DOWNLOADS.items():
            measures += _download(running, key, f"{address}{name}")
    return measures


def _status(address: str) -> Measure:
    from invitations.selectors import batch_status

    batch_id = address.strip("/").rpartition("/")[2]

    def once() -> float:
        began = time.perf_counter()
        batch_status.status(batch_id)
        return (time.perf_counter() - began) * 1000

    how = f"median of {STATUS_CALLS} calls of batch_status.status() in this process, load {os.getloadavg()[0]:.1f}"
    median = statistics.median(once() for _ in range(STATUS_CALLS))
    return at_most("results.status_ms", round(median, 1), GOAL_STATUS_MS, "ms", how)


def _download(running: Product, key: str, path: str) -> list[Measure]:
    time.sleep(2)  # what came before is over
    idle_mb = running.web_mb()
    with peak(running.web_mb) as seen:
        began = time.monotonic()
        first_at, size_bytes, lines = 0.0, 0, 0
        for chunk in running.download(path):
            first_at = first_at or time.monotonic() - began
            size_bytes, lines = size_bytes + len(chunk), lines + chunk.count(b"\n")
        seconds = time.monotonic() - began
    assert lines == ROWS + 1, lines
    how = f"{size_bytes / 1e6:.1f} MB over HTTP, load {os.getloadavg()[0]:.1f}"
    return [
        at_most(f"{key}.first_byte_seconds", round(first_at, 2), GOAL_FIRST_BYTE_SECONDS, "s", how),
        at_most(f"{key}.seconds", round(seconds, 1), GOAL_SECONDS, "s", how),
        at_most(
            f"{key}.peak_mb", round(max(seen) - idle_mb, 1), GOAL_MB, "MB",
            f"the web process, above the {idle_mb:.0f} MB that it held before",
        ),
    ]  # fmt: skip
