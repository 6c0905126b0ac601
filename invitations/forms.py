"""The upload form: a course and a file; every refusal is one sentence."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from coursehub.models import Course
from invitations import reading, services
from invitations.models import Batch


class UploadForm(forms.Form):
    """Judges the file and stores the batch in one go, so that a refused file leaves nothing behind."""

    course: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=Course.objects.none(),
        to_field_name="course_id",
        empty_label="Choose a course",
        error_messages={
            "required": "Choose the course that these learners are invited to.",
            "invalid_choice": "You have no access to that course: choose one of the list.",
        },
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

    def __init__(self, *args, user, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.batch: Batch | None = None
        course: forms.ModelChoiceField = self.fields["course"]  # type: ignore[assignment]
        course.queryset = Course.objects.open().visible_to(user)
        self.helper = FormHelper()
        self.helper.form_show_errors = False  # one sentence above the form, see `sentence`
        self.helper.add_input(Submit("submit", "Upload and preview"))

    @property
    def sentence(self) -> str:
        """The first thing to put right, or "" when the form is fine."""
        return next((str(errors[0]) for errors in self.errors.values()), "")

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {filesizeformat(settings.UPLOAD_MAX_BYTES)}: split it, and upload the parts."
            )
        return file

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        file = self.cleaned_data["file"]
        try:
            self.batch = services.upload(
                user=self.user, course=self.cleaned_data["course"], filename=file.name, content=file.read()
            )
        except reading.FileRefused as refusal:
            self.add_error("file", str(refusal))
