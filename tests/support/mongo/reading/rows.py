"""The same random rows in the engine and in SQLite."""

import datetime
import random

from django.db.transaction import atomic

from .models import Note, Person, Tag
from .tables import REFERENCE

# No capitals: SQLite's LIKE is blind to case where Django's `contains` is not.
WORDS = ["ada", "bea", "cid", "a.b", "x", "", "%", "a_b", "$name"]
NUMBERS = [0, 1, 2, 3, 5]
DAYS = [datetime.date(2024, 1, 31), datetime.date(2024, 2, 1), datetime.date(1969, 12, 31)]
MOMENTS = [
    datetime.datetime(2024, 1, 31, 23, 30, tzinfo=datetime.UTC),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=datetime.UTC),
]
_PEOPLE_MAX, _NOTES_MAX = 9, 9


def fill(chance: random.Random) -> None:
    """Replace all rows of both databases by new random ones."""
    people = [_person(chance, number) for number in range(1, chance.randint(1, _PEOPLE_MAX) + 1)]
    notes = [_note(chance, number, len(people)) for number in range(1, chance.randint(0, _NOTES_MAX) + 1)]
    tags = [Tag(pk=number, label=word) for number, word in enumerate(WORDS[:4], start=1)]
    links = {(chance.randint(1, len(tags)), chance.randint(1, len(people))) for _ in range(chance.randint(0, 8))}
    through = Tag.people.through
    joins = [through(pk=n, tag_id=tag, person_id=person) for n, (tag, person) in enumerate(sorted(links), start=1)]
    for alias in ("default", REFERENCE):
        with atomic(using=alias):  # SQLite checks foreign keys at its end
            for model, objects in ((Person, people), (Note, notes), (Tag, tags), (through, joins)):
                rows = model.objects.using(alias)
                rows._raw_delete(alias)  # without collecting the rows that refer to these: they are replaced too
                rows.bulk_create(objects)


def _maybe(chance: random.Random, values):
    return chance.choice([*values, None])


def _person(chance: random.Random, number: int) -> Person:
    return Person(
        pk=number,
        name=chance.choice(WORDS),
        nickname=_maybe(chance, WORDS),
        age=_maybe(chance, NUMBERS),
        active=chance.choice([True, False]),
        born=_maybe(chance, DAYS),
        parent_id=_maybe(chance, range(1, number)) if number > 1 else None,
    )


def _note(chance: random.Random, number: int, people: int) -> Note:
    return Note(
        pk=number,
        person_id=chance.randint(1, people),
        editor_id=_maybe(chance, range(1, people + 1)),
        text=chance.choice(WORDS),
        size=_maybe(chance, NUMBERS),
        written_at=_maybe(chance, MOMENTS),
    )
