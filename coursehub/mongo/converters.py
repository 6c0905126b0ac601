"""Values between Python and BSON, for the types that BSON does not have."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Any

from bson.decimal128 import Decimal128
from django.conf import settings
from django.db import DataError
from django.utils import timezone

_NO_DAY = datetime.date(1900, 1, 1)  # the day on which Djongo stores times of day
_PLAIN_JSON = (str, bool, int, float, type(None))


def in_milliseconds(value: datetime.datetime) -> datetime.datetime:
    """`value` without what a BSON date cannot hold, so that what is read back equals what was written."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def datetime_to_bson(value: datetime.datetime | None) -> datetime.datetime | None:
    """A naive UTC datetime in milliseconds. A naive `value` is UTC already.

    Raises ValueError for an aware value when USE_TZ is off, as Django's other backends do.
    """
    if value is None or hasattr(value, "resolve_expression"):
        return value
    if timezone.is_aware(value):
        if not settings.USE_TZ:
            raise ValueError("MongoDB backend does not support timezone-aware datetimes when USE_TZ is False.")
        value = value.astimezone(datetime.UTC)
    # What a BSON date cannot hold goes, so that what is read back equals what was written.
    return value.replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)


def date_to_bson(value: Any) -> Any:
    """Midnight of that day (datetime.date); None and expressions as they are."""
    if value is None or hasattr(value, "resolve_expression"):
        return value
    return datetime.datetime(value.year, value.month, value.day)


def time_to_bson(value: Any) -> Any:
    """That time (datetime.time, or its text) on 1 January 1900; None and expressions as they are.

    Raises ValueError for an aware time.
    """
    if value is None or hasattr(value, "resolve_expression"):
        return value
    if isinstance(value, str):
        value = datetime.time.fromisoformat(value)
    if timezone.is_aware(value):
        raise ValueError("MongoDB backend does not support timezone-aware times.")
    return in_milliseconds(datetime.datetime.combine(_NO_DAY, value))


def decimal_to_bson(number: Any) -> Decimal128 | None:
    """A Decimal128; raises DataError beyond its 34 digits."""
    if number is None:
        return None
    try:
        return Decimal128(number if isinstance(number, decimal.Decimal) else str(number))
    except decimal.DecimalException as error:
        raise DataError(f"Decimal128 holds 34 digits, too few for {number}") from error


def rounded_decimal(value: Decimal128, max_digits: int | None, decimal_places: int | None) -> Decimal128:
    """As many places as the column has, as SQL would store it. Raises DataError for more digits than it has.

    Only for what is written: rounding what is searched for would find other rows.
    """
    number = value.to_decimal()
    if decimal_places is None or not number.is_finite():
        return value
    try:
        number = number.quantize(decimal.Decimal(1).scaleb(-decimal_places), context=decimal.Context(prec=34))
    except decimal.InvalidOperation as error:
        raise DataError(f"{number} has more digits than a column can hold") from error
    if max_digits is not None and number.adjusted() >= max_digits - decimal_places and number:
        raise DataError(f"{number} has more than {max_digits} digits")
    return Decimal128(number)


def as_stored(field: Any, value: Any) -> Any:
    """A value prepared for the database as the column of `field` keeps it."""
    if isinstance(value, Decimal128) and field.get_internal_type() == "DecimalField":
        return rounded_decimal(value, field.max_digits, field.decimal_places)
    return value


def json_to_bson(value: Any, encoder: type[json.JSONEncoder] | None) -> Any:
    """`value` as JSON sees it (text keys, lists for tuples, what `encoder` makes of the rest).

    Raises TypeError for what the encoder does not know, as `json.dumps` does.
    """
    if isinstance(value, _PLAIN_JSON) and type(value) in _PLAIN_JSON:
        return value
    return json.loads(json.dumps(value, cls=encoder))


def aware_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    """Only for USE_TZ: without it a datetime is what it is stored as."""
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=datetime.UTC)
    return value


def date_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def time_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return value.time() if isinstance(value, datetime.datetime) else value


def uuid_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return uuid.UUID(value) if isinstance(value, str) else value


def boolean_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return bool(value) if isinstance(value, (int, float)) else value


def integer_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    """Division and averages give floats where Django expects whole numbers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.to_decimal() if isinstance(value, Decimal128) else value


def float_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return float(value.to_decimal()) if isinstance(value, Decimal128) else value


def decimal_from_bson(value: Any) -> Any:
    """A Decimal from what the server computed or stored."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, float):
        return decimal.Context(prec=15).create_decimal_from_float(value)
    return decimal.Decimal(value) if isinstance(value, int) else value


def json_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    """The text that JSONField expects from a database; it parses it with the field's own decoder."""
    return None if value is None else json.dumps(value, default=_json_extra)


def _json_extra(value: Any) -> Any:
    """What other programs may have put into a JSON column."""
    if isinstance(value, Decimal128):
        return float(value.to_decimal())
    return str(value)


def column_decimal_from_bson(decimal_places: int) -> Any:
    """A converter for a DecimalField column: as many places as the field shows."""
    quantum = decimal.Decimal(1).scaleb(-decimal_places)
    context = decimal.Context(prec=34)

    def convert(value: Any, expression: Any, connection: Any) -> Any:
        value = decimal_from_bson(value)
        return value if value is None or not value.is_finite() else value.quantize(quantum, context=context)

    return convert


def computed_decimal_from_bson(value: Any, expression: Any, connection: Any) -> Any:
    return decimal_from_bson(value)


# By internal type of the field: for columns and computed values alike, and for computed values only
# (a column holds what was written to it, so it needs no second look).
ALWAYS = {
    "DateField": date_from_bson,
    "DateTimeField": aware_from_bson,
    "TimeField": time_from_bson,
    "UUIDField": uuid_from_bson,
    "JSONField": json_from_bson,
}
COMPUTED = {
    "BooleanField": boolean_from_bson,
    "DecimalField": computed_decimal_from_bson,
    "FloatField": float_from_bson,
    **dict.fromkeys(
        (
            *("AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField"),
            *("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField", "DurationField"),
        ),
        integer_from_bson,
    ),
}
