"""Bit operators, and conditions on what is inside a JSONField."""

import random

import pytest
from django.db import DataError, NotSupportedError
from django.db.models import F, IntegerField, Value
from django.db.models.fields.json import KeyTransform

from tests.coursehub.mongo.fixtures import shop  # noqa: F401
from tests.support.mongo.shop import Item, Shelf

pytestmark = pytest.mark.usefixtures("shop")
_EDGES = [0, 1, -1, 42, -42, 2**31 - 1, -(2**31)]


def test_bit_operators_agree_with_python():
    seeded = random.Random(7)
    ranks = _EDGES + [seeded.randint(-(2**31), 2**31 - 1) for _ in range(20)]
    Shelf.objects.bulk_create([Shelf(name=str(number), rank=rank) for number, rank in enumerate(ranks)])
    for other in [*_EDGES, 2**63 - 1, -(2**63), 2**62, seeded.getrandbits(60)]:
        shelves = Shelf.objects.annotate(
            both=F("rank").bitand(other), either=F("rank").bitor(other), one=F("rank").bitxor(other)
        )
        for rank, both, either, one in shelves.values_list("rank", "both", "either", "one"):
            assert (both, either, one) == (rank & other, rank | other, rank ^ other)


def test_shifts_agree_with_python_and_nothing_is_cut_off_unseen():
    Shelf.objects.bulk_create([Shelf(name=str(rank), rank=rank) for rank in _EDGES])
    for places in (0, 1, 5, 31, 63):
        for rank, right in Shelf.objects.values_list("rank", F("rank").bitrightshift(places)):
            assert right == rank >> places
    for rank, left in Shelf.objects.values_list("rank", F("rank").bitleftshift(31)):
        assert left == rank << 31
    with pytest.raises(DataError):
        list(Shelf.objects.values_list(F("rank").bitleftshift(63)))
    with pytest.raises(NotSupportedError, match="0 to 63"):
        list(Shelf.objects.values_list(F("rank").bitleftshift(-1)))


def test_bits_with_null_are_null():
    Shelf.objects.create(name="one", rank=1)
    assert Shelf.objects.values_list(F("rank").bitxor(Value(None, IntegerField())), flat=True).get() is None


@pytest.fixture
def items(shop):  # noqa: F811
    details = {
        "plain": {"a": 1, "b": None},
        "nested": {"a": {"b": [10, {"c": True}]}},
        "list of objects": [{"a": 1}],
        "odd keys": {"a.b": 1, "$set": 2},
        "text": {"a": "1"},
        "empty": {},
        "null": None,
    }
    Item.objects.bulk_create([Item(name=name, detail=detail) for name, detail in details.items()])


def found(**lookups: object) -> set[str]:
    return set(Item.objects.filter(**lookups).values_list("name", flat=True))


@pytest.mark.usefixtures("items")
def test_keys_are_found_where_they_are_and_nowhere_else():
    assert found(detail__has_key="a") == {"plain", "nested", "text"}
    assert found(detail__has_key="b") == {"plain"}
    assert found(detail__has_key="a.b") == {"odd keys"}
    assert found(detail__has_key="$set") == {"odd keys"}
    assert found(detail__has_keys=["a", "b"]) == {"plain"}
    assert found(detail__has_any_keys=["b", "$set"]) == {"plain", "odd keys"}
    assert found(detail__a__has_key="b") == {"nested"}
    assert found(detail__a__b__1__has_key="c") == {"nested"}
    assert found(detail__a__isnull=False) == {"plain", "nested", "text"}
    assert found(detail__b__isnull=True) == {"nested", "list of objects", "odd keys", "text", "empty", "null"}


@pytest.mark.usefixtures("items")
def test_values_inside_are_compared_as_json_has_them():
    assert found(detail__a=1) == {"plain"}
    assert found(detail__a="1") == {"text"}
    assert found(detail__a=True) == set()
    assert found(detail__b=None) == {"plain"}
    assert found(detail__b=Value(None)) == {"plain"}
    assert found(detail__a__b__0=10) == {"nested"}
    assert found(detail__a__b__1__c=True) == {"nested"}
    assert found(detail__0__a=1) == {"list of objects"}
    # As on every database: what has no such key is neither equal nor different.
    excluded = set(Item.objects.exclude(detail__a=1).values_list("name", flat=True))
    assert excluded == {"nested", "text", "null"}


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("lookup", [{"detail__a": {"b": 1}}, {"detail__a__gt": 0}, {"detail__a__in": [1]}])
def test_comparisons_that_bson_answers_otherwise_are_refused(lookup):
    with pytest.raises(NotSupportedError):
        found(**lookup)


@pytest.mark.usefixtures("items")
def test_keys_are_neither_selected_nor_ordered_by():
    with pytest.raises(NotSupportedError, match="KeyTransform"):
        list(Item.objects.values_list("detail__a"))
    with pytest.raises(NotSupportedError, match="KeyTransform"):
        list(Item.objects.order_by(KeyTransform("a", "detail")))
