"""The rows of a batch, a page at a time, and any page as quickly as the first.

Their lines have gaps, so a page cannot be told from its number. Its lines are read from the keys of an index alone,
from the nearer end, and only the rows of the page itself are fetched. A search reads each row of the batch once, since
what is typed may stand anywhere in an address or a name; it ends after `MOST_FOUND` rows or `SEARCH_MILLISECONDS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils import timezone
from pymongo.errors import ExecutionTimeout

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation
from invitations.selectors import search
from invitations.selectors.row_choice import BAD, Choice, Order
from invitations.selectors.search import SearchRefused

MOST_FOUND = 10_000
SEARCH_MILLISECONDS = 3_000
_ONLY_LINE = {"_id": 0, "line": 1}


@dataclass(frozen=True)
class _Part:
    """Rows of a batch that one index has in order of their lines: all, or those of one state."""

    wanted: dict[str, Any]
    count: int

    def lines(self, first: int, end: int) -> list[int]:
        """Of these rows, counted from 0, the lines of those from `first` to before `end`."""
        index = [(name, 1) for name in (*self.wanted, "line")]
        # Without the hint MongoDB would try other plans anew for each far page, which takes longer than the page does.
        found = outside_transaction(Invitation).find(self.wanted, _ONLY_LINE).hint(index)
        if first + end <= self.count:
            return [row["line"] for row in found.sort("line", 1).skip(first).limit(end - first)]
        backwards = found.sort("line", -1).skip(self.count - end).limit(end - first)
        return [row["line"] for row in backwards][::-1]


class _Rows:
    """What a paginator needs of rows: how many they are, and any slice of them."""

    def __init__(self, batch: Batch, total: int, lines: Callable[[int, int], list[int]]) -> None:
        self._batch, self._total, self._lines = batch, total, lines

    def count(self) -> int:
        return self._total

    def __getitem__(self, wanted: slice) -> list[Invitation]:
        lines = self._lines(wanted.start, wanted.stop)
        found = {row.line: row for row in Invitation.objects.filter(batch=self._batch, line__in=lines)}
        return [found[line] for line in lines if line in found]


def page_of(
    batch: Batch, choice: Choice, number: str | None, counts: Mapping[str, int]
) -> "tuple[Page[Invitation], bool]":
    """The page of that number (nonsense: the first; past the end: the last), and whether a search found more rows.

    `counts` are the batch's rows per state. Raises SearchRefused.
    """
    if choice.search:
        found = _search(batch, choice)
        lines = found[:MOST_FOUND]
        rows = _Rows(batch, len(lines), lambda first, end: lines[first:end])
        return _page(rows, choice, number), len(found) > MOST_FOUND
    parts = _parts(batch, choice, counts)
    rows = _Rows(batch, sum(part.count for part in parts), partial(_lines, parts))
    return _page(rows, choice, number), False


def empty(choice: Choice) -> "Page[Invitation]":
    """The one page of no rows."""
    return _page(_Rows(Batch(), 0, lambda first, end: []), choice, None)


def access_of(row: Invitation) -> str:
    """Until when the learner of a row has access, in words; "" for a row that could not be used."""
    if not row.access_expires_at:
        return "" if row.state == Invitation.State.INVALID else "no end"
    return f"until {last_day(row.access_expires_at):%d %b %Y}"


def last_day(ends_at: datetime) -> date:
    """The last day of an access that ends at this moment: as the file names it, where it ends at midnight."""
    return timezone.localtime(ends_at - timedelta(microseconds=1)).date()


def course_names(batch: Batch, rows: "Page[Invitation]") -> dict[str, str]:
    """Course id -> the name of the course, for the courses of these rows."""
    ids = {row.course_id for row in rows if row.course_id}
    if batch.course_id and ids <= {batch.course_id}:
        return {batch.course_id: batch.course_name}
    return dict(Course.objects.filter(course_id__in=ids).values_list("course_id", "name"))


def _page(rows: _Rows, choice: Choice, number: str | None) -> "Page[Invitation]":
    paginator: Paginator[Invitation] = Paginator(rows, choice.size)  # type: ignore[arg-type]  # it slices, no more
    return paginator.get_page(number)


def _parts(batch: Batch, choice: Choice, counts: Mapping[str, int]) -> list[_Part]:
    of_batch = {"batch_id": batch.pk.hex}
    if not choice.state and choice.order == Order.LINE:
        return [_Part(of_batch, sum(counts.values()))]
    others = [state for state in Invitation.State.values if state not in BAD]
    states = [choice.state] if choice.state else [*BAD, *others]
    return [_Part({**of_batch, "state": state}, counts[state]) for state in states if counts.get(state)]


def _lines(parts: Sequence[_Part], first: int, end: int) -> list[int]:
    """Of the rows of one part after the other, counted from 0, the lines of those from `first` to before `end`."""
    lines: list[int] = []
    for part in parts:
        if first < part.count and end > 0:
            lines += part.lines(max(first, 0), min(end, part.count))
        first, end = first - part.count, end - part.count
    return lines


def _search(batch: Batch, choice: Choice) -> list[int]:
    """The lines of the rows that are sought, in the order that is chosen; at most one more than MOST_FOUND."""
    wanted: Mapping[str, Any] = {
        "batch_id": batch.pk.hex,
        **({"state": choice.state} if choice.state else {}),
        **search.learners(search.words_of(choice.search)),
    }
    found = outside_transaction(Invitation).find(wanted, {**_ONLY_LINE, "state": 1}).sort("line", 1)
    try:
        rows = list(found.limit(MOST_FOUND + 1).max_time_ms(SEARCH_MILLISECONDS))
    except ExecutionTimeout as error:
        raise SearchRefused(search.TOO_SLOW) from error
    if choice.order == Order.BAD_FIRST:
        rank = {state: place for place, state in enumerate(BAD)}
        rows.sort(key=lambda row: rank.get(row["state"], len(rank)))
    return [row["line"] for row in rows]
