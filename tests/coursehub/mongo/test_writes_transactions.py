"""`atomic()` with and without transactions of the server."""

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.transaction import TransactionManagementError

from coursehub.mongo import outside_transaction
from tests.coursehub.mongo.fixtures import shop, transactions  # noqa: F401
from tests.support.mongo.shop import Shelf, Stock


class Broken(Exception):
    """Something that goes wrong inside a block."""


def test_a_failing_block_undoes_its_writes(transactions):  # noqa: F811
    shelves = Shelf.objects.using(transactions)
    shelves.create(name="before", rank=1)
    with pytest.raises(Broken), transaction.atomic(using=transactions):  # noqa: PT012
        shelves.create(name="inside")
        shelves.update(rank=2)
        raise Broken
    assert list(shelves.values_list("name", "rank")) == [("before", 1)]


def test_a_block_that_ends_well_keeps_its_writes_and_runs_its_hooks(transactions):  # noqa: F811
    ran = []
    with transaction.atomic(using=transactions):
        Shelf.objects.using(transactions).create(name="inside")
        transaction.on_commit(lambda: ran.append("hook"), using=transactions)
        assert Shelf.objects.using("default").count() == 0
    assert (Shelf.objects.count(), ran) == (1, ["hook"])


def test_djongos_managers_join_the_transaction_and_outside_transaction_does_not(transactions):  # noqa: F811
    shelf = Shelf.objects.create(name="a")
    with pytest.raises(Broken), transaction.atomic(using=transactions):  # noqa: PT012
        stocks = Stock.objects.db_manager(transactions)
        stocks.create(shelf=shelf, count=1)
        assert stocks.mongo_count_documents({}) == 1
        assert outside_transaction(Stock, using=transactions).count_documents({}) == 0
        outside_transaction("shop_audit", using=transactions).insert_one({"kept": True})
        raise Broken
    assert Stock.objects.count() == 0
    assert outside_transaction("shop_audit").delete_many({}).deleted_count == 1


def test_numbers_are_drawn_outside_so_concurrent_inserts_do_not_conflict(transactions):  # noqa: F811
    with transaction.atomic(using=transactions):
        first = Shelf.objects.using(transactions).create(name="inside")
        second = Shelf.objects.using("default").create(name="beside")
    assert second.pk == first.pk + 1


def test_two_writers_of_one_row_conflict_with_an_operational_error(transactions):  # noqa: F811
    shelf = Shelf.objects.create(name="a")
    with pytest.raises(OperationalError), transaction.atomic(using=transactions):  # noqa: PT012
        Shelf.objects.using(transactions).get(pk=shelf.pk)
        Shelf.objects.using("default").update(rank=1)
        Shelf.objects.using(transactions).update(rank=2)
    assert Shelf.objects.get().rank == 1


def test_conflicts_are_ignored_inside_a_transaction_too(transactions):  # noqa: F811
    Shelf.objects.create(name="a", rank=1)
    with transaction.atomic(using=transactions):
        Shelf.objects.using(transactions).bulk_create(
            [Shelf(name="a", rank=2), Shelf(name="b"), Shelf(name="b", rank=9)], ignore_conflicts=True
        )
    assert dict(Shelf.objects.values_list("name", "rank")) == {"a": 1, "b": 0}


def test_after_an_error_inside_nothing_more_is_done(transactions):  # noqa: F811
    Shelf.objects.create(name="a")
    shelves = Shelf.objects.using(transactions)
    with transaction.atomic(using=transactions):
        with pytest.raises(IntegrityError), transaction.atomic(using=transactions):
            shelves.create(name="a")
        with pytest.raises(TransactionManagementError):
            shelves.count()
    assert Shelf.objects.count() == 1


def test_manual_commit_and_rollback(transactions):  # noqa: F811
    connection, shelves = connections[transactions], Shelf.objects.using(transactions)
    connection.set_autocommit(False)
    shelves.create(name="kept")
    connection.commit()
    shelves.create(name="undone")
    connection.rollback()
    connection.set_autocommit(True)
    assert list(shelves.values_list("name", flat=True)) == ["kept"]


def test_without_transactions_an_inner_failure_leaves_the_outer_block_usable(shop):  # noqa: F811
    ran = []
    Shelf.objects.create(name="a")
    with transaction.atomic():
        transaction.on_commit(lambda: ran.append("hook"))
        with pytest.raises(IntegrityError), transaction.atomic():
            Shelf.objects.create(name="a")
        Shelf.objects.create(name="b")
    assert (Shelf.objects.count(), ran) == (2, ["hook"])
