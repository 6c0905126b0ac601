"""The page on which an administrator erases one learner everywhere."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from coursehub.emails import normalize
from coursehub.privacy import erasure


class EraseForm(forms.Form):
    """The address twice: what is erased does not come back."""

    email = forms.CharField(
        label="E-mail address of the learner",
        max_length=320,
        error_messages={"required": "Type the learner's e-mail address."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    confirmation = forms.CharField(
        label="The same address again, to confirm",
        max_length=320,
        error_messages={"required": "Type the address a second time, to confirm."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    @property
    def sentence(self) -> str:
        """The first thing to put right, or "" when the form is fine."""
        return next((str(errors[0]) for errors in self.errors.values()), "")

    def clean(self) -> None:
        super().clean()
        first, second = (self.cleaned_data.get(name, "") for name in ("email", "confirmation"))
        if first and second and normalize(first) != normalize(second):
            raise forms.ValidationError("The two addresses differ: nothing was erased.")


@require_http_methods(["GET", "POST"])
def erase_learner(request: HttpRequest) -> HttpResponse:
    """Ask, erase, and tell how much there was."""
    form = EraseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        counts = erasure.erase(form.cleaned_data["email"], actor=request.user.get_username())
        messages.success(request, f"Erased: {in_words(counts)}.")
        return redirect("erase_learner")
    return render(request, "coursehub/erase_learner.html", {"title": "Erase a learner", "form": form})


def in_words(counts: dict[str, int]) -> str:
    """What an erasure found: "2 invitations, 1 claims"."""
    found = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return ", ".join(found) or "nothing was found under this address"
