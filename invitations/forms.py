"""The forms about a batch: when to begin. Every refusal is one sentence."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from coursehub import clock
from invitations.selectors import estimate


class OneSentence(forms.Form):
    """A form that is refused in one sentence above it."""

    @property
    def sentence(self) -> str:
        """The first thing to put right, or "" when the form is fine."""
        return next((str(errors[0]) for errors in self.errors.values()), "")


class Reading(forms.IntegerField):
    """`read_fence` of a batch as a page showed it: what was read anew since is not decided about unseen."""

    _MOST = 2**31 - 1  # what the field `Batch.read_fence` holds
    _NONSENSE = "This page is not as it was made: load it again."

    def __init__(self, **kwargs: Any) -> None:
        messages = dict.fromkeys(("invalid", "min_value", "max_value"), self._NONSENSE)
        limits: dict[str, Any] = {"min_value": 0, "max_value": self._MOST, "error_messages": messages}
        super().__init__(required=False, widget=forms.HiddenInput, **limits, **kwargs)


class NamesForm(OneSentence):
    """What becomes of the rows without a full name."""

    names = forms.ChoiceField(
        choices=[("fill", "names are filled in"), ("leave_out", "these rows are left out")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Choose whether names are filled in or these rows are left out."
        ),
    )
    reading = Reading()


_LATEST_START = timedelta(days=366)  # what is later is a slip of the pen


class ConfirmForm(OneSentence):
    """Begin now, or at a time; refused when the token pool would not last."""

    start_at = forms.DateTimeField(
        required=False,
        label=f"Start at ({settings.TIME_ZONE})",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Write the time to start at as 2027-12-31 09:00."},
    )
    reading = Reading()

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
