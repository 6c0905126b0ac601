"""Mixed reads and writes of `engine-connections`; each returns how many increments of a shared counter it made.

Rows that are added are deleted again: tables that grow would make this a test of patience.
"""

import random
import uuid

from django.db import connection, connections
from django.db.models import Count, F, Q, Sum
from django.db.transaction import atomic

from tests.support.mongo.shop import Shelf, Stock

_SHARED = 4
_TRANSACTIONS = "transactions"
connections.settings[_TRANSACTIONS] = {**connections.settings["default"], "OPTIONS": {"transactions": True}}


def increment(chance: random.Random) -> int:
    return Stock.objects.filter(pk=chance.randint(1, _SHARED)).update(count=F("count") + 1)


def add_change_and_delete(chance: random.Random) -> int:
    stock = Stock.objects.create(shelf_id=1, code=uuid.uuid4().hex[:20], state="own")
    stock.count = chance.randint(1, 9)
    stock.save()
    _equal(Stock.objects.filter(pk=stock.pk, count=stock.count).delete()[0], 1)
    return 0


def add_many(chance: random.Random) -> int:
    added = Stock.objects.bulk_create(Stock(shelf_id=1, state="many") for _ in range(10))
    _equal(Stock.objects.filter(pk__in=[stock.pk for stock in added]).delete()[0], 10)
    return 0


def get_or_create(chance: random.Random) -> int:
    name = f"shelf {chance.randrange(1000)}"
    _equal(Shelf.objects.get_or_create(name=name)[0].name, name)
    return 0


def read_one(chance: random.Random) -> int:
    _equal(Stock.objects.select_related("shelf").get(pk=chance.randint(1, _SHARED)).shelf.name, "shared")
    return 0


def read_a_page(chance: random.Random) -> int:
    rows = Stock.objects.filter(Q(state="many") | Q(shelf__name="shared")).select_related("shelf").order_by("-pk")[:20]
    _equal(len({row.pk for row in rows}), len(rows))
    return 0


def stream_and_leave(chance: random.Random) -> int:
    for number, _ in enumerate(Stock.objects.order_by("pk").iterator(chunk_size=3)):
        if number == 5:
            break
    return 0


def add_up(chance: random.Random) -> int:
    Stock.objects.filter(pk__lte=100).values("state").annotate(n=Count("pk"), total=Sum("count")).count()
    return 0


def in_a_transaction(chance: random.Random) -> int:
    with atomic(using=_TRANSACTIONS):
        rows = Stock.objects.using(_TRANSACTIONS)
        stock = rows.create(shelf_id=1, code=uuid.uuid4().hex[:20], state="atomic")
        _equal(rows.filter(pk=stock.pk).update(count=F("count") + 1), 1)
        _equal(rows.get(pk=stock.pk).count, 1)
    _equal(stock.delete()[0], 1)
    return 0


def undo(chance: random.Random) -> int:
    code = uuid.uuid4().hex[:20]
    try:
        with atomic(using=_TRANSACTIONS):
            Stock.objects.using(_TRANSACTIONS).create(shelf_id=1, code=code)
            raise _Undone
    except _Undone:
        _equal(Stock.objects.filter(code=code).exists(), False)
    return 0


def close(chance: random.Random) -> int:
    connection.close()
    return 0


class _Undone(Exception):
    """Ends a block that is to be undone."""


def _equal(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found} and not {expected}")


CALLS = (
    *(increment, increment, increment, add_change_and_delete, add_many, get_or_create, read_one, read_one),
    *(read_a_page, stream_and_leave, add_up, in_a_transaction, undo, close),
)
