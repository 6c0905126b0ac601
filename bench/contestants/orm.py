"""Django's ORM on one of three engines."""

import datetime
from typing import Any

import django
from django.conf import settings

from . import data
from .operations import Operation, joined_slugs, slugs

ENGINES = {
    "ours": ("coursehub.mongo", "django.db.models.BigAutoField"),
    "official": ("django_mongodb_backend", "django_mongodb_backend.fields.ObjectIdAutoField"),
    "djongo": ("djongo", "django.db.models.AutoField"),
}


def set_up(contestant: str, uri: str, name: str) -> None:
    """Django on that contestant's engine, with time zones, nothing logged."""
    engine, key = ENGINES[contestant]
    where = {"HOST": uri} if contestant == "official" else {"CLIENT": {"host": uri}, "ENFORCE_SCHEMA": False}
    settings.configure(
        DATABASES={"default": {"ENGINE": engine, "NAME": name, **where}},
        DEFAULT_AUTO_FIELD=key,
        INSTALLED_APPS=[],
        USE_TZ=True,
        TIME_ZONE="UTC",
        SECRET_KEY="bench",  # noqa: S106 - signs nothing
    )
    django.setup()


class Orm:
    """The tables made by the engine's own schema editor, and the operations on them."""

    def __init__(self, contestant: str, uri: str, name: str) -> None:
        set_up(contestant, uri, name)
        from . import models

        self.models = models
        self._create_tables()
        models.Category.objects.bulk_create(
            [models.Category(name=f"Category {number}", rank=number) for number in range(data.CATEGORIES)]
        )
        self.categories = list(models.Category.objects.order_by("rank"))
        self.values = [self._values(row) for row in data.rows()]
        models.Row.objects.bulk_create([models.Row(**values) for values in self.values])
        self.rows = list(models.Row.objects.order_by("a"))

    def _values(self, row: dict[str, Any]) -> dict[str, Any]:
        aware = {column: row[column].replace(tzinfo=datetime.UTC) for column in ("day", "created")}
        return {**row, **aware, "category": self.categories[row["category"]]}

    def _create_tables(self) -> None:
        from django.db import connection

        with connection.schema_editor() as editor:
            for model in (self.models.Category, self.models.Row, self.models.Load):
                editor.create_model(model)

    def operations(self) -> dict[str, Operation]:
        """By name: ten things that applications do all day."""
        manager, load = self.models.Row.objects, self.models.Load.objects
        return {
            "bulk_create": Operation(lambda _, new: load.bulk_create(new), lambda _: load.count(), self.new_rows),
            "get": Operation(lambda _, key: manager.get(pk=key), lambda row: row.slug, self.key),
            "page": Operation(self.page, slugs),
            "count": Operation(lambda n, _: manager.filter(kind=f"kind-{n % data.KINDS}").count(), int),
            "joined_list": Operation(self.joined_list, joined_slugs),
            "search": Operation(lambda *_: list(manager.filter(text__icontains="needle")), slugs),
            "save_update": Operation(self.save, lambda _: 1, self.changed),
            "save_insert": Operation(self.save, lambda _: None, self.new_row),
            "update": Operation(self.update, int),
            "group": Operation(self.group, sorted),
        }

    def new_rows(self, number: int) -> list:
        self.models.Load.objects.all().delete()
        return [self.models.Load(**values) for values in self.values]

    def key(self, number: int) -> Any:
        return self.rows[number * 37 % data.ROWS].pk

    def page(self, number: int, _: None) -> list:
        return list(self.models.Row.objects.filter(b__gte=number * 31 % 9000).order_by("b")[:50])

    def joined_list(self, number: int, _: None) -> list:
        return list(self.models.Row.objects.filter(a__gte=5000).select_related("category").order_by("score")[:50])

    def changed(self, number: int) -> Any:
        row = self.rows[number * 41 % data.ROWS]
        row.c = number
        return row

    def new_row(self, number: int) -> Any:
        return self.models.Load(**self.values[number % data.ROWS])

    def save(self, number: int, row: Any) -> None:
        row.save()

    def update(self, number: int, _: None) -> int:
        kinds = [f"kind-{number % 10}", f"kind-{number % 10 + 10}"]
        return self.models.Row.objects.filter(kind__in=kinds).update(c=number)

    def group(self, number: int, _: None) -> list:
        from django.db.models import Count

        groups = self.models.Row.objects.values("kind").annotate(n=Count("pk"))
        return [[group["kind"], group["n"]] for group in groups]
