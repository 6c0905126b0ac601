"""Cast(), and values as text."""

from typing import Any

from django.db.models.functions import Cast

from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.lookups import TEXT_TYPES, field_type, internal_type
from coursehub.mongo.expressions.nodes import INTEGERS, expression_for
from coursehub.mongo.expressions.values import literal, strict
from coursehub.mongo.types import Document

DATE_TEXT = {"DateField": "%Y-%m-%d", "DateTimeField": "%Y-%m-%d %H:%M:%S.%L", "TimeField": "%H:%M:%S.%L"}


@expression_for(Cast)
def cast(compiler: Any, node: Cast) -> Any:
    (source,) = node.get_source_expressions()
    operand, target = compiler.operand(source), field_type(node.output_field)
    if target in TEXT_TYPES:
        text = as_text(operand, source)
        longest = node.output_field.max_length
        return text if longest is None else strict([text], lambda t: {"$substrCP": [t, 0, longest]})
    if target in INTEGERS:
        # Text goes through a number, since "1.0" is an integer to SQL; a fraction is cut off.
        number = (lambda x: {"$toDouble": x}) if internal_type(source) in TEXT_TYPES else lambda x: x
        return strict([operand], lambda x: {"$toLong": number(x)})
    if target == "DecimalField":
        places = node.output_field.decimal_places
        rounded = (lambda x: {"$round": [x, places]}) if places is not None else lambda x: x
        return strict([operand], lambda x: rounded({"$toDecimal": x}))
    if target == "FloatField":
        return strict([operand], lambda x: {"$toDouble": x})
    if target == "BooleanField":
        return strict([operand], lambda x: {"$toBool": x})
    return _temporal(node, source, operand, target)


def _temporal(node: Cast, source: Any, operand: Any, target: str) -> Any:
    origin = internal_type(source)
    if target == origin or (target == "DateTimeField" and origin == "DateField"):
        return operand
    if origin in TEXT_TYPES and target in ("DateField", "DateTimeField"):
        return strict([operand], lambda x: {"$toDate": x})
    if target == "DateField" and origin == "DateTimeField":
        return strict([operand], lambda x: {"$dateTrunc": {"date": x, "unit": "day"}})
    if target == "TimeField" and origin == "DateTimeField":
        return strict([operand], on_the_first_of_1900)
    if target == "DurationField" and origin in INTEGERS:
        return operand
    raise not_supported(f"Cast from {origin or 'an unknown type'} to {target}")


def on_the_first_of_1900(moment: Any) -> Document:
    """The time of day of `moment`, in the form in which times are stored."""
    parts = {unit: {f"${unit}": moment} for unit in ("hour", "minute", "second", "millisecond")}
    return {"$dateFromParts": {"year": 1900, "month": 1, "day": 1, **parts}}


def as_text(operand: Any, node: Any) -> Any:
    """`operand` as SQL would print it; NULL stays NULL."""
    kind = internal_type(node)
    if kind in TEXT_TYPES or operand is None:
        return operand
    if kind in DATE_TEXT:
        shape = DATE_TEXT[kind]
        return strict([operand], lambda x: {"$dateToString": {"date": x, "format": literal(shape)}})
    if kind in ("BooleanField", "NullBooleanField"):
        return strict([operand], lambda x: {"$cond": [x, "1", "0"]})
    if kind in ("JSONField", "BinaryField"):
        raise not_supported(f"Text of a {kind}")
    return strict([operand], lambda x: {"$toString": x})
