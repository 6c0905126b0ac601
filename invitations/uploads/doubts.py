"""What only the academy's courses and the calendar tell: whether columns of a file mean what their headings say."""

from dataclasses import replace
from itertools import pairwise

from django.db.models import Q

from coursehub.models import Course
from invitations.parsing.courses import Courses
from invitations.parsing.emails import clean
from invitations.parsing.file_format import Format
from invitations.parsing.validation import Judge

ROWS_LOOKED_AT = 100
NO_COURSE = "The column “{}” names no course that you may invite to; these learners are invited to the course above."
FILLED_ONCE = (
    "The column “{}” is filled in the first row of each course alone, as where cells are merged: rows without one are "
    "invited to the course above."
)
ALL_PAST = "All days in the column “{}” are past: does it say until when learners have access?"


def added(form: Format, rows: list[list[str]], courses: Courses, judge: Judge) -> Format:
    """`form`, with columns taken out and asked about that fit neither the chosen course nor the calendar."""
    columns, asks = dict(form.columns), []
    texts = _texts(form, "course", rows)
    if courses.chosen and texts and all(courses.find(text)[1] for text in texts) and not _of_the_academy(texts):
        asks.append(NO_COURSE.format(form.heading(columns.pop("course"))[:60]))
    elif _is_filled_once(form, rows, courses):
        asks.append(FILLED_ONCE.format(form.heading(columns["course"])[:60]))
    if (texts := _texts(form, "access_expires", rows)) and all(map(judge.is_past, texts)):
        asks.append(ALL_PAST.format(form.heading(columns.pop("access_expires"))[:60]))
    return replace(form, columns=columns, asks=[*form.asks, *asks]) if asks else form


def _is_filled_once(form: Format, rows: list[list[str]], courses: Courses) -> bool:
    """Whether courses stand once above their learners, so that the others would be invited to the chosen one."""
    at, email = form.columns.get("course"), form.columns.get("email")
    if not courses.chosen or at is None or email is None:
        return False
    cells = [clean("".join(cells[at : at + 1])) for cells in rows if "@" in "".join(cells[email : email + 1])]
    if not cells or not cells[0] or any(one and one == two for one, two in pairwise(cells)):
        return False
    above = ""
    for cell in cells:
        above = cell or above
        if not cell and courses.find(above)[0] not in ("", courses.chosen):
            return True
    return False


def _of_the_academy(texts: list[str]) -> bool:
    """Whether one of them is a course after all, of somebody else: then the column is one of courses."""
    return Course.objects.filter(Q(course_id__in=texts) | Q(name__in=texts)).exists()


def _texts(form: Format, column: str, rows: list[list[str]]) -> list[str]:
    at = form.columns.get(column)
    return [] if at is None else [text for cells in rows if at < len(cells) and (text := clean(cells[at]))]
