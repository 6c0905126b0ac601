"""Pages about what came of a batch: its results, its learners' funnel, and rows that a person decides about."""

from pathlib import PurePath
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coursehub import downloads
from invitations import decisions
from invitations.models import Batch, Invitation
from invitations.results_csv import of as rows_as_csv
from invitations.selectors import estimate, funnel
from invitations.selectors.findings import MOST_LISTED
from invitations.sending import second_invitation

TOO_LATE = "That was no longer possible: the row has moved on."
DECISIONS = {"already-there": decisions.already_there, "send-again": decisions.send_again}
MOST_DAYS = 365


class DaysForm(forms.Form):
    """After how many days somebody who has not accepted is late."""

    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, label="days")


@require_GET
def results_csv(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The uploaded file back, with what came of each row."""
    return _download(request, batch_id, safe=False)


@require_GET
def results_safe_csv(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The same, for spreadsheets: no cell begins with what they may run."""
    return _download(request, batch_id, safe=True)


@require_http_methods(["GET", "POST"])
def row(request: HttpRequest, batch_id: UUID, line: int) -> HttpResponseBase:
    """One row; where its outcome is unknown, a person decides here."""
    batch = batch_or_404(request, batch_id)
    invitation: Invitation = get_object_or_404(Invitation.objects.filter(batch=batch), line=line)
    if request.method == "POST":
        decide = DECISIONS.get(request.POST.get("decision", "")) if batch.state in decisions.DECIDABLE else None
        if decide is None or not decide(batch, invitation, actor=request.user.get_username()):
            messages.warning(request, TOO_LATE)
        return redirect("invitations:batch", batch_id=batch.pk)
    may_decide = invitation.state == Invitation.State.UNKNOWN and batch.state in decisions.DECIDABLE
    context = {"title": f"Line {line}", "batch": batch, "row": invitation, "may_decide": may_decide}
    return render(request, "invitations/row.html", context)


@require_POST
def unknown(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """One decision for all rows of unknown outcome of which the look-ups found the same."""
    batch = batch_or_404(request, batch_id)
    decide = DECISIONS.get(request.POST.get("decision", "")) if batch.state in decisions.DECIDABLE else None
    finding, actor = request.POST.get("finding", ""), request.user.get_username()
    if decide is None or not decide(batch, *decisions.of_finding(batch, finding), actor=actor):
        messages.warning(request, "That was no longer possible: the rows have moved on.")
    return redirect("invitations:batch", batch_id=batch.pk)


@require_http_methods(["GET", "POST"])
def learners(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Invited, accepted, started, completed; a POST invites those once more who have not accepted after some days.

    Opening it asks for a new reading of the members; the POST waits for one of its own before anything is sent.
    """
    batch = batch_or_404(request, batch_id)
    form = DaysForm(request.POST if request.method == "POST" else {"days": request.GET.get("days", "7")})
    days = form.cleaned_data["days"] if form.is_valid() else 7
    shown = funnel.of(batch, days=days)
    if request.method == "POST" and form.is_valid():
        count = second_invitation.want(
            batch, shown.late_lines, invited_before=shown.invited_before, actor=request.user.get_username()
        )
        if not count:
            messages.warning(request, "Nobody was invited again: the batch has moved on, or nobody is late.")
            return redirect("invitations:learners", batch_id=batch.pk)
        messages.success(request, f"{count} will be invited once more, less whoever has accepted by the next reading.")
        return redirect("invitations:batch", batch_id=batch.pk)
    late = Invitation.objects.filter(batch=batch, line__in=shown.late_lines[:MOST_LISTED]).order_by("line")
    context = {
        "title": "Learners", "batch": batch, "funnel": shown, "days": days, "late": late,
        "estimate": estimate.of(len(shown.late_lines)), "is_being_read": shown.ask_for_reading(),
        "sentence": "" if form.is_valid() else f"Give a number of days from 1 to {MOST_DAYS}.",
        "may_invite": batch.state in decisions.DECIDABLE,
    }  # fmt: skip
    return render(request, "invitations/learners.html", context)


def batch_or_404(request: HttpRequest, batch_id: UUID) -> Batch:
    return get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)


def _download(request: HttpRequest, batch_id: UUID, *, safe: bool) -> HttpResponseBase:
    batch = batch_or_404(request, batch_id)
    made = rows_as_csv(batch, safe=safe)
    kind = "results-safe" if safe else "results"
    name = f"{PurePath(batch.filename).stem}-{kind}{'' if made.has_cells else '-without-file'}.csv"
    return downloads.download(made.chunks, filename=name, content_type=f"text/csv; charset={made.encoding}")
