"""When learners of a course count as at risk, for its trainers and administrators to say."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator

from progress.models import RiskThresholds
from progress.risk import queries

_MOST_PERCENT, _MOST_DAYS = 100, 3650
_HELP = {
    "unseen_days": "Days without a visit. Empty: this rule is off.",
    "stalled_below_percent": "Who has more than this is left alone.",
    "stalled_days": "Days without progress. Empty: this rule is off.",
    "behind_points": "Percentage points behind the median of those who enrolled in the same week. Empty: off.",
    "expiry_days": "Days before the access ends. Empty: this rule is off.",
}


if TYPE_CHECKING:
    _ThresholdsForm = forms.ModelForm[RiskThresholds]
else:
    _ThresholdsForm = forms.ModelForm  # which takes no type arguments at run time


class ThresholdsForm(_ThresholdsForm):
    """All numbers may be left empty, which switches their rule off."""

    class Meta:
        model = RiskThresholds
        fields = queries.LIMITS
        help_texts = _HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            most = _MOST_PERCENT if name in ("stalled_below_percent", "behind_points") else _MOST_DAYS
            field.validators.append(MaxValueValidator(most, f"at most {most}."))
            field.widget.attrs |= {"class": "ch-input", "min": 0, "max": most}

    @property
    def sentence(self) -> str:
        """The first thing to put right, or ""."""
        return next((f"{self.fields[name].label}: {errors[0]}" for name, errors in self.errors.items()), "")
