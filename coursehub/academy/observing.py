"""What daily work sees by the way, turned into facts. Nothing here raises: the work itself matters more."""

import logging
from typing import Any

from pymongo.errors import PyMongoError

from coursehub.academy import profiles

logger = logging.getLogger(__name__)

# Two paces this near to one another are the same.
_SAME_PACE = 0.2


def pages_seen(*, asked: int, largest: int, rows: int) -> None:
    """A list of `rows` rows was read whole, `asked` of them per page; the largest page that came had `largest`."""
    known = profiles.profile().page_cap
    if largest > (profiles.value_of("largest_page") or 0):
        _note("largest_page", largest)
    if largest < asked and rows > largest:
        _note("page_cap", largest)
    elif known is not None and largest > known:  # it gave more than we took for the most
        _note("page_cap", None)


def order_seen(*, newest_first: bool) -> None:
    """A page of the order by time was in this order."""
    _note("newest_first", newest_first)


def throttled(*, calls_within_a_minute: int) -> None:
    """The academy asked us to slow down, after so many calls of all processes within a minute."""
    known = profiles.value_of("throttled_at_per_minute")
    if calls_within_a_minute < 1 or (known and abs(known - calls_within_a_minute) <= known * _SAME_PACE):
        return
    _note("throttled_at_per_minute", calls_within_a_minute)


def _note(name: str, value: Any) -> None:
    try:
        profiles.note_fact(name, value)
    except PyMongoError as error:
        logger.warning("A fact about the academy was not noted: %s", type(error).__name__)
