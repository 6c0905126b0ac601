"""What of a file becomes no row: lines that are no learners, and addresses that nothing is made of. Pure.

Each is counted and named by its lines, so that nobody who stands in a file is passed over in silence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coursehub.emails import normalize
from invitations.parsing.emails import addresses_in, clean
from invitations.parsing.file_format import Format

_LINES_NAMED = 10
_TOTALS = re.compile(
    r"(grand |sub)?(total|sum|count|average|mean|median)s?\b.*|points possible|end of (list|report|file)|"
    r"summe|gesamt.*|durchschnitt|somme|moyenne|suma|totale|totaal|toplam|итого|всего|合計|总计|소계",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"(example|sample|e\.g\.|beispiel|exemple|ejemplo|esempio|exemplo|voorbeeld|przykład|örnek|пример|例)\s*:",
    re.IGNORECASE,
)
EXAMPLE_PERSON = ("ada@example.org", "Ada", "Lovelace")  # of the template that was handed out before
_OLD_TEMPLATE = ["email", "first name", "last name", "access until"]


@dataclass
class Places:
    """How often something was met, and the first lines of it."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def note(self, line: int, count: int = 1) -> None:
        self.count += count
        if len(self.lines) < _LINES_NAMED and line not in self.lines[-1:]:
            self.lines.append(line)


class Leftovers:
    """Feed it what becomes no row, or not all of it."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._width = len(form.headings) if form.heading_line else 0
        self._email_at = form.columns.get("email")
        self.no_learner, self.outside, self.beside = Places(), Places(), Places()
        self.unread: dict[int, Places] = {}

    def note_outside(self, line: int, cells: Sequence[str]) -> None:
        """A record above the headings, or of another table."""
        count = sum(len(addresses_in(cell)) for cell in cells if "@" in cell)
        if count:
            self.outside.note(line, count)

    def note_unread(self, line: int, cells: Sequence[str], own: str) -> str:
        """Addresses in cells where none is looked for; the heading of the first of them, "" without one.

        `own`: the address that the row has, which may stand in any of them ("Confirm your e-mail").
        """
        found = ""
        for at, cell in enumerate(cells):
            if at == self._email_at or "@" not in cell:
                continue
            count = sum(normalize(address) != own for address in addresses_in(cell))
            if not count:
                continue
            if at >= self._width:
                self.beside.note(line, count)
            else:
                self.unread.setdefault(at, Places()).note(line, count)
                found = found or self._form.heading(at)
        return found

    def is_no_learner(self, line: int, cells: Sequence[str], email_and_names: Sequence[str]) -> bool:
        """Whether the record is a total, a note or the like: neither an address nor a name stands in it."""
        email, *names = map(clean, email_and_names)
        named = [name for name in names if name]
        if email or not all(map(_TOTALS.fullmatch, named)) or any("@" in cell for cell in cells):
            return False
        self.no_learner.note(line)
        return True

    def as_document(self) -> dict[str, Any]:
        """For the batch: what was left out, by kind; empty kinds are not in it. Holds lines and counts, no cells."""
        kinds = {"no_learner": self.no_learner, "outside": self.outside, "beside": self.beside}
        told: dict[str, Any] = {kind: vars(places) for kind, places in kinds.items() if places.count}
        if self.unread:
            told["unread"] = [
                {"heading": self._form.heading(at), **vars(places)} for at, places in sorted(self.unread.items())
            ]
        return told


def is_example(form: Format, email: str, first: str, last: str, whole: str) -> bool:
    """Whether the row is the example that a template came with."""
    if any(_EXAMPLE.match(text) for text in (email, first, whole) if text):
        return True
    return (email, first, last) == EXAMPLE_PERSON and [clean(text).lower() for text in form.headings] == _OLD_TEMPLATE
