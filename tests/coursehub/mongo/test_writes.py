"""Inserts, updates and deletes through the ORM, on the real server."""

import datetime
import threading
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, connection
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Upper
from django.test.utils import CaptureQueriesContext

from coursehub.models import Course, CourseAccess
from coursehub.mongo import outside_transaction
from tests.coursehub.mongo.fixtures import shop  # noqa: F401
from tests.support.mongo.shop import Item, Shelf, Stock

pytestmark = pytest.mark.usefixtures("shop")


def test_objects_get_consecutive_numbers_from_one_draw_per_batch():
    shelves = Shelf.objects.bulk_create([Shelf(name=str(number)) for number in range(500)])
    assert [shelf.pk for shelf in shelves] == list(range(1, 501))
    assert Shelf.objects.create(name="next").pk == 501


def test_threads_that_insert_at_once_never_share_a_number():
    def insert(prefix: int) -> None:
        for number in range(25):
            Shelf.objects.create(name=f"{prefix}-{number}")
        connection.close()

    threads = [threading.Thread(target=insert, args=(prefix,)) for prefix in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(Shelf.objects.values_list("pk", flat=True))) == 100


def test_counter_never_gives_out_a_number_that_was_set_by_hand():
    Shelf.objects.create(pk=40, name="by hand")
    assert Shelf.objects.create(name="drawn").pk == 41


def test_counter_that_was_lost_starts_after_the_highest_number():
    Shelf.objects.create(pk=7, name="seven")
    outside_transaction("__schema__").delete_one({"name": Shelf._meta.db_table})
    assert Shelf.objects.create(name="eight").pk == 8


def test_every_type_of_column_comes_back_as_it_was_written():
    written = Item.objects.create(
        name="bread",
        price=Decimal("12.50"),
        picture=memoryview(b"\x00\xff"),
        detail={"a": [1, None, {"$ne": 2}], "b.c": "\x00"},
        baked_in=datetime.timedelta(days=2, microseconds=7),
        sold_at=datetime.datetime(1960, 1, 2, 3, 4, 5, 678_000, tzinfo=datetime.UTC),
        best_before=datetime.date(1969, 12, 31),
        opens_at=datetime.time(23, 59, 59, 999_000),
    )
    read = Item.objects.get(pk=written.pk)
    assert (read.name, read.price, bytes(read.picture)) == ("bread", Decimal("12.50"), b"\x00\xff")
    assert isinstance(read.pk, uuid.UUID)
    for name in ("detail", "baked_in", "sold_at", "best_before", "opens_at"):
        assert getattr(read, name) == getattr(written, name), name


def test_json_is_stored_as_documents_not_as_text():
    Item.objects.create(name="bread", detail={"flour": ["rye"]})
    assert outside_transaction(Item).find_one({"detail.flour": "rye"})["name"] == "bread"


def test_datetimes_are_cut_to_milliseconds_in_rows_and_in_filters():
    precise = datetime.datetime(2026, 1, 1, 0, 0, 0, 123_999, tzinfo=datetime.UTC)
    Item.objects.create(name="bread", sold_at=precise)
    assert Item.objects.get(sold_at=precise).sold_at == precise.replace(microsecond=123_000)


@pytest.mark.parametrize("count", [2**63, -(2**63) - 1, 10**30])
def test_integers_beyond_64_bits_are_refused(count):
    shelf = Shelf.objects.create(name="a")
    with pytest.raises((DataError, OverflowError)):
        Stock.objects.create(shelf=shelf, count=count)
    with pytest.raises((DataError, OverflowError)):
        Stock.objects.update(count=count)


def test_decimals_are_rounded_when_written_and_compared_exactly_when_searched():
    item = Item.objects.create(name="bread", price=Decimal("1.236"))
    assert Item.objects.get(price__gt=Decimal("1.2399")).price == Decimal("1.24")
    assert not Item.objects.filter(price__gte=Decimal("1.2401")).exists()
    Item.objects.update(price=Decimal("1.231"))
    item.refresh_from_db()
    assert item.price == Decimal("1.23")
    with pytest.raises(DataError):
        Item.objects.update(price=Decimal("1000000"))


def test_numbers_of_too_many_digits_are_refused():
    with pytest.raises(DataError):
        Item.objects.create(name="bread", detail={"n": 10**30})


def test_duplicate_key_is_an_integrity_error_and_get_or_create_survives_it():
    Shelf.objects.create(name="a")
    with pytest.raises(IntegrityError):
        Shelf.objects.create(name="a")
    shelf, created = Shelf.objects.get_or_create(name="a")
    assert (shelf.pk, created) == (1, False)


def test_none_in_a_not_null_column_is_refused_on_every_way_in():
    shelf = Shelf.objects.create(name="a")
    stock = Stock.objects.create(shelf=shelf, spare=None)
    with pytest.raises(IntegrityError):
        Shelf.objects.create(name=None)
    with pytest.raises(IntegrityError):
        Shelf.objects.bulk_create([Shelf(name="b"), Shelf(name=None)])
    with pytest.raises(IntegrityError):
        Shelf.objects.update(name=None)
    with pytest.raises(IntegrityError, match="NOT NULL"):
        Stock.objects.update(count=F("spare"))
    with pytest.raises(IntegrityError, match="NOT NULL"):
        Stock.objects.update(count=Subquery(Shelf.objects.filter(pk=0).values("rank")))
    stock.refresh_from_db()
    assert (stock.count, Shelf.objects.count()) == (0, 1)


