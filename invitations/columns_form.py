"""The form in which a person says how a file is to be read: what its columns hold, and what else leaves a doubt."""

from dataclasses import replace
from functools import cached_property
from typing import Any

from django import forms

from invitations.forms import OneSentence, Reading
from invitations.models import Batch
from invitations.parsing import headings, reader
from invitations.parsing.alphabets import ALPHABETS, EAST_ASIAN, NAMES
from invitations.parsing.emails import addresses_in, clean
from invitations.uploads import file_store, split

_ROWS_SHOWN = 3
_ROWS_LOOKED_AT = 100  # for an address, in the column that is chosen for them
_NAMES_SHOWN = 3
_LONGEST_LABEL = 60
_DAY_FIRST = {"day": True, "month": False}


class ColumnsForm(OneSentence):
    """What stands where in a batch's file, with three rows to see it by. `read_as` is the answer of a valid form."""

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batch = batch
        self.fields["reading"] = Reading(initial=batch.read_fence)
        self.format = reader.Format(**batch.format)
        self._records = self._sample(self.format)
        width = len(self.format.headings)
        self.rows = [[cell[:60] for cell in (cells + [""] * width)[:width]] for cells in self._records[:_ROWS_SHOWN]]
        if self.format.tables:
            self.fields["table"] = _choice("Which table holds the learners?", self._tables(), self.format.heading_line)
        choices = [("", "not in the file"), *enumerate(self._labels())]
        for column, label in headings.LABELS.items():
            self.fields[column] = forms.TypedChoiceField(
                label=label, choices=choices, coerce=int, empty_value=None, required=False,
                initial=self.format.columns.get(column, ""),
            )  # fmt: skip
        self._add_doubts()

    def clean(self) -> None:
        super().clean()
        if self.errors or self.is_other_table:
            return
        chosen = self.chosen
        if len(set(chosen.values())) < len(chosen):
            raise forms.ValidationError("Two of the choices name the same column: choose another for one of them.")
        at = chosen.get("email")
        if at is not None and not any(addresses_in(cell) for cells in self._records for cell in cells[at : at + 1]):
            raise forms.ValidationError("The column chosen for the e-mail addresses holds none: choose another.")

    @property
    def is_other_table(self) -> bool:
        """Whether another of the file's tables was chosen, whose columns are told by its own headings."""
        return self._table_line not in (0, self.format.heading_line)

    @property
    def chosen(self) -> dict[str, int]:
        """Column -> where it stands; of a valid form."""
        return {column: at for column in headings.LABELS if (at := self.cleaned_data.get(column)) is not None}

    @property
    def has_several_addresses(self) -> bool:
        """Whether rows could be made of several addresses in one cell, or beside one another."""
        return split.is_wanted(self.format, self._records)

    @property
    def read_as(self) -> reader.Format:
        """How the file is to be read; `asks` is not empty where the chosen table leaves a doubt of its own."""
        given = self.cleaned_data
        form = replace(
            self.format,
            encoding=given.get("encoding") or self.format.encoding,
            leaves_out_status=bool(given.get("leave_out_status")),
            day_first=_DAY_FIRST.get(given.get("day_first", ""), self.format.day_first),
        )
        if self.is_other_table or form.encoding != self.format.encoding:
            anew = reader.recognised_in(self._head, form, whole=False, table_line=self._table_line)
            if self.is_other_table:
                return anew
            form = replace(anew, leaves_out_status=form.leaves_out_status, day_first=form.day_first)
        return form.with_columns(self.chosen)

    @property
    def _table_line(self) -> int:
        """The line of the headings of the chosen table; 0 in a file of one table."""
        return int(self.cleaned_data.get("table") or self.format.heading_line) if self.format.tables else 0

    def _add_doubts(self) -> None:
        form = self.format
        if form.encoding in NAMES:
            self.fields["encoding"] = _choice("The names read", self._alphabets(), form.encoding)
        if form.dates_in_doubt:
            now = {True: "day", False: "month"}.get(form.day_first, "") if form.day_first is not None else ""
            choices = [("", "as each date tells"), ("day", "the day first: 31/12"), ("month", "the month first: 12/31")]
            self.fields["day_first"] = _choice("Dates have", choices, now)
        if form.status_column is not None:
            label = (
                f"Leave out who is refunded, cancelled, inactive or the like in “{form.heading(form.status_column)}”"
            )
            self.fields["leave_out_status"] = forms.BooleanField(
                label=label, required=False, initial=form.leaves_out_status
            )

    def _labels(self) -> list[str]:
        return [
            heading.strip()[:_LONGEST_LABEL] or f"Column {at}" for at, heading in enumerate(self.format.headings, 1)
        ]

    def _tables(self) -> list[tuple[int, str]]:
        return [
            (one["line"], f"{one['title'] or 'Headings'} (line {one['line']}, {one['rows']} lines below)")
            for one in self.format.tables
        ]

    def _alphabets(self) -> list[tuple[str, str]]:
        """Codec and what the names look like in it, those that fit the letters first."""
        likely = [self.format.encoding, *(one for one in self.format.encodings if one != self.format.encoding)]
        others = EAST_ASIAN if self.format.encoding in EAST_ASIAN else ALPHABETS
        shown: dict[str, str] = {}
        for codec in [*likely, *(one for one in others if one not in likely)]:
            names = self._names(replace(self.format, encoding=codec))
            if names and (names not in shown.values() or codec in likely):
                shown[codec] = names
        return [(codec, f"{names} ({NAMES[codec]})") for codec, names in shown.items()]

    def _names(self, form: reader.Format) -> str:
        """Some names with letters beyond ASCII, as `form` reads them."""
        cells = (cell for record in self._sample(form) for cell in record if not cell.isascii() and "@" not in cell)
        return ", ".join(list(dict.fromkeys(clean(cell)[:40] for cell in cells))[:_NAMES_SHOWN])

    def _sample(self, form: reader.Format) -> list[list[str]]:
        try:
            return reader.sample([self._piece], form, rows=_ROWS_LOOKED_AT)
        except reader.FileRefused:  # told when the file is read
            return []

    @cached_property
    def _piece(self) -> bytes:
        return next(file_store.of_batch(self._batch.pk, self.format.text), b"")

    @property
    def _head(self) -> bytes:
        return self._piece[: reader.HEAD_BYTES]


def _choice(label: str, choices: list[tuple[Any, str]], initial: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, required=False, error_messages={"invalid_choice": _ONE_OF_LIST}
    )


_ONE_OF_LIST = "Choose one of the list."
