"""The forms by which a list comes in: a course and a file or a pasted list; and which sheet of a workbook is read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.db import models
from django.template.defaultfilters import filesizeformat

from coursehub.models import Course
from coursehub.roles import AnyUser
from invitations.forms import OneSentence
from invitations.models import Batch
from invitations.parsing import pasted, reader

WORKBOOK_KINDS = ".xlsx,.xlsm,.xlsb,.xls,.ods"
NO_SUCH_SHEET = "There is no such sheet in this workbook: choose one of the list."
PASTED_NAME = "pasted list"
NOTHING_CHOSEN = "Choose a file to upload, or paste a list."
BOTH_GIVEN = "You chose a file and pasted a list too: take one of them away."


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


class Pasted(forms.CharField):
    """Text as it was pasted; NUL, which Django refuses in words of its own, is a blank."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\x00", " ") if isinstance(value, str) else value)


class UploadForm(OneSentence):
    """A course, or none, and a file or a pasted list; what that holds is for `services.upload` to judge."""

    course: CourseChoice = CourseChoice(
        queryset=Course.objects.none(),
        required=False,  # the file may name a course in each row
        to_field_name="course_id",
        empty_label="Choose a course, or leave it to the file",
        error_messages={"invalid_choice": "You have no access to that course: choose one of the list."},
    )
    file = forms.FileField(
        label="File",
        required=False,
        error_messages={"missing": NOTHING_CHOSEN, "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": f".csv,.tsv,.txt,text/csv,{WORKBOOK_KINDS}"}),
    )
    text = Pasted(
        label="Or paste the list",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "placeholder": "ada@example.org, or Ada Lovelace <ada@example.org>; …",
                "spellcheck": "false",
                "autocomplete": "off",
                "autocapitalize": "none",
            }
        ),
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
        if file and file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(_too_large("file"))
        return file

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if len(text.encode()) > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(_too_large("list"))
        if text.strip() and "@" not in text:
            raise forms.ValidationError("There is no e-mail address in what you pasted.")
        return text

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        if bool(self.cleaned_data["file"]) == bool(self.cleaned_data["text"].strip()):
            raise forms.ValidationError(BOTH_GIVEN if self.cleaned_data["file"] else NOTHING_CHOSEN)

    @property
    def upload(self) -> tuple[str, bytes | BinaryIO]:
        """The name and the content of what is uploaded; of a valid form."""
        if file := self.cleaned_data["file"]:
            return file.name, file.file
        return PASTED_NAME, pasted.as_table(self.cleaned_data["text"]).encode()

    def refuse(self, sentence: str) -> None:
        """Say of the file, or of the list that was pasted, why it cannot be used."""
        self.add_error("file" if self.cleaned_data["file"] else "text", sentence)


def _too_large(what: str) -> str:
    size = filesizeformat(settings.UPLOAD_MAX_BYTES)
    return f"The {what} is larger than {size}: split it, and upload the parts."


class SheetForm(OneSentence):
    """Which sheet of a workbook is read."""

    sheet = forms.TypedChoiceField(
        label="Sheet",
        coerce=int,
        error_messages={"invalid_choice": NO_SUCH_SHEET, "required": NO_SUCH_SHEET},
    )

    def __init__(self, *args: Any, sheets: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: forms.TypedChoiceField = self.fields["sheet"]  # type: ignore[assignment]  # a form's fields are any
        field.choices = [(number, name[:60]) for number, name in enumerate(sheets, 1)]

    @classmethod
    def of(cls, batch: Batch) -> "SheetForm | None":
        """The form with the sheet that is read; None when there are no others."""
        form = reader.Format(**batch.format) if batch.format else None
        if form is None or len(form.sheets) < 2:
            return None
        return cls(sheets=form.sheets, initial={"sheet": form.sheet_number})
