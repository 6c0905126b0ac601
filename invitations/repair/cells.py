"""The cells of a row as a person sees and changes them, and as `parsing.validation.Judge` reads them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from coursehub.emails import LONGEST, normalize
from invitations.models import Batch, Invitation
from invitations.parsing import emails, names, reader
from invitations.parsing.courses import Courses
from invitations.uploads import file_store

FIELDS = ("email", "first_name", "last_name", "course", "access_expires")
LABELS = {
    "email": "E-mail", "first_name": "First name", "last_name": "Last name", "course": "Course",
    "access_expires": "Access until",
}  # fmt: skip
COLUMNS = {name: at for at, name in enumerate(FIELDS)}
LONGEST_CELL = 1_000
_OF_FILE = ("course", "access_expires")  # what is not stored of a row that could not be read
Row = dict[str, Any]
Cells = dict[str, str]


def stored(row: Row) -> Cells:
    """The cells that a row stands for; names that were made are none."""
    first, last = _given_names(row)
    until = _last_day(row.get("access_expires_at"))
    named = {"first_name": first, "last_name": last, "course": row["course_id"], "access_expires": until}
    return {"email": row["email"], **named}


def shown(batch: Batch, rows: Collection[Row], courses: Courses) -> dict[int, Cells]:
    """Line -> its cells, as they stand in the file where the row could not be read, with what was corrected since.

    A course stands by its name, where that tells which one it is.
    """
    cells = {row["line"]: stored(row) for row in rows}
    unread = {row["line"]: row for row in rows if is_unread(row)}
    for line, of_file in _of_file(batch, unread).items():
        corrected = (unread[line].get("correction") or {}).get("cells") or {}
        cells[line] |= {name: text for name, text in of_file.items() if name not in corrected}
    for one in cells.values():
        name = courses.names.get(one["course"], "")
        if name and courses.find(name) == (one["course"], ""):
            one["course"] = name
    return cells


def is_unread(row: Row) -> bool:
    """Whether the row's course and end of access may be in the file only."""
    left_out = (row.get("correction") or {}).get("left_out")
    return row["state"] == Invitation.State.INVALID and not left_out


def fields_of(batch: Batch) -> list[str]:
    """The cells that rows of this batch have."""
    columns = batch.format.get("columns", {})
    has_course = "course" in columns or not batch.course_id
    kept = {"course": has_course, "access_expires": "access_expires" in columns}
    return [name for name in FIELDS if kept.get(name, True)]


def posted(row: Row, before: Cells, given: Mapping[str, str]) -> Cells:
    """`before` with what a person wrote; names that were made, and left as they were shown, are made anew."""
    cells = before | {name: text[:LONGEST_CELL] for name, text in given.items() if name in COLUMNS}
    if row.get("name_made") and all(cells[name] == row[name] for name in ("first_name", "last_name")):
        cells["first_name"], cells["last_name"] = _given_names(row)
    return cells


def first_fault(cells: Cells, courses: Courses) -> str:
    """The field that a person has to look at first."""
    if emails.check(emails.address_in(cells["email"]))[1]:
        return "email"
    if courses.find(emails.clean(cells["course"]))[1]:
        return "course"
    return "access_expires" if cells["access_expires"] else "email"


def domain_of(address: str) -> str:
    """The part behind the last @, folded; "" without one."""
    return normalize(address).rpartition("@")[2] if "@" in address else ""


def with_domain(address: str, domain: str) -> str:
    return f"{address.rpartition('@')[0]}@{domain}"[:LONGEST]


def _given_names(row: Row) -> tuple[str, str]:
    """What of a row's names somebody gave."""
    first, last = row["first_name"], row["last_name"]
    if not row.get("name_made"):
        return first, last
    stand_in = settings.LAST_NAME_STAND_IN
    if names.completed("", "", row["email_folded"], stand_in=stand_in)[:2] == (first, last):
        return "", ""
    return first, "" if last == stand_in else last


def _last_day(expires_at: datetime | None) -> str:
    """The day whose end that moment is."""
    return (timezone.localtime(expires_at) - timedelta(days=1)).date().isoformat() if expires_at else ""


def _of_file(batch: Batch, lines: Collection[int]) -> dict[int, Cells]:
    """Line -> its cells in the file; of no line when the file was deleted, or has no such columns."""
    form, left = reader.Format(**batch.format) if batch.format else None, set(lines)
    at = {name: form.columns[name] for name in _OF_FILE if name in form.columns} if form else {}
    found: dict[int, Cells] = {}
    if not (form and at and left):
        return found
    try:
        for line, cells in reader.records(file_store.of_batch(batch.pk, form.text), form):
            if line in left:
                found[line] = {name: emails.clean(cells[where]) for name, where in at.items() if where < len(cells)}
                left.discard(line)
            if not left:
                break
    except reader.FileRefused:  # deleted; it was readable when it was uploaded
        pass
    return found
