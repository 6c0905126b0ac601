"""Which column holds what, as a person chose it for files with such headings: remembered, shown, forgotten."""

from coursehub import clock
from invitations.models import HeadingChoice
from invitations.parsing import columns, headings
from invitations.parsing.reader import Format

BEFORE = "before"  # a choice of a version that did not note the day


def recall(user_id: int, form: Format, rows: list[list[str]]) -> Format:
    """`form` with the columns that this person chose for such headings, or as it is.

    `rows` are the first of the file: a choice that does not fit them is not taken. Files without headings have none.
    """
    choice = HeadingChoice.objects.filter(pk=_key(user_id, form)).first() if form.heading_line else None
    if choice is None or form.tables or not columns.fits(choice.columns["email"], rows):
        return form
    return form.with_columns(choice.columns, chosen_on=_day(choice))


def remember(user_id: int, form: Format) -> None:
    """For the next files with these headings."""
    if form.heading_line:
        choice = {"user_id": user_id, "columns": form.columns, "chosen_at": clock.now()}
        HeadingChoice.objects.update_or_create(id=_key(user_id, form), defaults=choice)


def forget(user_id: int, form: Format) -> bool:
    """The next file is read by its headings alone. Whether anything was remembered."""
    return bool(HeadingChoice.objects.filter(pk=_key(user_id, form)).delete()[0])


def _key(user_id: int, form: Format) -> str:
    return f"{user_id}-{headings.digest(form.headings)}"


def _day(choice: HeadingChoice) -> str:
    return choice.chosen_at.date().isoformat() if choice.chosen_at else BEFORE
