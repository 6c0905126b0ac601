"""Values that are stored just as they are, which is what most columns of most rows hold.

To prepare a value Django asks five methods of its field, one after the other; for these they all answer the value
itself. Only for exactly these classes and types: what a subclass makes of a value is its own affair.
"""

from __future__ import annotations

from django.db import models

from coursehub.mongo.types import AnyField

_STORED: dict[type[AnyField], type] = {
    **dict.fromkeys((models.CharField, models.EmailField, models.SlugField, models.TextField, models.URLField), str),
    **dict.fromkeys((models.AutoField, models.BigAutoField, models.SmallAutoField), int),
    **dict.fromkeys((models.IntegerField, models.BigIntegerField, models.SmallIntegerField), int),
    models.PositiveIntegerField: int,
    models.PositiveBigIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.BooleanField: bool,
    models.FloatField: float,
}
_KEYS = (models.ForeignKey, models.OneToOneField)


def stored_type(field: AnyField) -> type | None:
    """The type whose values a column of `field` keeps as they are; None if it has none."""
    while type(field) in _KEYS:
        field = field.target_field
    return _STORED.get(type(field))
