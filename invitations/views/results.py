"""What came of a batch: the file back with each row's outcome, and its learners' way since."""

from collections.abc import Collection
from pathlib import PurePath
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from coursehub import downloads
from coursehub.downloads import Spreadsheet
from invitations import results_csv, results_workbook, services
from invitations.models import Invitation
from invitations.parsing.errors import FileRefused
from invitations.selectors import estimate, funnel
from invitations.selectors.findings import MOST_LISTED
from invitations.selectors.row_choice import NOT_INVITED
from invitations.views.shared import batch_or_404

MOST_DAYS = 365


class DaysForm(forms.Form):
    """After how many days somebody who has not accepted is late."""

    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, label="days")


@require_GET
def as_uploaded(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The uploaded file back, with what came of each row."""
    return _as_uploaded(request, batch_id, "results")


@require_GET
def for_spreadsheets(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The same, for people who open it in a spreadsheet; `separator` says what they need between the cells."""
    batch = batch_or_404(request, batch_id)
    made = results_csv.for_spreadsheets(batch, request.GET.get("separator"))
    course = batch.course_name if batch.course_id else ""
    name = downloads.file_name(PurePath(batch.filename).stem, course, f"results-safe{_without_file(made)}")
    return downloads.download(made.chunks, filename=name, content_type=Spreadsheet.CONTENT_TYPE)


@require_GET
def bad_rows(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Of the uploaded file only the rows that were not invited, to be put right and uploaded again."""
    return _as_uploaded(request, batch_id, "bad-rows", NOT_INVITED)


@require_GET
def as_workbook(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """The uploaded workbook back, as a workbook, with what came of each row."""
    batch = batch_or_404(request, batch_id)
    try:
        chunks = results_workbook.of(batch)
    except FileRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("invitations:batch", batch_id=batch.pk)
    name = f"{PurePath(batch.filename).stem}-results.xlsx"
    return downloads.download(chunks, filename=name, content_type=results_workbook.CONTENT_TYPE)


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
        count = services.invite_again(
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
        "may_invite": batch.state in services.DECIDABLE,
    }  # fmt: skip
    return render(request, "invitations/learners.html", context)


def _as_uploaded(request: HttpRequest, batch_id: UUID, kind: str, only: Collection[str] = ()) -> HttpResponseBase:
    batch = batch_or_404(request, batch_id)
    made = results_csv.of(batch, only=only)
    name = f"{PurePath(batch.filename).stem}-{kind}{_without_file(made)}.csv"
    return downloads.download(made.chunks, filename=name, content_type=f"text/csv; charset={made.encoding}")


def _without_file(made: results_csv.Results) -> str:
    return "" if made.has_cells else "-without-file"
