"""The forms of uploading: a course and a file, and when to begin. Every refusal is one sentence."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from coursehub import clock
from coursehub.models import Course
from coursehub.roles import AnyUser
from invitations.selectors import estimate


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
