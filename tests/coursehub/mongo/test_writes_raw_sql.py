"""`.raw()` and `connection.cursor()`: Djongo's SQL, as far as its answers are right."""

import re

import pytest
from django.db import DatabaseError, IntegrityError, NotSupportedError, connection

from tests.coursehub.mongo.fixtures import shop  # noqa: F401
from tests.support.mongo.shop import Shelf, Stock

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture(autouse=True)
def shelves(shop):  # noqa: F811
    return Shelf.objects.bulk_create([Shelf(name=name, rank=rank) for rank, name in enumerate("abcd")])


def rows(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def test_raw_reads_models_with_bare_columns_stars_and_lower_case():
    found = Shelf.objects.raw("select * from shop_shelf where rank > %s order by rank desc limit 2", [0])
    assert [(shelf.name, shelf.rank) for shelf in found] == [("d", 3), ("c", 2)]
    sql = "SELECT id, name FROM shop_shelf WHERE name IN (%(x)s, %(y)s) ORDER BY id"
    named = Shelf.objects.raw(sql, {"x": "a", "y": "b"})
    assert [shelf.name for shelf in named] == ["a", "b"]


def test_cursor_describes_its_columns():
    with connection.cursor() as cursor:
        cursor.execute('SELECT COUNT(*) AS "n" FROM "shop_shelf" WHERE "shop_shelf"."rank" > %s', [0])
        assert [column[0] for column in cursor.description] == ["n"]
        assert cursor.fetchone() == (3,)
        assert cursor.fetchone() is None


def test_cursor_writes_and_counts():
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO "shop_shelf" ("name", "rank") VALUES (%s, %s), (%s, %s)', ["e", 4, "f", 5])
        assert (cursor.rowcount, cursor.lastrowid) == (2, 6)
        cursor.execute('UPDATE "shop_shelf" SET "rank" = %s WHERE "shop_shelf"."rank" > %s', [9, 2])
        assert cursor.rowcount == 3
        cursor.execute("DELETE FROM shop_shelf WHERE rank = %s", [9])
        assert cursor.rowcount == 3
    assert list(Shelf.objects.values_list("name", flat=True)) == ["a", "b", "c"]


def test_joins_with_named_tables():
    Stock.objects.create(shelf=Shelf.objects.get(name="b"), count=7)
    sql = (
        'SELECT "shop_stock"."count", "shop_shelf"."name" FROM "shop_stock" '
        'INNER JOIN "shop_shelf" ON ("shop_stock"."shelf_id" = "shop_shelf"."id")'
    )
    assert rows(sql) == [(7, "b")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM shop_shelf WHERE name LIKE %s",
        'SELECT a."id" FROM "shop_shelf" a INNER JOIN "shop_shelf" b ON (a."id" = b."id")',
        'SELECT "shop_stock"."id" FROM "shop_stock" INNER JOIN "shop_shelf" ON '
        '("shop_stock"."shelf_id" = "shop_shelf"."id") WHERE "shop_stock"."count" = %s OR "shop_shelf"."rank" = %s',
        "DROP TABLE shop_shelf",
        "SELECT id FROM shop_shelf; DELETE FROM shop_shelf",
    ],
)
def test_what_djongo_answers_wrongly_is_refused(sql):
    with pytest.raises(NotSupportedError):
        rows(sql, ["a", "a"])


def test_values_are_values_whatever_they_look_like():
    assert rows("SELECT id FROM shop_shelf WHERE name = %s", ["') OR 1 = 1"]) == []
    with pytest.raises(NotSupportedError):
        rows("SELECT id FROM shop_shelf WHERE name = %s", [{"$ne": None}])
    with pytest.raises(NotSupportedError):
        rows("SELECT id FROM shop_shelf WHERE name = %s", [re.compile("")])


def test_errors_are_djangos_and_show_no_parameters():
    with pytest.raises(IntegrityError):
        rows("INSERT INTO shop_shelf (name) VALUES (%s)", ["a"])
    with pytest.raises(DatabaseError) as refused:
        rows("SELECT id FROM shop_shelf WHERE name || %s", ["hidden value"])
    assert "hidden value" not in str(refused.value)
