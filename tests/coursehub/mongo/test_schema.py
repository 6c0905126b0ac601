"""What migrations do to collections, indexes and rows, on the real server."""

from decimal import Decimal

import pytest
from django.apps.registry import Apps
from django.db import DataError, IntegrityError, NotSupportedError, connection, models
from django.db.models import Q

from coursehub.mongo import outside_transaction
from tests.coursehub.mongo.fixtures import shop  # noqa: F401
from tests.support.mongo.shop import Item, Shelf, Stock

pytestmark = pytest.mark.usefixtures("shop")


def indexes(model) -> dict:
    return {name: info for name, info in outside_transaction(model).index_information().items() if name != "_id_"}


def model_with(**fields):
    """A model `shop.Jar` in a registry of its own."""
    meta = type("Meta", (), {"app_label": "shop", "apps": Apps()})
    return type("Jar", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


@pytest.fixture
def jar():
    """`jar(field=...)`: that model with its table; dropped in the end."""
    made = []

    def make(**fields):
        made.append(model_with(**fields))
        with connection.schema_editor() as editor:
            editor.create_model(made[-1])
        return made[-1]

    yield make
    with connection.schema_editor() as editor:
        for model in made:
            editor.delete_model(model)


def alter(model, name: str, new: models.Field) -> None:
    """Change a field as a migration would; the model keeps its old definition."""
    old = model._meta.get_field(name)
    new.set_attributes_from_name(name)
    new.model = model
    with connection.schema_editor() as editor:
        editor.alter_field(model, old, new)


def test_each_wish_of_a_model_becomes_an_index():
    found = indexes(Stock)
    assert found["__primary_key__"]["unique"]
    assert found["one_main_stock_per_shelf"]["partialFilterExpression"] == {"state": {"$eq": "main"}}
    assert found["stock_state"]["key"] == [("state", 1), ("count", -1)]
    keys = [[column for column, _ in info["key"]] for info in found.values()]
    assert sorted(keys) == [["code"], ["id"], ["shelf_id"], ["shelf_id"], ["shelf_id", "spare"], ["state", "count"]]


def test_a_unique_index_over_nullable_columns_serves_equality_searches():
    plan = outside_transaction(Stock).find({"code": {"$eq": "x"}}).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


def test_creating_the_same_table_again_changes_nothing():
    Shelf.objects.create(name="a")
    before = indexes(Shelf)
    with connection.schema_editor() as editor:
        editor.create_model(Shelf)
    assert (indexes(Shelf), Shelf.objects.create(name="b").pk) == (before, 2)


def test_sqlmigrate_only_tells_what_would_be_done():
    model = model_with(name=models.CharField(max_length=5, unique=True))
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(model)
    assert any("UNIQUE INDEX" in line for line in editor.collected_sql)
    assert model._meta.db_table not in connection.introspection.table_names()


def test_an_added_column_gets_its_default_in_old_rows(jar):
    model = jar(name=models.CharField(max_length=5))
    model.objects.create(name="a")
    with connection.schema_editor() as editor:
        for name, field in {
            "size": models.IntegerField(default=7),
            "label": models.CharField(max_length=5, null=True),
            "price": models.DecimalField(max_digits=5, decimal_places=2, db_default=Decimal("1.5")),
        }.items():
            field.set_attributes_from_name(name)
            field.model = model
            editor.add_field(model, field)
    row = outside_transaction(model).find_one()
    assert (row["size"], row["label"], str(row["price"])) == (7, None, "1.50")


def test_a_not_null_column_without_default_cannot_be_added_to_rows(jar):
    model = jar(name=models.CharField(max_length=5))
    model.objects.create(name="a")
    field = models.IntegerField()
    field.set_attributes_from_name("size")
    field.model = model
    with connection.schema_editor() as editor, pytest.raises(IntegrityError):
        editor.add_field(model, field)


def test_a_removed_column_leaves_rows_and_indexes(jar):
    model = jar(name=models.CharField(max_length=5, unique=True))
    model.objects.create(name="a")
    with connection.schema_editor() as editor:
        editor.remove_field(model, model._meta.get_field("name"))
    assert set(outside_transaction(model).find_one()) == {"_id", "id"}
    assert list(indexes(model)) == ["__primary_key__"]


def test_a_renamed_column_takes_values_and_indexes_along(jar):
    model = jar(name=models.CharField(max_length=5, unique=True))
    model.objects.create(name="a")
    new = models.CharField(max_length=5, unique=True, db_column="title")
    alter(model, "name", new)
    assert outside_transaction(model).find_one({}, {"_id": False}) == {"id": 1, "title": "a"}
    assert [("title", 1)] in [info["key"] for info in indexes(model).values()]
    assert len(indexes(model)) == 2


@pytest.mark.parametrize(
    ("old", "written", "new", "read"),
    [
        (models.CharField(max_length=9), "42", models.IntegerField(), 42),
        (models.IntegerField(), 42, models.CharField(max_length=9), "42"),
        (models.IntegerField(), 42, models.FloatField(), 42.0),
        (models.FloatField(), 1.5, models.TextField(), "1.5"),
        (models.IntegerField(null=True), None, models.IntegerField(default=3), 3),
    ],
)
def test_a_changed_type_converts_the_values(jar, old, written, new, read):
    model = jar(value=old)
    model.objects.create(value=written)
    alter(model, "value", new)
    found = outside_transaction(model).find_one()["value"]
    assert (found, type(found + found)) == (read, type(read + read))


def test_values_that_cannot_be_converted_stop_the_migration(jar):
    model = jar(value=models.CharField(max_length=9))
    model.objects.create(value="many")
    with pytest.raises(DataError):
        alter(model, "value", models.IntegerField())


def test_not_null_is_refused_while_rows_hold_null(jar):
    model = jar(value=models.IntegerField(null=True))
    model.objects.create(value=None)
    with pytest.raises(IntegrityError):
        alter(model, "value", models.IntegerField())


def test_unique_is_refused_while_rows_share_a_value(jar):
    model = jar(value=models.IntegerField())
    model.objects.bulk_create([model(value=1), model(value=1)])
    with pytest.raises(IntegrityError):
        alter(model, "value", models.IntegerField(unique=True))


def test_becoming_nullable_makes_a_unique_column_accept_many_nulls(jar):
    model = jar(value=models.IntegerField(unique=True))
    alter(model, "value", models.IntegerField(unique=True, null=True))
    rows = outside_transaction(model)
    rows.insert_many([{"id": 1, "value": None}, {"id": 2, "value": None}])
    assert rows.count_documents({}) == 2


def test_two_wishes_for_one_index_survive_the_removal_of_one():
    first, second = (models.UniqueConstraint(fields=["rank"], name=name) for name in ("first", "second"))
    meta = Shelf._meta
    with connection.schema_editor() as editor:
        editor.add_constraint(Shelf, first)
        editor.add_constraint(Shelf, second)
        meta.constraints = [first, second]
        try:
            editor.remove_constraint(Shelf, first)
        finally:
            meta.constraints = []
    assert [name for name, info in indexes(Shelf).items() if info["key"] == [("rank", 1)]] == ["second"]


def test_negated_conditions_bind_as_in_sql_and_strange_ones_are_refused():
    constraint = models.UniqueConstraint(fields=["count"], condition=~Q(state="open") & Q(spare__isnull=True), name="c")
    shelf = Shelf.objects.create(name="a")
    with connection.schema_editor() as editor:
        editor.add_constraint(Stock, constraint)
        with pytest.raises(NotSupportedError, match="Contains"):
            editor.add_index(Stock, models.Index(fields=["count"], condition=Q(state__contains="x"), name="d"))
    Stock.objects.bulk_create([Stock(shelf=shelf), Stock(shelf=shelf), Stock(shelf=shelf, state="shut")])
    with pytest.raises(IntegrityError):
        Stock.objects.create(shelf=shelf, state="shut")
    Stock.objects.create(shelf=shelf, state="shut", spare=1)


def test_a_renamed_table_keeps_rows_and_numbers(jar):
    model = jar(name=models.CharField(max_length=5))
    model.objects.create(name="a")
    with connection.schema_editor() as editor:
        editor.alter_db_table(model, "shop_jar", "shop_pot")
        editor.alter_db_table(model, "shop_jar", "shop_pot")  # again, as after a crash
        model._meta.db_table = "shop_pot"
    assert model.objects.create(name="b").pk == 2


def test_unique_together_comes_and_goes():
    with connection.schema_editor() as editor:
        editor.alter_unique_together(Shelf, [], [("name", "rank")])
        added = indexes(Shelf)
        editor.alter_unique_together(Shelf, [("name", "rank")], [])
    assert [("name", 1), ("rank", 1)] in [info["key"] for info in added.values()]
    assert len(indexes(Shelf)) == len(added) - 1


def test_introspection_lists_tables_columns_and_constraints():
    with connection.cursor() as cursor:
        introspection = connection.introspection
        assert Item._meta.db_table in introspection.table_names(cursor)
        assert "__schema__" not in introspection.table_names(cursor)
        columns = {column.name for column in introspection.get_table_description(cursor, Stock._meta.db_table)}
        assert columns == {"id", "shelf_id", "code", "count", "state", "spare"}
        constraints = introspection.get_constraints(cursor, Stock._meta.db_table)
        assert constraints["__primary_key__"]["primary_key"]
        assert introspection.get_primary_key_columns(cursor, Stock._meta.db_table) == ["id"]


def test_flush_empties_tables_and_starts_numbers_again():
    Shelf.objects.create(name="a")
    tables = [model._meta.db_table for model in (Shelf, Item, Stock)]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(None, tables, reset_sequences=True))
    assert Shelf.objects.create(name="b").pk == 1
