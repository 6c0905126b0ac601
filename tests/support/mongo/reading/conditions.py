"""Random trees of lookups over people, whoever is related to them, and their notes and tags."""

import random

from django.db.models import F, Q

from .rows import DAYS, NUMBERS, WORDS

TEXTS = ["name", "nickname", "parent__name", "parent__parent__nickname", "note__text", "tag__label", "children__name"]
WHOLES = ["age", "parent__age", "note__size", "note__editor__age", "children__age", "pk", "parent__pk"]
NULLABLE = WHOLES[:5]


def conditions(chance: random.Random, depth: int = 2) -> Q:
    """A random tree of lookups."""
    if depth == 0 or chance.randrange(10) < 3:
        found = condition(chance)
    else:
        left, right = conditions(chance, depth - 1), conditions(chance, depth - 1)
        found = chance.choice([lambda: left & right, lambda: left | right, lambda: left ^ right])()
    return ~found if chance.randrange(10) < 3 else found


def condition(chance: random.Random) -> Q:
    """One random lookup."""
    return chance.choice([_null, _columns, _among, _between, _flag, _number, _text, _text, _date])(chance)


def _null(chance: random.Random) -> Q:
    return Q(**{f"{chance.choice(TEXTS + WHOLES)}__isnull": chance.choice([True, False])})


def _columns(chance: random.Random) -> Q:
    left, right = chance.choice(NULLABLE), chance.choice(NULLABLE)
    return Q(**{f"{left}__{chance.choice(['gt', 'lte', 'exact'])}": F(right)})


def _among(chance: random.Random) -> Q:
    # Never an empty list: what Django makes of a condition that it knows to be empty, inside a union or compared with
    # a column, is wrong on SQL (the union keeps equal rows, the comparison is true of every row).
    return Q(**{f"{chance.choice(WHOLES)}__in": chance.sample(NUMBERS, chance.randint(1, 2))})


def _between(chance: random.Random) -> Q:
    return Q(**{f"{chance.choice(WHOLES)}__range": (1, chance.choice(NUMBERS))})


def _flag(chance: random.Random) -> Q:
    return Q(active=chance.choice([True, False]))


def _number(chance: random.Random) -> Q:
    comparison = chance.choice(["gt", "gte", "lt", "lte", "exact"])
    return Q(**{f"{chance.choice(WHOLES)}__{comparison}": chance.choice(NUMBERS)})


def _text(chance: random.Random) -> Q:
    lookup = chance.choice(["exact", "contains", "icontains", "startswith", "endswith", "iexact", "in", "gt"])
    value = chance.sample(WORDS, 2) if lookup == "in" else chance.choice(WORDS)
    return Q(**{f"{chance.choice(TEXTS)}__{lookup}": value})


def _date(chance: random.Random) -> Q:
    path = chance.choice(["born", "parent__born", "note__written_at"])
    day = chance.choice(DAYS)
    lookups = {"year": day.year, "month__in": [1, day.month], "day__lt": day.day}
    if path != "note__written_at":
        lookups |= {"gte": day, "exact": day}
    else:
        lookups |= {"date": day, "hour": 23}
    name = chance.choice(sorted(lookups))
    return Q(**{f"{path}__{name}": lookups[name]})
