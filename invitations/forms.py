"""The forms of uploading: a course and a file, what its columns hold, when to begin. Every refusal is one sentence."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from coursehub import clock
from coursehub.models import Course
from coursehub.roles import AnyUser
from invitations.models import Batch
from invitations.parsing import headings, reader
from invitations.selectors import estimate
from invitations.uploads import file_store


class OneSentence(forms.Form):
    """A form that is refused in one sentence above it."""

    @property
    def sentence(self) -> str:
        """The first thing to put right, or "" when the form is fine."""
        return next((str(errors[0]) for errors in self.errors.values()), "")


if TYPE_CHECKING:
    _CourseField = forms.ModelChoiceField[Course]
else:
    _CourseField = forms.ModelChoiceField  # which takes no type arguments at run time


class CourseChoice(_CourseField):
    """The courses that one may upload to; what is not published says so, and a bundle is refused in its own words."""

    bundles: models.QuerySet[Course] = Course.objects.none()

    def to_python(self, value: Any) -> Course | None:
        bundle = self.bundles.filter(course_id=str(value)[:40]).first() if value else None
        if bundle is not None:
            raise forms.ValidationError(f"“{bundle.name}” is a bundle of courses: choose one of its courses.")
        return super().to_python(value)

    def label_from_instance(self, course: Course) -> str:
        return course.name if course.is_published else f"{course.name} (not published)"


class UploadForm(OneSentence):
    """A course, or none, and a file; what the file holds is for `services.upload` to judge."""

    course: CourseChoice = CourseChoice(
        queryset=Course.objects.none(),
        required=False,  # the file may name a course in each row
        to_field_name="course_id",
        empty_label="Choose a course, or leave it to the file",
        error_messages={"invalid_choice": "You have no access to that course: choose one of the list."},
    )
    file = forms.FileField(
        label="CSV file",
        error_messages={
            "required": "Choose a CSV file to upload.",
            "missing": "Choose a CSV file to upload.",
            "empty": "The file is empty.",
        },
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        course: CourseChoice = self.fields["course"]  # type: ignore[assignment]  # a form's fields are of any kind
        visible = Course.objects.open().visible_to(user)
        course.queryset, course.bundles = visible.with_members(), visible.filter(is_bundle=True)
        self.bundles = list(course.bundles.values_list("name", flat=True)[:20])
        self.helper = FormHelper()
        self.helper.form_show_errors = False  # one sentence above the form, see `sentence`
        self.helper.add_input(Submit("submit", "Upload and preview"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {filesizeformat(settings.UPLOAD_MAX_BYTES)}: split it, and upload the parts."
            )
        return file


_ROWS_SHOWN = 3
_ROWS_LOOKED_AT = 100  # for an address, in the column that is chosen for them


class ColumnsForm(OneSentence):
    """What stands where, in a file whose headings do not tell; with three rows to see it by."""

    def __init__(self, *args: Any, batch: Batch, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batch, self._user = batch, user
        self.format = reader.Format(**batch.format)
        self._records = self._sample()
        width = len(self.format.headings)
        self.rows = [[cell[:60] for cell in (cells + [""] * width)[:width]] for cells in self._records[:_ROWS_SHOWN]]
        choices = [("", "not in the file"), *enumerate(self._labels())]
        for column, label in headings.LABELS.items():
            self.fields[column] = forms.TypedChoiceField(
                label=label, choices=choices, coerce=int, empty_value=None, required=False,
                initial=self.format.columns.get(column, self._likely() if column == "email" else ""),
            )  # fmt: skip

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        chosen = self.chosen
        if len(set(chosen.values())) < len(chosen):
            raise forms.ValidationError("Two of the choices name the same column: choose another for one of them.")
        at = chosen.get("email")
        if at is not None and not any("@" in cell for cells in self._records for cell in cells[at : at + 1]):
            raise forms.ValidationError("The column chosen for the e-mail addresses holds none: choose another.")

    @property
    def chosen(self) -> dict[str, int]:
        """Column -> where it stands; of a valid form."""
        return {column: at for column, at in self.cleaned_data.items() if at is not None}

    def _labels(self) -> list[str]:
        return [heading.strip()[:60] or f"Column {at}" for at, heading in enumerate(self.format.headings, 1)]

    def _sample(self) -> list[list[str]]:
        try:
            return reader.sample(file_store.of_batch(self._batch.pk), self.format, rows=_ROWS_LOOKED_AT)
        except reader.FileRefused:  # told when the file is read
            return []

    def _likely(self) -> int | str:
        return next((at for cells in self.rows for at, cell in enumerate(cells) if "@" in cell), "")


_LATEST_START = timedelta(days=366)  # what is later is a slip of the pen


class ConfirmForm(OneSentence):
    """Begin now, or at a time; refused when the token pool would not last."""

    start_at = forms.DateTimeField(
        required=False,
        label=f"Start at ({settings.TIME_ZONE})",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Write the time to start at as 2027-12-31 09:00."},
    )

    def __init__(self, *args: Any, calls: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._calls = calls

    def clean_start_at(self) -> datetime | None:
        start_at: datetime | None = self.cleaned_data["start_at"]
        now = clock.now()
        if start_at and start_at > now + _LATEST_START:
            raise forms.ValidationError("Choose a time to start at within the next year.")
        if start_at and start_at <= now:
            moment = timezone.localtime(start_at)
            raise forms.ValidationError(f"{moment:%d %b %Y, %H:%M} is past: choose a later time, or confirm at once.")
        strands = estimate.of(self._calls, start_at=start_at).strands
        if strands:
            raise forms.ValidationError(f"{strands} Let it start after the next maintenance.")
        return start_at
