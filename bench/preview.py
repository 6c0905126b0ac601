"""How long a trainer waits for the preview of 100,000 rows, and what reading them costs.

Web and worker are the product's own processes, the upload is a browser's POST. The ratio to a bare `csv.reader` loop
over the same bytes is taken in this process: encoding, delimiter, headings, and each row judged, without MongoDB;
how it is with MongoDB stands beside it. With PREVIEW_BEFORE=<commit> that commit has its rounds beside this checkout's.
"""

import csv
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from bench import side_by_side
from bench.live.product import Product
from bench.report import Measure, at_most
from tests.support.stage.mongod import own_database

ROWS, SIZE_BYTES, KNOWN = 100_000, 20_000_000, 20_000
COURSE = "3000094000002000004"
GOAL_RATIO, GOAL_MB, GOAL_ANSWER_SECONDS, GOAL_READY_SECONDS = 12, 150, 2, 10
BEST_OF = 5


def measure() -> list[Measure]:
    """Reading alone, then upload and preview in the product; every fifth learner is in the course already."""
    wide, narrow = table(SIZE_BYTES // ROWS), table(0)
    commit = os.environ.get("PREVIEW_BEFORE")
    compared = side_by_side.previews(commit) if commit else []
    with own_database() as server:
        measures = [*compared, *_reading(wide), *_reading_narrow(narrow), _stored(wide)]
        with product() as running:
            measures += _through_the_product(running, wide, server)
    return measures


def table(row_bytes: int) -> bytes:
    """ROWS learners: addresses of 500 domains, two names, and notes that fill each row up to `row_bytes`."""
    lines = ["email,first name,last name,department,notes"]
    for number in range(ROWS):
        address = f"learner.{number * 7919 % ROWS}@mail{number % 500}.example.org"
        start = f"{address},Ada{number % 977},Lovelace-{number % 1009},Department {number % 17},"
        lines.append(start + ("some words about this learner " * 8)[: max(row_bytes - len(start) - 2, 0)])
    return ("\r\n".join(lines) + "\r\n").encode()


def store_batch() -> Any:
    """A batch in preview of a file of SIZE_BYTES, with its learners looked up among the members of the course."""
    from coursehub import clock
    from invitations import services
    from invitations.uploads import import_rows

    _course()
    _store_members(clock.now())
    content = table(SIZE_BYTES // ROWS)
    batch = services.upload(user=_trainer(), course=_course(), filename="stored.csv", content=content)
    while import_rows.read(batch.pk) == import_rows.UNFINISHED:
        pass
    return batch


def _reading(content: bytes) -> list[Measure]:
    loop, ours = _best(_csv_loop, content), _best(_read_and_judge, content)
    how = f"{len(content) / 1e6:.1f} MB; processor time: csv.reader {loop:.2f} s, reading and judging {ours:.2f} s"
    return [
        Measure("preview.rows_per_second", round(ROWS / ours), "rows/s", f"reading and judging; best of {BEST_OF}"),
        at_most("preview.vs_csv_reader", round(ours / loop, 1), GOAL_RATIO, "ratio", how),
    ]


def _reading_narrow(content: bytes) -> list[Measure]:
    loop, ours = _best(_csv_loop, content), _best(_read_and_judge, content)
    how = f"{len(content) / 1e6:.1f} MB; processor time: csv.reader {loop:.2f} s, reading and judging {ours:.2f} s"
    return [Measure("preview.short_rows_vs_csv_reader", round(ours / loop, 1), "ratio", how)]


def _stored(content: bytes) -> Measure:
    """The same with looking up who is known and storing each row, one time, in this process."""
    from invitations import services
    from invitations.uploads import import_rows

    batch = services.upload(user=_trainer(), course=_course(), filename="stored.csv", content=content)
    began = time.perf_counter()
    while import_rows.read(batch.pk) == import_rows.UNFINISHED:
        pass
    seconds = time.perf_counter() - began
    loop = _best(_csv_loop, content)
    how = f"{seconds:.1f} s by the clock from stored bytes to the preview: known learners looked up, rows stored"
    return Measure("preview.stored_vs_csv_reader", round(seconds / loop, 1), "ratio", how)


def _best(read: Callable[[bytes], None], content: bytes) -> float:
    """Processor seconds of the best round: what it takes on a core of its own, however busy the machine is."""

    def once() -> float:
        began = time.process_time()
        read(content)
        return time.process_time() - began

    return min(once() for _ in range(BEST_OF))


def _csv_loop(content: bytes) -> None:
    for _ in csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")):
        pass


def _read_and_judge(content: bytes) -> None:
    from invitations.parsing import reader
    from invitations.parsing.courses import Courses
    from invitations.parsing.validation import Judge
    from invitations.uploads import file_store

    file, examiner = io.BytesIO(content), reader.Examiner()
    for piece in file_store.of_file(file):
        examiner.feed(piece)
    form = examiner.format()
    judge = Judge(form.columns, Courses(names={COURSE: "Algebra"}, chosen=COURSE), datetime.now(UTC), "UTC")
    good = sum(judge.judge(*record).good for record in reader.records(file_store.of_file(file), form))
    assert good == ROWS


def _through_the_product(product: Product, content: bytes, server: Any) -> list[Measure]:
    idle_mb = product.worker_mb()
    cpu_before = product.cpu_seconds(server)
    with peak(product.worker_mb) as seen:
        began = time.monotonic()
        address = product.upload(content, COURSE)
        answered = time.monotonic() - began
        status = product.status(address)
        while status["state"] == "uploaded":
            assert time.monotonic() - began < 300, "the preview does not come"
            time.sleep(0.25)  # as often as the page hears of it
            status = product.status(address)
        ready = time.monotonic() - began
    cpu = product.cpu_seconds(server) - cpu_before
    assert status["state"] == "preview", status
    assert status["counts"] == {"pending": ROWS - KNOWN, "already_enrolled": KNOWN}, status["counts"]
    how = f"{len(content) / 1e6:.1f} MB over HTTP, web and worker as processes, load {os.getloadavg()[0]:.1f}"
    return [
        at_most("preview.upload_answered_seconds", round(answered, 2), GOAL_ANSWER_SECONDS, "s", how),
        at_most("preview.ready_seconds", round(ready, 1), GOAL_READY_SECONDS, "s", f"since the upload began; {how}"),
        Measure(
            "preview.ready_processor_seconds", round(cpu, 1), "s",
            "processor time of web, worker and mongod together in that while: what it takes on a machine that is idle",
        ),
        at_most(
            "preview.peak_mb", round(max(seen) - idle_mb, 1), GOAL_MB, "MB",
            f"all processes of the worker together, above the {idle_mb:.0f} MB that they hold when idle",
        ),
    ]  # fmt: skip


@contextmanager
def peak(figure: Callable[[], float]) -> Iterator[list[float]]:
    """Context: a list that grows by the figure, every 20 ms."""
    seen, done = [figure()], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            seen.append(figure())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


@contextmanager
def product() -> Iterator[Product]:
    """Context: web and worker on this database, with the course and its members stored."""
    from django.core.management import call_command
    from django.test import Client

    call_command("collectstatic", interactive=False, verbosity=0)
    from coursehub import clock
    from coursehub.mongo import outside_transaction
    from invitations.models import Batch, Invitation, Piece

    for model in (Piece, Invitation, Batch):
        outside_transaction(model).delete_many({})
    _course()
    _store_members(clock.now())
    client = Client()
    client.force_login(_trainer())
    product = Product(client.cookies["sessionid"].value)
    try:
        yield product
    finally:
        product.stop()


def _store_members(now: datetime) -> None:
    """Every fifth learner of the file is in the course, as polls store it."""
    from progress.models import Member

    Member.objects.bulk_create(
        [
            Member(
                id=f"{COURSE}-{number}",
                course_id=COURSE,
                member_id=str(number),
                email=address,
                email_folded=address,
                status="50",
                changed_at=now,
            )
            for number in range(KNOWN)
            for address in [f"learner.{number * 5 * 7919 % ROWS}@mail{number * 5 % 500}.example.org"]
        ],
        batch_size=5000,
    )


def _trainer() -> Any:
    from django.contrib.auth.models import User

    from coursehub import roles

    user, _ = User.objects.get_or_create(username="bench")
    roles.assign(user, roles.ADMINISTRATOR)
    return user


def _course() -> Any:
    from coursehub import clock
    from coursehub.models import Course

    return Course.objects.get_or_create(course_id=COURSE, defaults={"name": "Algebra", "synced_at": clock.now()})[0]
