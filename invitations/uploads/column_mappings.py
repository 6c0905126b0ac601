"""What stands where in files whose headings do not tell: remembered for each person, by the headings."""

from invitations.models import HeadingChoice
from invitations.parsing import headings
from invitations.parsing.reader import Format


def recall(user_id: int, form: Format) -> Format:
    """`form` with the columns that this person chose for such headings, or as it is."""
    if form.is_settled:
        return form
    choice = HeadingChoice.objects.filter(pk=_key(user_id, form)).first()
    return form.with_columns(choice.columns) if choice else form


def remember(user_id: int, form: Format) -> None:
    choice = {"user_id": user_id, "columns": form.columns}
    HeadingChoice.objects.update_or_create(id=_key(user_id, form), defaults=choice)


def forget(user_id: int, form: Format) -> None:
    """The choice made a file unusable, so the next one asks anew."""
    HeadingChoice.objects.filter(pk=_key(user_id, form)).delete()


def _key(user_id: int, form: Format) -> str:
    return f"{user_id}-{headings.digest(form.headings)}"
