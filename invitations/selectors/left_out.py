"""What of a batch's file became no row, and whom a status column says to be out, in sentences for the preview."""

from typing import Any

from invitations.models import Batch, Invitation
from invitations.parsing.emails import SEVERAL
from invitations.parsing.file_format import Format

_SENTENCES = {
    "no_learner": ("line holds", "lines hold", "neither an address nor a name, as totals and notes do: left out"),
    "outside": ("address stands", "addresses stand", "above the headings or in another table: left out"),
    "beside": ("address stands", "addresses stand", "beside the columns that are read: left out"),
}


def sentences(batch: Batch) -> list[str]:
    """One for each kind of what was left out; empty when everything became a row."""
    return [
        f"{_counted(batch.leftovers[kind]['count'], one, several)} {rest} ({_lines(batch.leftovers[kind])})."
        for kind, (one, several, rest) in _SENTENCES.items()
        if kind in batch.leftovers
    ]


def unread(batch: Batch) -> list[str]:
    """Of each column that is not read and holds addresses."""
    return [
        f"“{column['heading'][:60]}” holds {_counted(column['count'], 'e-mail address', 'e-mail addresses')}"
        f" that nobody is invited by ({_lines(column)})."
        for column in batch.leftovers.get("unread", [])
    ]


def has_several_in_a_cell(batch: Batch) -> bool:
    """Whether a row is left out because its cell holds several addresses."""
    return Invitation.objects.filter(batch=batch, state=Invitation.State.INVALID, reason=SEVERAL).exists()


def status_hint(form: Format) -> str:
    """Of a column that says who is out; "" without one."""
    if form.status_column is None:
        return ""
    heading = form.heading(form.status_column)[:60]
    if form.leaves_out_status:
        return f"Rows whose “{heading}” says refunded, cancelled, inactive or the like are left out."
    return f"The column “{heading}” says of some rows that they are refunded, cancelled, inactive or the like."


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _lines(places: dict[str, Any]) -> str:
    lines = ", ".join(map(str, places["lines"]))
    more = " and more" if places["count"] > len(places["lines"]) else ""
    return f"line{'s' if len(places['lines']) > 1 or more else ''} {lines}{more}"
