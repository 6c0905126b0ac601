"""From a record to a learner with a verdict. Pure: what the database knows comes later (sending.existing_learners)."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from coursehub.emails import LONGEST
from invitations.parsing import dates, emails, headings, names, statuses
from invitations.parsing.courses import Courses
from invitations.parsing.emails import BLANKS, clean, without_text_mark
from invitations.parsing.file_format import Format
from invitations.parsing.leftovers import Leftovers, is_example

LONGEST_NAME = 150
_EXAMPLES_WITHIN_LINES = 5  # below the headings
_COLUMNS = ("email", "first_name", "last_name", "name", "course", "access_expires")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]+")
_LAST_DAY = date.max - timedelta(days=1)  # whose end is a moment that can be told


class Row(NamedTuple):
    """One learner as read; `line` is 1-based in the file.

    `problem` says why the row cannot be invited, `duplicate_of` names the earlier line with the same address for the
    same course (0: none); a good row has neither. `note` is for the eye only.
    """

    line: int
    course_id: str
    email: str
    email_folded: str
    first_name: str
    last_name: str
    access_expires_at: datetime | None = None
    problem: str = ""
    duplicate_of: int = 0
    note: str = ""

    @property
    def good(self) -> bool:
        return not self.problem and not self.duplicate_of


class Judge:
    """Judges the rows of one file, one after the other. What becomes no row is in `leftovers`."""

    def __init__(
        self, columns: Mapping[str, int], courses: Courses, now: datetime, time_zone: str, form: Format | None = None
    ) -> None:
        self._form = form or Format("utf-8", 0, ",", 0, columns=dict(columns))
        self._now, self._zone = now, ZoneInfo(time_zone)
        # A column that the file has not is looked for behind every row, where there is nothing.
        self._width = max(columns.values()) + 1
        self._positions = tuple(columns.get(name, self._width) for name in _COLUMNS)
        self._padding = [""] * (self._width + 1)
        self._find_course = _remembered(courses.find)
        self._find_date = _remembered(self._read_date)
        self._seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._tells_apart = self._form.leaves_out_status
        self._examples_until = self._form.heading_line + _EXAMPLES_WITHIN_LINES
        heading = self._form.heading(columns["name"]) if "name" in columns else ""
        self._last_words, self._is_east_asian = headings.last_names_before_first(heading), heading[:1] > "\u2e80"
        self._name_is_last = "last_name" not in columns and headings.is_last_name_beside_first(heading)
        self.leftovers = Leftovers(self._form)

    def rows(self, records: Iterable[tuple[int, list[str]]]) -> Iterator[Row]:
        """The verdicts on all records that are learners."""
        at = self._positions[0]
        for line, cells in records:
            if (at < len(cells) and "@" in cells[at]) or not self._is_no_learner(line, cells):
                yield self.judge(line, cells)

    def _is_no_learner(self, line: int, cells: list[str]) -> bool:
        filled = cells[: self._width] + self._padding
        return self.leftovers.is_no_learner(line, cells, [filled[at] for at in self._positions[:4]])

    def judge(self, line: int, cells: list[str]) -> Row:
        """The row's verdict, as far as the file alone tells it."""
        filled = cells[: self._width] + self._padding
        email, first, last, whole, course, until = [filled[at].strip(BLANKS) for at in self._positions]
        folded, problem = emails.check(email)
        if problem or email[0] == "'":
            whole = whole or (emails.name_beside(email) if not (first or last) else "")
            email = emails.address_in(email)
            folded, problem = emails.check(email)
        if "\0".join(cells).count("@") > (not problem):
            problem = self._with_others(line, cells, "" if problem else folded, problem)
        if self._tells_apart or line <= self._examples_until:
            problem = problem or self._told_apart(cells, email, first, last, whole)
        course_id, course_problem = self._find_course(without_text_mark(course))
        expires_at, date_problem = self._find_date(without_text_mark(until))
        problem = problem or course_problem or date_problem
        if whole or "@" in first or "@" in last:
            first, last = self._named(first, last, whole)
        note, both = "", first + last
        if not both.isalpha():
            first, last, note = _looked_at(first, last)
            problem = problem or _label_problem(first, last)
        if len(first) > LONGEST_NAME or len(last) > LONGEST_NAME:
            problem = problem or f"The name is longer than {LONGEST_NAME} characters."
            first, last = first[:LONGEST_NAME], last[:LONGEST_NAME]
        first_line = line if problem else self._seen[course_id].setdefault(folded, line)
        return Row(
            line, course_id, email[: LONGEST], folded[: LONGEST], first, last, expires_at,
            problem, first_line if first_line != line else 0, note,
        )  # fmt: skip

    def _named(self, first: str, last: str, whole: str) -> tuple[str, str]:
        """First and last name, of which a column for both may hold what the others do not; no addresses."""
        first, last, whole = map(names.without_address, (first, last, without_text_mark(whole)))
        if first and whole and not last:
            last = names.rest(whole, first, is_last=self._name_is_last)
        elif whole and not first:
            last_words = 0 if self._is_east_asian and whole.isascii() else self._last_words
            first, last = _parted(whole, last, last_words)
        return first, last

    def is_past(self, cell: str) -> bool:
        """Whether the cell names a day, and that day is over."""
        day = dates.day_in(cell, day_first=self._form.day_first)[0]
        return day is not None and self._end_of(day) <= self._now

    def _with_others(self, line: int, cells: list[str], own: str, problem: str) -> str:
        """`problem`, and where else in the record an address stands."""
        heading = self.leftovers.note_unread(line, cells, own)
        return f"{problem.rstrip('.')}; “{heading[:60]}” holds one." if problem and heading else problem

    def _told_apart(self, cells: list[str], email: str, first: str, last: str, whole: str) -> str:
        """Why a good address is no learner to invite, as far as the record says it."""
        at = self._form.status_column
        if self._form.leaves_out_status and at is not None and statuses.is_out(value := "".join(cells[at : at + 1])):
            return f"Left out: “{self._form.heading(at)[:60]}” is “{clean(value)[:40]}”."
        if is_example(self._form, email, first, last, whole):
            return "This is the example row of a template: take it out, or write a learner in its place."
        return ""

    def _read_date(self, cell: str) -> tuple[datetime | None, str]:
        """The end of the day that the cell names, and what is wrong with it."""
        if not cell:
            return None, ""
        day, problem = dates.day_in(cell, day_first=self._form.day_first)
        if day is None:
            return None, problem
        ends_at = self._end_of(day)
        if ends_at <= self._now:
            return None, f"The access would have ended on {day.isoformat()}, which is past."
        return ends_at, ""

    def _end_of(self, day: date) -> datetime:
        """Of 9999-12-31, by which programs say "never", the end of the day before: a moment has four digits of year."""
        return datetime.combine(min(day, _LAST_DAY) + timedelta(days=1), time(), self._zone)


