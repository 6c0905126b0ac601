"""Random queries on random rows give the rows that SQLite gives."""

import random

import pytest
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
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Lower

from .reading.tables import REFERENCE, installed

SEEDS = range(120)
WORDS = ["ada", "bea", "cid", "a.b", "x"]
NUMBERS = [0, 1, 2, 3, 5]


@pytest.fixture(scope="module")
def _tables(_set_up_database):
    with installed():
        yield


@pytest.fixture
def rows(_tables, database):
    """The same rows in both databases."""
    from .reading.models import Note, Person, Tag

    chance = random.Random(7)

    def maybe(values):
        return chance.choice([*values, None])

    people = [
        Person(
            pk=number,
            name=chance.choice(WORDS),
            nickname=maybe(WORDS),
            age=maybe(NUMBERS),
            active=chance.random() < 0.5,
            parent_id=maybe(range(1, number)) if number > 1 else None,
        )
        for number in range(1, 13)
    ]
    notes = [
        Note(
            pk=n,
            person_id=chance.randint(1, 12),
            editor_id=maybe(range(1, 13)),
            text=chance.choice(WORDS),
            size=maybe(NUMBERS),
        )
        for n in range(1, 15)
    ]
    tags = [Tag(pk=number, label=word) for number, word in enumerate(WORDS, start=1)]
    links = {(chance.randint(1, 5), chance.randint(1, 12)) for _ in range(12)}
    through = Tag.people.through
    joins = [through(pk=n, tag_id=tag, person_id=person) for n, (tag, person) in enumerate(sorted(links), start=1)]
    for alias in ("default", REFERENCE):
        for model, objects in ((Person, people), (Note, notes), (Tag, tags), (through, joins)):
            model.objects.using(alias).all().delete()
            model.objects.using(alias).bulk_create(objects)
    return Person


TEXT_PATHS = [
    "name",
    "nickname",
    "parent__name",
    "parent__parent__nickname",
    "note__text",
    "tag__label",
    "children__name",
]
NUMBER_PATHS = ["age", "parent__age", "note__size", "note__editor__age", "children__age", "pk", "parent__pk"]


def condition(chance: random.Random) -> Q:
    """One random lookup."""
    kind = chance.randrange(8)
    if kind == 0:
        return Q(**{f"{chance.choice(TEXT_PATHS + NUMBER_PATHS)}__isnull": chance.random() < 0.5})
    if kind == 1:
        return Q(
            **{
                f"{chance.choice(NUMBER_PATHS[:5])}__{chance.choice(['gt', 'lte', 'exact'])}": F(
                    chance.choice(NUMBER_PATHS[:5])
                )
            }
        )
    if kind == 2:
        return Q(**{f"{chance.choice(NUMBER_PATHS)}__in": chance.sample(NUMBERS, 2)})
    if kind == 3:
        return Q(**{f"{chance.choice(NUMBER_PATHS)}__range": (1, chance.choice(NUMBERS))})
    if kind == 4:
        return Q(active=chance.random() < 0.5)
    if kind == 5:
        return Q(
            **{
                f"{chance.choice(NUMBER_PATHS)}__{chance.choice(['gt', 'gte', 'lt', 'lte', 'exact'])}": chance.choice(
                    NUMBERS
                )
            }
        )
    lookup = chance.choice(["exact", "contains", "icontains", "startswith", "iexact", "in"])
    value = chance.sample(WORDS, 2) if lookup == "in" else chance.choice(WORDS)
    return Q(**{f"{chance.choice(TEXT_PATHS)}__{lookup}": value})


def conditions(chance: random.Random, depth: int = 2) -> Q:
    """A random tree of lookups."""
    if depth == 0 or chance.random() < 0.3:
        found = condition(chance)
    else:
        left, right = conditions(chance, depth - 1), conditions(chance, depth - 1)
        found = chance.choice([lambda: left & right, lambda: left | right, lambda: left ^ right])()
    return ~found if chance.random() < 0.3 else found


