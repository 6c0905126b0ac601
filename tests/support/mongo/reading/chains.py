"""Random chains of filter, exclude, annotate and order, to be read from any database."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, ExtractMonth, Length, Lower, TruncMonth

from .conditions import condition, conditions
from .models import Note, Person
from .rows import NUMBERS
from .tables import REFERENCE


@dataclass(frozen=True)
class Chain:
    """A query that can be put to any database."""

    queryset: QuerySet
    shape: Callable[..., Any]

    def rows(self, alias: str) -> list[str]:
        """The rows, sorted unless the query orders them itself; of an aggregation its figures."""
        queryset = self.queryset.using(alias)
        if self.shape is _aggregated:
            return [repr(figure) for figure in _aggregated(queryset)]
        rows = map(repr, queryset)
        return list(rows) if self.shape in _ORDERED else sorted(rows)

    def __str__(self) -> str:
        try:
            return f"{self.shape.__name__}: {self.queryset.using(REFERENCE).query}"
        except EmptyResultSet:
            return f"{self.shape.__name__} of no rows"


def chain(chance: random.Random) -> Chain:
    """A random query."""
    queryset = Person.objects.all()
    for _ in range(chance.randint(1, 2)):
        queryset = getattr(queryset, chance.choice(["filter", "exclude"]))(conditions(chance))
    shape = chance.choice(_SHAPES)
    return Chain(queryset if shape is _aggregated else shape(queryset, chance), shape)


def _plain(queryset: QuerySet, chance: random.Random) -> QuerySet:
    return queryset.order_by("pk", "parent__age").values_list("pk", "parent__age", "nickname", "born")


def _joined(queryset: QuerySet, chance: random.Random) -> QuerySet:
    return queryset.values_list("name", "parent__name", "note__text")


def _distinct(queryset: QuerySet, chance: random.Random) -> QuerySet:
    return queryset.values_list("name", "parent__name").distinct()


def _counted(queryset: QuerySet, chance: random.Random) -> QuerySet:
    return queryset.annotate(n=Count("note"), most=Max("note__size")).values_list("pk", "n", "most")


def _grouped(queryset: QuerySet, chance: random.Random) -> QuerySet:
    grouped = queryset.values("name").annotate(total=Sum("age"), n=Count("pk"))
    return grouped.values_list("name", "total", "n")


def _having(queryset: QuerySet, chance: random.Random) -> QuerySet:
    counted = queryset.annotate(
        n=Count("note", filter=condition(chance)), s=Sum("note__size", filter=Q(note__text="ada"))
    )
    return counted.filter(Q(n__gt=0) | condition(chance)).values_list("pk", "n", "s")


def _within(queryset: QuerySet, chance: random.Random) -> QuerySet:
    inner = Person.objects.filter(condition(chance)).values("parent")
    return queryset.filter(Q(pk__in=inner) | condition(chance)).values_list("pk", "parent__parent__name")


def _slice(queryset: QuerySet, chance: random.Random) -> QuerySet:
    start = chance.choice([0, 1])
    return queryset.distinct().order_by("-pk").values_list("pk", "age")[start : start + 5]


def _nulls_placed(queryset: QuerySet, chance: random.Random) -> QuerySet:
    first = F(chance.choice(["age", "parent__age", "nickname", "born"]))
    order = chance.choice([first.asc(nulls_last=True), first.desc(nulls_first=True), first.desc(), first.asc()])
    return queryset.distinct().order_by(order, "pk").values_list("pk", "age", "parent__age", "nickname", "born")[:5]


def _exists(queryset: QuerySet, chance: random.Random) -> QuerySet:
    notes = Note.objects.filter(person=OuterRef("pk"), size__gte=chance.choice([0, 2]))
    queryset = queryset.annotate(has=Exists(notes), newest=Subquery(notes.order_by("-pk").values("size")[:1]))
    return queryset.filter(~Exists(notes) | Q(newest__gt=1)).values_list("pk", "has", "newest")


def _calculated(queryset: QuerySet, chance: random.Random) -> QuerySet:
    total = F("age") * 2 - F("parent__age") + chance.choice(NUMBERS)
    rank = Case(When(condition(chance), then=Value(1)), When(age__gt=F("parent__age"), then="age"), default=Value(None))
    queryset = queryset.annotate(total=total, rank=rank, either=Coalesce("nickname", Lower("name")))
    return queryset.exclude(total__gt=chance.choice(NUMBERS)).values_list("pk", "total", "rank", "either")


def _functions(queryset: QuerySet, chance: random.Random) -> QuerySet:
    queryset = queryset.annotate(letters=Length("name"), month=ExtractMonth("parent__born"), since=TruncMonth("born"))
    return queryset.exclude(letters=chance.choice(NUMBERS)).values_list("pk", "letters", "month", "since")


def _united(queryset: QuerySet, chance: random.Random) -> QuerySet:
    other = Person.objects.filter(condition(chance)).values_list("name", "age")
    every = chance.choice([True, False])
    return queryset.values_list("name", "age").union(other, all=every).order_by("name", "age")


def _booleans(queryset: QuerySet, chance: random.Random) -> QuerySet:
    queryset = queryset.annotate(flag=ExpressionWrapper(condition(chance), output_field=BooleanField()))
    return queryset.filter(Q(flag=True) | ~Q(active=F("flag"))).values_list("pk", "flag")


def _between_columns(queryset: QuerySet, chance: random.Random) -> QuerySet:
    bounds = Q(age__range=(F("parent__age"), F("note__size")))
    return queryset.filter(chance.choice([bounds, ~bounds])).exclude(pk__in=[1, None]).values_list("pk")


def _aggregated(queryset: QuerySet) -> list[Any]:
    least, most = Min("parent__age"), Max("note__size")
    flat = queryset.aggregate(n=Count("pk"), d=Count("name", distinct=True), s=Sum("age"), least=least, most=most)
    over_groups = queryset.annotate(n=Count("note")).aggregate(total=Sum("n"), most=Max("n"))
    return [flat, over_groups, queryset.count(), queryset.distinct()[:4].count(), queryset.exists()]


_ORDERED = (_plain, _slice, _nulls_placed, _united)
_SHAPES = (
    *(_plain, _joined, _distinct, _counted, _grouped, _having, _within, _slice, _nulls_placed, _exists),
    *(_calculated, _functions, _united, _booleans, _between_columns, _aggregated),
)