def test_many_rows_may_lack_a_value_in_a_unique_column_but_none_may_share_one():
    shelf = Shelf.objects.create(name="a")
    Stock.objects.bulk_create([Stock(shelf=shelf), Stock(shelf=shelf), Stock(shelf=shelf, code="x", spare=1)])
    with pytest.raises(IntegrityError):
        Stock.objects.create(shelf=shelf, code="x")
    with pytest.raises(IntegrityError):
        Stock.objects.create(shelf=shelf, spare=1)


def test_conditional_constraint_binds_only_the_rows_it_names():
    shelf = Shelf.objects.create(name="a")
    Stock.objects.create(shelf=shelf, state="main")
    second = Stock.objects.create(shelf=shelf)
    second.state = "main"
    with pytest.raises(IntegrityError):
        second.save()


def test_a_batch_that_fails_half_way_leaves_nothing():
    Shelf.objects.create(name="taken")
    with pytest.raises(IntegrityError):
        Shelf.objects.bulk_create([Shelf(name="a"), Shelf(name="b"), Shelf(name="taken"), Shelf(name="c")])
    assert list(Shelf.objects.values_list("name", flat=True)) == ["taken"]


@pytest.mark.parametrize("repetitions", [1, 2])
def test_ignored_conflicts_keep_the_old_row_and_insert_the_rest(repetitions):
    Shelf.objects.create(name="a", rank=1)
    for _ in range(repetitions):
        Shelf.objects.bulk_create([Shelf(name="a", rank=2), Shelf(name="b")], ignore_conflicts=True)
    assert dict(Shelf.objects.values_list("name", "rank")) == {"a": 1, "b": 0}


def test_updated_conflicts_change_the_old_row_and_tell_its_key():
    old = Shelf.objects.create(name="a", rank=1)
    shelves = Shelf.objects.bulk_create(
        [Shelf(name="b", rank=5), Shelf(name="a", rank=2)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["rank"],
    )
    assert dict(Shelf.objects.values_list("name", "rank")) == {"a": 2, "b": 5}
    assert shelves[1].pk == old.pk


def test_update_counts_the_rows_it_selected_even_if_they_had_the_value():
    Shelf.objects.bulk_create([Shelf(name=str(number)) for number in range(3)])
    assert Shelf.objects.update(rank=0) == 3


def test_updates_compute_from_the_row_and_from_other_tables():
    shelf = Shelf.objects.create(name="a", rank=3)
    stock = Stock.objects.create(shelf=shelf, count=4)
    Stock.objects.filter(shelf__name="a").update(count=F("count") * 2.5)
    stock.refresh_from_db()
    assert (stock.count, type(stock.count + 0)) == (10, int)
    ranks = Shelf.objects.filter(pk=OuterRef("shelf_id")).values("rank")
    assert Stock.objects.update(count=Subquery(ranks) + F("count"), code=Upper(Value("$rank"))) == 1
    stock.refresh_from_db()
    assert (stock.count, stock.code) == (13, "$RANK")


def test_written_text_is_never_read_as_an_operator():
    shelf = Shelf.objects.create(name="$name")
    Shelf.objects.filter(pk=shelf.pk).update(name="$rank", rank=F("rank") + 1)
    assert Shelf.objects.get().name == "$rank"


def test_bulk_update_gives_each_row_its_own_value():
    shelves = Shelf.objects.bulk_create([Shelf(name=str(number)) for number in range(20)])
    for shelf in shelves:
        shelf.rank = shelf.pk * 2
    assert Shelf.objects.bulk_update(shelves, ["rank"]) == 20
    assert all(shelf.rank == shelf.pk * 2 for shelf in Shelf.objects.all())


def test_deletes_follow_joins_aggregates_and_cascades():
    one, two, three = Course.objects.bulk_create([Course(course_id=name, name=name) for name in ("1", "2", "3")])
    people = User.objects.bulk_create([User(username=name) for name in "ab"])
    CourseAccess.objects.create(course=one, user=people[0])
    CourseAccess.objects.bulk_create([CourseAccess(course=two, user=user) for user in people])
    assert CourseAccess.objects.filter(course__name="1").delete()[0] == 1
    popular = Course.objects.annotate(people=Count("courseaccess")).filter(people=2)
    assert popular.delete() == (3, {"coursehub.CourseAccess": 2, "coursehub.Course": 1})
    assert list(Course.objects.order_by("name")) == [one, three]


def test_managers_of_djongo_reach_the_collection():
    Item.objects.create(name="bread")
    assert Item.objects.mongo_find_one({"name": "bread"})["name"] == "bread"


def test_logged_writes_begin_with_their_verb():
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shelf = Shelf.objects.create(name="a")
        Shelf.objects.update(rank=1)
        shelf.delete()
    verbs = [query["sql"].split()[0] for query in captured.captured_queries]
    assert verbs[:2] == ["INSERT", "UPDATE"]
    assert verbs[-1] == "DELETE"