def build(model, alias: str, seed: int):
    """The same random chain for the same seed, on either database."""
    chance = random.Random(seed)
    queryset = model.objects.using(alias)
    for _ in range(chance.randint(1, 2)):
        queryset = getattr(queryset, chance.choice(["filter", "exclude"]))(conditions(chance))
    shape = chance.randrange(14)
    if shape == 0:
        return queryset.values_list("name", "parent__name").distinct()
    if shape == 1:
        return queryset.annotate(n=Count("note"), most=Max("note__size")).values_list("pk", "n", "most")
    if shape == 2:
        return queryset.values("name").annotate(total=Sum("age"), n=Count("pk")).values_list("name", "total", "n")
    if shape == 3:
        inner = model.objects.using(alias).filter(condition(chance)).values("parent")
        return queryset.filter(Q(pk__in=inner) | condition(chance)).values_list("pk", "parent__parent__name")
    if shape == 4:
        return queryset.distinct().order_by("-pk").values_list("pk", "age")[1:6]
    if shape >= 6:
        return SHAPES[shape - 6](queryset, chance)
    return queryset.order_by("pk").values_list("pk", "parent__age", "nickname")


def grouped_with_filters(queryset, chance):
    counted = queryset.annotate(
        n=Count("note", filter=condition(chance)), s=Sum("note__size", filter=Q(note__text="ada"))
    )
    return counted.filter(Q(n__gt=0) | condition(chance)).values_list("pk", "n", "s")


def with_exists(queryset, chance):
    notes = queryset.model.note_set.rel.related_model.objects.using(queryset.db)
    notes = notes.filter(person=OuterRef("pk"), size__gte=chance.choice([0, 2]))
    queryset = queryset.annotate(has=Exists(notes), newest=Subquery(notes.order_by("-pk").values("size")[:1]))
    return queryset.filter(~Exists(notes) | Q(newest__gt=1)).values_list("pk", "has", "newest")


def calculated(queryset, chance):
    sum_of = F("age") * 2 - F("parent__age") + chance.choice(NUMBERS)
    rank = Case(When(condition(chance), then=Value(1)), When(age__gt=F("parent__age"), then="age"), default=Value(None))
    queryset = queryset.annotate(total=sum_of, rank=rank, either=Coalesce("nickname", Lower("name")))
    return queryset.exclude(total__gt=chance.choice(NUMBERS)).values_list("pk", "total", "rank", "either")


def united(queryset, chance):
    other = queryset.model.objects.using(queryset.db).filter(condition(chance)).values_list("name", "age")
    return queryset.values_list("name", "age").union(other, all=chance.random() < 0.5).order_by("name", "age")


def ordered_slice(queryset, chance):
    first = F(chance.choice(["age", "parent__age", "nickname"]))
    order = chance.choice([first.asc(nulls_last=True), first.desc(nulls_first=True), first.desc(), first.asc()])
    return queryset.distinct().order_by(order, "pk").values_list("pk", "age", "parent__age", "nickname")[:5]


def aggregated(queryset, chance):
    result = queryset.aggregate(
        n=Count("pk"), d=Count("name", distinct=True), s=Sum("age"), least=Min("parent__age"), big=Max("note__size")
    )
    inner = queryset.annotate(n=Count("note")).aggregate(total=Sum("n"), most=Max("n"))
    return [sorted(result.items()), sorted(inner.items(), key=repr), queryset.count(), queryset.distinct()[:4].count()]


def booleans(queryset, chance):
    queryset = queryset.annotate(flag=ExpressionWrapper(condition(chance), output_field=BooleanField()))
    return queryset.filter(Q(flag=True) | ~Q(active=F("flag"))).values_list("pk", "flag")


def between_columns(queryset, chance):
    bounds = Q(age__range=(F("parent__age"), F("note__size")))
    return queryset.filter(chance.choice([bounds, ~bounds])).exclude(pk__in=[1, None]).values_list("pk")


SHAPES = [
    *(grouped_with_filters, with_exists, calculated, united, ordered_slice, aggregated, booleans, between_columns),
]


@pytest.mark.parametrize("block", range(0, len(SEEDS), 20))
def test_random_queries_give_the_rows_of_sqlite(rows, block):
    for seed in SEEDS[block : block + 20]:
        expected = sorted(map(repr, build(rows, REFERENCE, seed)))
        found = sorted(map(repr, build(rows, "default", seed)))
        assert found == expected, f"seed {seed}: {build(rows, REFERENCE, seed).query}"
