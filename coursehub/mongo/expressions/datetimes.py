"""Parts and truncation of dates and times, in the time zone that Django asks for.

Stored are: datetimes in UTC, dates as midnight, times as a moment of 1900-01-01 (the last two without a zone).
"""

from typing import Any

from django.db.models.fields import DateField, DateTimeField, DurationField, TimeField
from django.db.models.functions import Extract, Now, Trunc, TruncDate, TruncTime
from django.db.models.functions.datetime import TruncBase

from coursehub.mongo.expressions.casts import on_the_first_of_1900
from coursehub.mongo.expressions.dispatch import not_supported
from coursehub.mongo.expressions.nodes import expression_for
from coursehub.mongo.expressions.values import strict
from coursehub.mongo.types import Document

PARTS = {
    **{"year": "$year", "iso_year": "$isoWeekYear", "month": "$month", "day": "$dayOfMonth", "week": "$isoWeek"},
    **{"week_day": "$dayOfWeek", "iso_week_day": "$isoDayOfWeek", "hour": "$hour", "minute": "$minute"},
    **{"second": "$second"},
}
UNITS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}


@expression_for(Now)
def now(compiler: Any, node: Now) -> str:
    return "$$NOW"


@expression_for(Extract)
def extract(compiler: Any, node: Extract) -> Any:
    field = node.lhs.output_field
    if isinstance(field, DurationField):
        raise ValueError("Extract requires native DurationField database support.")
    zone = _zone(node, field)
    return strict([compiler.operand(node.lhs)], lambda moment: _part(node, {"date": moment, **zone}))


def _part(node: Extract, moment: Document) -> Any:
    if node.lookup_name == "quarter":
        return {"$toInt": {"$ceil": {"$divide": [{"$month": moment}, 3]}}}
    if node.lookup_name not in PARTS:
        raise not_supported(f"Extract of {node.lookup_name}")
    part = {PARTS[node.lookup_name]: moment}
    return {"$toInt": part} if node.lookup_name == "iso_year" else part


def _zone(node: Any, field: Any) -> Document:
    if isinstance(field, DateTimeField):
        name = node.get_tzname()
        return {"timezone": _offset(name)} if name else {}
    if node.tzinfo is not None:
        raise ValueError("tzinfo can only be used with DateTimeField.")
    return {}


def _offset(name: str) -> str:
    """Django writes fixed offsets as UTC+05:30, MongoDB as +05:30."""
    bare = name.removeprefix("UTC")
    return bare if bare[:1] in ("+", "-") else name


def _wall_clock(moment: Any, zone: Document) -> Any:
    """`moment` as the clock on the wall of the zone shows it, as if that were UTC."""
    if not zone:
        return moment
    parts = {"$dateToParts": {"date": moment, **zone}}
    names = ("year", "month", "day", "hour", "minute", "second", "millisecond")
    fields = {name: f"$$parts.{name}" for name in names}
    return {"$let": {"vars": {"parts": parts}, "in": {"$dateFromParts": fields}}}


@expression_for(TruncBase, Trunc)
def truncate(compiler: Any, node: TruncBase) -> Any:
    zone = _zone(node, node.lhs.output_field)
    field = node.output_field
    if not isinstance(field, DateField | TimeField):
        raise ValueError("Trunc only valid on DateField, TimeField, or DateTimeField.")
    if node.kind not in UNITS:
        raise not_supported(f"Trunc to {node.kind}")
    unit = {"unit": node.kind, **({"startOfWeek": "monday"} if node.kind == "week" else {})}

    def cut(moment: Any) -> Any:
        cut_off = {"$dateTrunc": {"date": _wall_clock(moment, zone), **unit}}
        if isinstance(field, TimeField) and isinstance(node.lhs.output_field, DateTimeField):
            return on_the_first_of_1900(cut_off)
        if isinstance(field, DateField) and not isinstance(field, DateTimeField):
            return {"$dateTrunc": {"date": cut_off, "unit": "day"}}
        return cut_off

    return strict([compiler.operand(node.lhs)], cut)


@expression_for(TruncDate)
def date_of(compiler: Any, node: TruncDate) -> Any:
    zone = _zone(node, node.lhs.output_field)
    operand = compiler.operand(node.lhs)
    return strict([operand], lambda moment: {"$dateTrunc": {"date": _wall_clock(moment, zone), "unit": "day"}})


@expression_for(TruncTime)
def time_of(compiler: Any, node: TruncTime) -> Any:
    zone = _zone(node, node.lhs.output_field)
    return strict([compiler.operand(node.lhs)], lambda moment: on_the_first_of_1900(_wall_clock(moment, zone)))
