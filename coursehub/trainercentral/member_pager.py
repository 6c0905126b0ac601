"""Walking through a course's members, a page at a time, while their rows move. Knows no framework.

How a walk ends: at a page that holds nothing new, and is empty or shorter than one before. A short page with news is
no end, since the server may cap a page silently, or leave rows out of it after it counted them: a course of 12 learners
costs two calls, one of 230 four with pages of 100.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from coursehub.trainercentral import errors
from coursehub.trainercentral.records import Member, MemberPage

# Each page begins this many rows before the end of the one before: rows that so many others left behind
# (removed, or moved to the other end) are not skipped.
OVERLAP_ROWS = 5
# When even that was not enough: so many steps back, each twice as long as the one before.
_STEPS_BACK = 3
# A full page that holds nothing new is no end: many rows may have come in before it. So many in a row are no chance.
_PAGES_WITHOUT_NEWS = 2
# A page that begins where the one before began is chance once (as many rows came in before it), and no more often.
_PAGES_THAT_STAND_STILL = 1


@dataclass(frozen=True)
class Place:
    """Where a walk stands: all that another process needs to go on. Fits into a document (`document`, `Place.of`)."""

    start: int = 0
    learners: int = 0  # seen so far; where rows moved, one may be counted twice
    page_rows: int = 0  # of the largest page
    last_ids: tuple[str, ...] = ()  # the rows of the last page; the next page is to begin with that at `advance`
    advance: int = 0
    has_gap: bool = False  # rows may have been skipped, and could not be found again
    has_moved: bool = False  # a page did not begin with the row that was expected: another may have passed unseen
    steps_back: int = 0
    without_news: int = 0
    standing_still: int = 0

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Place":
        """What was kept of a place; of nothing: the begin of the list."""
        return cls(**document | {"last_ids": tuple(document.get("last_ids", ()))})

    @property
    def document(self) -> dict[str, Any]:
        """As JSON may hold it."""
        return asdict(self) | {"last_ids": list(self.last_ids)}

    @property
    def repeats(self) -> bool:
        """Whether the server gave rows again instead of going on: a walk that ended so has one page to go by."""
        return self.standing_still >= _PAGES_THAT_STAND_STILL or self.without_news >= _PAGES_WITHOUT_NEWS

    @property
    def is_orderly(self) -> bool:
        """Whether a walk that ended here has seen every row, so that who was in none of its pages is absent."""
        return not (self.has_gap or self.has_moved)


class Walk:
    """The pages of a list from `place` to its end, in the order that `read(start)` gives.

    `known` are the ids of those seen so far, here or by whoever walked to `place`. A server that has given
    `proven_rows` in one page, in whatever list, shows a shorter list in its first page, even if it can show no second.
    """

    def __init__(
        self,
        read: Callable[[int], MemberPage],
        place: Place | None = None,
        *,
        known: set[str] | None = None,
        proven_rows: int = 0,
    ) -> None:
        self._read, self._proven_rows = read, proven_rows
        self.place = place or Place()
        self.known: set[str] = set(self.place.last_ids) if known is None else known
        self.row_count = self.place.start  # of the list, as far as it was read
        self._overlaps = len(self.place.last_ids) > self.place.advance if self.place.last_ids else bool(self.known)

    def next_page(self) -> list[Member] | None:
        """The next learners, those of the overlap included; None at the end. Raises NotPaged and what `read` raises.

        A page without a row of the one before means that rows moved out of between: it is dropped, [] is
        returned, and the next page begins further back.
        """
        page, place = self._read(self.place.start), self.place
        ids = page.row_ids or tuple(member.member_id for member in page.members)
        if self._overlaps and not (ids and ids[0] in self.known):
            place = replace(place, has_moved=True)
            if place.steps_back < _STEPS_BACK:
                steps_back = place.steps_back + 1
                start = max(0, place.start - OVERLAP_ROWS * 2**steps_back)
                self.place = replace(place, start=start, steps_back=steps_back)
                return []
            place = replace(place, has_gap=True)
        self.place = place
        return self._take(page, ids) if page.row_count else None

    def _take(self, page: MemberPage, ids: tuple[str, ...]) -> list[Member] | None:
        place, new = self.place, set(ids) - self.known
        self.row_count = max(self.row_count, place.start + page.row_count)
        if not new and page.row_count < place.page_rows:
            self.place = replace(place, has_moved=place.has_moved or self._moved(ids))
            return None
        if self._repeats(ids, has_news=bool(new)):
            if not place.learners <= place.page_rows < self._proven_rows:
                raise errors.NotPaged("the server pays no heed to the row at which a page begins")
            self.place = replace(place, has_gap=False, has_moved=False)  # all of it was in the first page
            return None
        advance = max(1, page.row_count - OVERLAP_ROWS)
        self.known |= new
        self._overlaps = page.row_count > advance
        self.place = replace(
            place,
            start=place.start + advance,
            learners=place.learners + len(new.intersection(member.member_id for member in page.members)),
            page_rows=max(place.page_rows, page.row_count),
            last_ids=ids,
            advance=advance,
            has_moved=place.has_moved or self._moved(ids),
            steps_back=0 if new else place.steps_back,
            without_news=0 if new else place.without_news + 1,
            standing_still=place.standing_still + 1 if self._stands_still(ids) else 0,
        )
        return page.members

    def _repeats(self, ids: tuple[str, ...], *, has_news: bool) -> bool:
        stands_still = self._stands_still(ids) and self.place.standing_still >= _PAGES_THAT_STAND_STILL
        return stands_still or (not has_news and self.place.without_news >= _PAGES_WITHOUT_NEWS)

    def _stands_still(self, ids: tuple[str, ...]) -> bool:
        return bool(ids) and ids[:1] == self.place.last_ids[:1] and self.place.advance > OVERLAP_ROWS

    def _moved(self, ids: tuple[str, ...]) -> bool:
        expected = self.place.last_ids[self.place.advance :][:1]
        return bool(expected) and ids[:1] != expected
