"""Reading only what is new: by TrainerCentral's order by time, down to what was known before.

Which end that order begins with is not documented, nor whether `time` moves with progress. So the first
is looked at in every page, and the second is proven by full reads (see `poller`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from coursehub.models import Course
from coursehub.trainercentral.member_pager import OVERLAP_ROWS, Place, Walk
from coursehub.trainercentral.records import Member, MemberPage
from progress.polling.poll_lease import Lease

Order = Course.Order

# Rows of the last two minutes are read again: the server may show a change a little after one that is newer.
OVERLAP_MS = 120_000
# More pages than this hold more news than is worth reading one by one: then the course is read in full.
_PAGES_MAX = 3
# How far before the end of a list that begins with the oldest its newest are looked for.
_TAIL_ROWS = 20


@dataclass(frozen=True)
class Look:
    """What the order by time showed. Everything that it can show of the time since the watermark: `is_complete`."""

    order: Order
    top_ms: int  # the newest time
    is_complete: bool


class Pages:
    """The pages read so far, judged."""

    def __init__(self, lease: Lease) -> None:
        self.order = Order(lease.order)
        self.top_ms = 0
        self.floor_ms = None if lease.watermark_ms is None else lease.watermark_ms - OVERLAP_MS
        self.lowest_ms: int | None = None
        self.holds = True

    def take(self, members: Sequence[Member]) -> None:
        """Note the next page; the order no longer `holds` when a page says otherwise."""
        times = [member.time_ms for member in members]
        if not times:
            return
        found = order_of(times)
        if 0 in times or (found is None and len(set(times)) > 1):
            self.holds = False
        elif found is not None:
            self.holds = self.holds and self.order in (Order.UNKNOWN, found)
            self.order = found
        self.top_ms = max(self.top_ms, *times)
        self.lowest_ms = min(times) if self.lowest_ms is None else min(self.lowest_ms, *times)

    @property
    def reach_the_watermark(self) -> bool:
        return self.floor_ms is not None and self.lowest_ms is not None and self.lowest_ms < self.floor_ms


def order_of(times: Sequence[int]) -> Order | None:
    """Which order these times are in; None when they are in none, or all the same."""
    pairs = list(pairwise(times))
    falling, rising = all(a >= b for a, b in pairs), all(a <= b for a, b in pairs)
    if falling == rising:
        return None
    return Order.NEWEST_FIRST if falling else Order.OLDEST_FIRST


def look(lease: Lease, read: Callable[[int], MemberPage]) -> Look:
    """Read the newest rows; `read(start)` gives (and stores) a page of the order by time."""
    pages = Pages(lease)
    from_the_end = pages.order == Order.OLDEST_FIRST
    is_covered = _from_the_end(lease, read, pages) if from_the_end else _from_the_top(read, pages)
    order = pages.order if pages.holds else Order.UNKNOWN
    is_complete = is_covered and order != Order.UNKNOWN and pages.floor_ms is not None
    return Look(order, pages.top_ms or lease.watermark_ms or 0, is_complete)


def _from_the_top(read: Callable[[int], MemberPage], pages: Pages) -> bool:
    """Whether all rows since the watermark were read."""
    walk = Walk(read)
    for _ in range(_PAGES_MAX):
        members = walk.next_page()
        if members is None:
            return not walk.place.has_gap
        pages.take(members)
        if pages.order != Order.NEWEST_FIRST or not pages.holds or pages.floor_ms is None or pages.reach_the_watermark:
            break
    return pages.reach_the_watermark


def _from_the_end(lease: Lease, read: Callable[[int], MemberPage], pages: Pages) -> bool:
    """As `_from_the_top`: forward from shortly before where the list ended last, then page by page backward."""
    begin = max(0, lease.rows - _TAIL_ROWS)
    walk = Walk(read, Place(start=begin))
    for _ in range(_PAGES_MAX):
        members = walk.next_page()
        if members is None:
            break
        pages.take(members)
    else:
        return False  # it has grown too much to be read this way
    if not walk.known or walk.place.has_gap:
        return False
    for _ in range(_PAGES_MAX):
        if begin == 0 or not pages.holds or pages.reach_the_watermark:
            break
        begin = max(0, begin - walk.place.page_rows + OVERLAP_ROWS)
        pages.take(read(begin).members)
    return begin == 0 or pages.reach_the_watermark
