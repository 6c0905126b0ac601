"""Walking through a list whose rows move while it is read, a page at a time."""

from collections.abc import Callable

from coursehub.trainercentral import errors
from coursehub.trainercentral.records import Member, MemberPage

# Each page begins this many rows before the end of the one before: rows that so many others left behind
# (removed, or moved to the other end) are not skipped.
OVERLAP_ROWS = 5
# When even that was not enough: so many steps back, each twice as long as the one before.
_STEPS_BACK = 3
# A full page that holds nothing new is no end: many rows may have come in before it.
_PAGES_WITHOUT_NEWS = 2
# A page that begins where the one before began is chance once (as many rows came in before it), and no more often.
_PAGES_THAT_STAND_STILL = 1


class Walk:
    """The pages of a list from row `start` to its end, in the order that `read(start)` gives.

    `known` are the ids of those seen so far, here or by whoever walked to `start`.
    """

    def __init__(self, read: Callable[[int], MemberPage], *, start: int = 0, known: set[str] | None = None) -> None:
        self._read = read
        self.start = start
        self.known: set[str] = known if known is not None else set()
        self.has_gap = False  # rows may have been skipped, and could not be found again
        self.page_rows = 0  # the largest page
        self.row_count = start  # of the list, as far as it was read
        self._steps_back = self._without_news = 0
        self._overlaps = bool(self.known)
        self._first_of_last_page, self._last_advance = "", 0
        self._standing_still = 0

    def next_page(self) -> list[Member] | None:
        """The next rows, those of the overlap included; None at the end. Raises what `read` raises.

        A page without a row of the one before means that rows moved out of between: it is dropped, [] is
        returned, and the next page begins further back.
        """
        page = self._read(self.start)
        members = page.members
        if self._skipped_rows(members):
            if self._steps_back < _STEPS_BACK:
                self._steps_back += 1
                self.start = max(0, self.start - OVERLAP_ROWS * 2**self._steps_back)
                return []
            self.has_gap = True
        if not page.row_count:
            return None
        return self._take(page)

    def _skipped_rows(self, members: list[Member]) -> bool:
        return self._overlaps and not (members and members[0].member_id in self.known)

    def _take(self, page: MemberPage) -> list[Member] | None:
        first = page.members[0].member_id if page.members else ""
        stands_still = first and first == self._first_of_last_page and self._last_advance > OVERLAP_ROWS
        self._standing_still = self._standing_still + 1 if stands_still else 0
        if self._standing_still > _PAGES_THAT_STAND_STILL:
            raise errors.Unexpected("The server pays no heed to the row at which a page begins.")
        is_short = page.row_count < self.page_rows
        self.page_rows = max(self.page_rows, page.row_count)
        self.row_count = max(self.row_count, self.start + page.row_count)
        new = {member.member_id for member in page.members} - self.known
        self._without_news = 0 if new else self._without_news + 1
        if not new and (is_short or self._without_news > _PAGES_WITHOUT_NEWS):
            return None
        if new:
            self._steps_back = 0
        self.known |= new
        self._first_of_last_page, self._last_advance = first, max(1, page.row_count - OVERLAP_ROWS)
        self._overlaps = page.row_count > self._last_advance
        self.start += self._last_advance
        return page.members
