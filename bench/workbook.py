"""How much longer a trainer waits for the preview of 100,000 rows when they come as a workbook, and what it takes.

Web and worker are the product's own processes; the same rows go in as CSV and as xlsx, one after the other, in the same
run. Then a zip archive of 42 kB that unpacks to 4 GB.
"""

import csv
import io
import os
import time
from typing import Any

import xlsxwriter

from bench.live.product import Product
from bench.preview import COURSE, KNOWN, ROWS, SIZE_BYTES, peak, product, table
from bench.report import Measure, at_most
from tests.support.stage.mongod import own_database
from tests.support.workbooks import bomb

GOAL_RATIO, GOAL_MB, GOAL_BOMB_SECONDS, GOAL_BOMB_MB = 2, 150, 5, 200


def measure() -> list[Measure]:
    """The same rows both ways, then the bomb."""
    content = table(SIZE_BYTES // ROWS)
    workbook = as_workbook(content)
    with own_database(), product() as running:
        idle_mb = running.all_mb()
        as_xlsx, peak_mb = _until_preview(running, workbook)  # first, since memory is measured from idle
        as_csv, csv_peak_mb = _until_preview(running, content)
        bomb_seconds, bomb_mb = _refused(running, bomb())
    how = (
        f"{len(content) / 1e6:.1f} MB of CSV: {as_csv:.1f} s; {len(workbook) / 1e6:.1f} MB of xlsx: {as_xlsx:.1f} s; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    memory = (
        f"web, worker and all that they start, above the {idle_mb:.0f} MB that they hold when idle; "
        f"{csv_peak_mb - idle_mb:.0f} MB with the CSV, which came after"
    )
    return [
        at_most("workbook.ready_vs_csv", round(as_xlsx / as_csv, 2), GOAL_RATIO, "ratio", how),
        at_most("workbook.peak_mb", round(peak_mb - idle_mb, 1), GOAL_MB, "MB", memory),
        at_most("workbook.bomb_seconds", round(bomb_seconds, 1), GOAL_BOMB_SECONDS, "s", "4 GB in 42 kB, over HTTP"),
        at_most("workbook.bomb_mb", round(bomb_mb, 1), GOAL_BOMB_MB, "MB", "above what they held just before"),
    ]


def as_workbook(content: bytes) -> bytes:
    """The same cells as xlsx, with the strings shared as Excel does it."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"strings_to_urls": False, "strings_to_formulas": False})
    sheet = book.add_worksheet("Class")
    for at, cells in enumerate(csv.reader(io.StringIO(content.decode(), newline=""))):
        sheet.write_row(at, 0, cells)
    book.close()
    return made.getvalue()


def _until_preview(running: Product, content: bytes) -> tuple[float, float]:
    """Seconds since the upload began, and the most memory meanwhile."""
    with peak(running.all_mb) as seen:
        began = time.monotonic()
        address = running.upload(content, COURSE)
        status: dict[str, Any] = running.status(address)
        while status["state"] == "uploaded":
            assert time.monotonic() - began < 300, "the preview does not come"
            time.sleep(0.1)
            status = running.status(address)
        seconds = time.monotonic() - began
    assert status["counts"] == {"pending": ROWS - KNOWN, "already_enrolled": KNOWN}, status["counts"]
    return seconds, max(seen)


def _refused(running: Product, content: bytes) -> tuple[float, float]:
    before_mb = running.all_mb()
    with peak(running.all_mb) as seen:
        began = time.monotonic()
        page = running.refusal(content, COURSE)
        seconds = time.monotonic() - began
    assert "holds more than a list of learners does" in page
    return seconds, max(seen) - before_mb