def _parted(whole: str, last: str, last_words: int) -> tuple[str, str]:
    """First and last name from a column for both, beside which another may hold the last name alone."""
    apart = names.parted(whole, last_words=last_words)
    if last and apart[1].casefold() != last.casefold():
        return clean(whole.removesuffix(last)) or whole, last
    return apart


def _remembered(find: Callable[[str], tuple[Any, ...]]) -> Callable[[str], tuple[Any, ...]]:
    """`find` with its answers kept: a column of courses or dates holds the same few again and again."""
    known: dict[str, tuple[Any, ...]] = {}

    def ask(cell: str) -> tuple[Any, ...]:
        if cell not in known:
            if len(known) > 10_000:
                known.clear()
            known[cell] = find(cell)
        return known[cell]

    return ask


def _label_problem(first: str, last: str) -> str:
    """Why "Exported by:" is nobody's name, "" for what may be one."""
    if not (last or first).endswith((":", "：")):
        return ""
    return f"“{clean(f'{first} {last}')[:60]}” is no name: if this is a learner, write the name in its place."


def _looked_at(first: str, last: str) -> tuple[str, str, str]:
    """Names without control characters and remarks behind them, and a note on what looks damaged."""
    both = first + last
    if "'" in both or "=" in both:
        first, last = without_text_mark(first), without_text_mark(last)
    if "(" in both or "[" in both:
        first, last = names.without_remarks(first), names.without_remarks(last)
    if both.isascii() and both.isprintable():
        return first, last, ""
    first, last = (clean(_CONTROL.sub(" ", name.replace("\0", ""))) for name in (first, last))
    if "\0" in both:
        return first, last, "A character of the name was damaged in the file."
    if emails.looks_garbled(f"{first} {last}"):
        name = f"{first} {last}".strip()[:60]
        return first, last, f"The name “{name}” looks garbled: the file was opened in the wrong encoding before."
    return first, last, ""
