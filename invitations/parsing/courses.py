"""The course that a cell names, among those that one may invite to. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST_COURSE = 1_000  # characters of a cell that may name one
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
_EXACT_DIGITS = 15  # of a number in Excel; the rest it replaces by zeros
_DATE = re.compile(
    r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{1,2}[-. ][^\W\d]{3,9}\.?([-. ]\d{2,4})?|[^\W\d]{3}[- ]\d{2}", re.IGNORECASE
)


@dataclass(frozen=True)
class Courses:
    """The courses that the uploader may invite to: by id, and ids by folded name; `chosen` for rows that name none."""

    names: Mapping[str, str]
    chosen: str = ""
    bundles: frozenset[str] = frozenset()  # those of `names` that hold courses and have no learners

    def find(self, cell: str) -> tuple[str, str]:
        """The course's id, and what is wrong ("" when nothing is)."""
        if not cell:
            return (self.chosen, "") if self.chosen else ("", "The course is missing.")
        if cell in self.names:
            named = [cell]
        else:
            wanted = _folded(cell) if len(cell) <= _LONGEST_COURSE else ""
            everything = [course_id for course_id, name in self.names.items() if wanted and _folded(name) == wanted]
            named = [course_id for course_id in everything if course_id not in self.bundles] or everything
        if named and named[0] in self.bundles:
            return "", f"“{cell[:80]}” is a bundle of courses: write one of its courses."
        if len(named) == 1:
            return named[0], ""
        if named:
            return "", f"There are {len(named)} courses of the name “{cell[:80]}”: write the course's id."
        return "", _damaged_id(cell) or f"There is no course “{cell[:80]}” that you may invite to."


def _folded(name: str) -> str:
    """As names are compared: composed (a Mac writes accents apart), lower case, any blanks as one."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _damaged_id(cell: str) -> str:
    """What Excel did to a course's id, in one sentence; "" when nothing of the kind is seen."""
    cure = "format the column as text, and enter the id again."
    if _SHORTENED.fullmatch(cell):
        return f"Excel shortened the course's id to {cell[:40]}: {cure}"
    if cell.isdigit() and len(cell) > _EXACT_DIGITS and not cell[_EXACT_DIGITS:].strip("0"):
        return f"Excel rounded the course's id to {cell[:40]}, since it keeps only 15 digits of a number: {cure}"
    if _DATE.fullmatch(cell):
        return f"“{cell[:40]}” in the course column looks like a date that Excel made of the id: {cure}"
    return ""
