"""What it costs, and what it brings, to make `atomic()` a transaction of the server: the engine's option on and off."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bench.report import Measure
from tests.support.stage.mongod import own_database

CALLS, PAGES, THREADS, CALLS_PER_THREAD = 400, 60, 8, 50
OFF, ON = False, True


def measure() -> list[Measure]:
    """In a process of its own, since it sets Django up on a database of its own."""
    ended = subprocess.run([sys.executable, "-m", "bench.transactions"], stdout=subprocess.PIPE, text=True, check=True)
    return [Measure(**row) for row in json.loads(ended.stdout)]


def _measured() -> list[Measure]:
    with own_database():
        from django.db import connection

        from bench import failed_sign_ins
        from tests.support.mongo import shop

        with connection.schema_editor() as editor:
            for model in (*shop.MODELS, *failed_sign_ins.MODELS):
                editor.create_model(model)
        return [
            *_compared("save", "save() in its own atomic() block", CALLS, _saving),
            *_compared("block", "a block of a read, two saves and an insert", CALLS, _block),
            *_compared("admin_save", "a person saved in the admin, by Django's test client", PAGES, _admin_save),
            *_contention(),
            *_first_failures(),
        ]


def _switch(on: bool) -> None:
    from django.db import connection

    connection.settings_dict["OPTIONS"]["transactions"] = on


def _compared(key: str, what: str, calls: int, make: Callable[[], Callable[[], Any]]) -> list[Measure]:
    """Medians of calls made in turns, off and on."""
    taken: dict[bool, list[float]] = {OFF: [], ON: []}
    call = make()
    for number in range(2 * calls):
        on = bool(number % 2)
        _switch(on)
        began = time.perf_counter()
        call()
        taken[on].append((time.perf_counter() - began) * 1000)
    _switch(OFF)
    off, on_ms = (statistics.median(taken[side]) for side in (OFF, ON))
    compared = f"{what}, median of {calls}"
    return [
        Measure(f"transactions.{key}.off_ms", off, "ms", compared),
        Measure(f"transactions.{key}.on_ms", on_ms, "ms", compared),
        Measure(f"transactions.{key}.on_vs_off", on_ms / off, "ratio", compared),
    ]


def _saving() -> Callable[[], Any]:
    from django.db.transaction import atomic

    from tests.support.mongo.shop import Shelf

    shelf = Shelf.objects.create(name="saved")

    def save() -> None:
        with atomic():
            shelf.rank += 1
            shelf.save()

    return save


def _block() -> Callable[[], Any]:
    from django.db.transaction import atomic

    from tests.support.mongo.shop import Shelf, Stock

    shelf = Shelf.objects.create(name="block")

    def work() -> None:
        with atomic():
            Shelf.objects.get(pk=shelf.pk)
            shelf.save()
            stock = Stock.objects.create(shelf=shelf)
            stock.save()

    return work


def _admin_save() -> Callable[[], Any]:
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from coursehub import roles

    administrator = User.objects.create(username="measured")
    roles.assign(administrator, "administrator")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(administrator)
    url = reverse("admin:auth_user_change", args=[administrator.pk])
    form = {
        **{"username": "measured", "last_name": "", "email": "", "is_active": "on", "groups": _group_keys()},
        **{"courseaccess_set-TOTAL_FORMS": 0, "courseaccess_set-INITIAL_FORMS": 0},
    }

    def save() -> None:
        answer = client.post(url, {**form, "first_name": str(time.monotonic_ns())})
        assert answer.status_code == 302, answer.context["errors"]

    return save


def _group_keys() -> list[int]:
    from django.contrib.auth.models import Group

    return list(Group.objects.filter(name="administrator").values_list("pk", flat=True))


def _contention() -> list[Measure]:
    """Threads that count in one row, each in a block that also inserts: how many are refused, and how fast it goes."""
    from django.db.models import F
    from django.db.transaction import atomic

    from tests.support.mongo.shop import Shelf, Stock

    shelf = Shelf.objects.create(name="contended")

    def count() -> None:
        with atomic():
            Stock.objects.create(shelf=shelf)
            Shelf.objects.filter(pk=shelf.pk).update(rank=F("rank") + 1)

    measures = []
    for name, on in (("off", OFF), ("on", ON)):
        _switch(on)
        done, refused, seconds = _together(count, CALLS_PER_THREAD)
        compared = f"{THREADS} threads x {CALLS_PER_THREAD} blocks that count in the same row"
        measures += [
            Measure(f"transactions.contention.{name}_refused", refused / (done + refused), "ratio", compared),
            Measure(f"transactions.contention.{name}_done_per_second", done / seconds, "1/s", compared),
        ]
    _switch(OFF)
    return measures


def _first_failures() -> list[Measure]:
    """The first failed sign-ins of an account, all at once, as django-axes counts them (failed_sign_ins.py)."""
    from django.db.transaction import atomic

    from bench import failed_sign_ins

    measures = []
    for name, on in (("off", OFF), ("on", ON)):
        _switch(on)
        refused_in_all = 0
        for account in range(20):

            def fail(username: str = f"{name}{account}") -> None:
                with atomic():
                    failed_sign_ins.count_failure(username)

            refused_in_all += _together(fail, 1)[1]
        compared = f"20 accounts, {THREADS} first failures of each at once, in atomic()"
        measures.append(Measure(f"transactions.first_failures.{name}_refused", refused_in_all / 160, "ratio", compared))
    _switch(OFF)
    return measures


def _together(call: Callable[[], None], times: int) -> tuple[int, int, float]:
    """How many calls of all threads were done, how many the database refused, and the seconds that took."""
    from django.db import DatabaseError, connection

    barrier, outcomes = threading.Barrier(THREADS), []

    def run() -> None:
        barrier.wait()
        for _ in range(times):
            try:
                call()
            except DatabaseError:
                outcomes.append(False)
            else:
                outcomes.append(True)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes.count(True), outcomes.count(False), time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in _measured()]))
