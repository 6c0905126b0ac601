"""How a batch's file is to be read: its columns, its sheet, who is left out of it. Each has the file read anew."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import truncatechars
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST

from coursehub import queue
from coursehub.roles import SignedInRequest
from invitations import services, tasks
from invitations.columns_form import ColumnsForm
from invitations.models import Batch
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format
from invitations.selectors import left_out
from invitations.upload_forms import SheetForm
from invitations.uploads.column_mappings import BEFORE
from invitations.views.shared import TOO_LATE, batch_or_404

_HEADINGS_SHOWN, _LONGEST_HEADING = 20, 60


@require_POST
def columns(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Takes what a person says about the columns, and all else that leaves a doubt."""
    batch = batch_or_404(request, batch_id)
    if not _is_there(batch):
        return _answer(request, batch, TOO_LATE)
    form = ColumnsForm(request.POST, batch=batch)
    if not form.is_valid():
        return _answer(request, batch, form.sentence)
    return _read(
        request,
        batch,
        lambda: services.choose_columns(batch, form.read_as, user=request.user, reading=form.cleaned_data["reading"]),
    )


@require_POST
def forget_columns(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Forgets what this person chose for such files before."""
    batch = batch_or_404(request, batch_id)
    return _read(request, batch, lambda: services.forget_columns(batch, user=request.user))


@require_POST
def leave_out_by_status(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Leaves those out whose status says so, or takes them in again."""
    batch = batch_or_404(request, batch_id)
    is_wanted = request.POST.get("leave_out") != "0"
    return _read(request, batch, lambda: services.leave_out_by_status(batch, user=request.user, is_wanted=is_wanted))


@require_POST
def one_row_per_address(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Makes a row of each address where several stand in a cell or beside one another."""
    batch = batch_or_404(request, batch_id)
    return _read(request, batch, lambda: services.one_row_per_address(batch, user=request.user))


@require_POST
def sheet(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Has another sheet of the workbook read, in place of the one that was."""
    batch = batch_or_404(request, batch_id)
    form = SheetForm(request.POST, sheets=Format(**batch.format).sheets if batch.format else [])
    if not form.is_valid():
        return _answer(request, batch, form.sentence)
    return _read(request, batch, lambda: services.choose_sheet(batch, form.cleaned_data["sheet"], user=request.user))


def context_of(batch: Batch) -> dict[str, Any]:
    """What the preview says of how the file was read, and the form to have it read otherwise."""
    if not batch.format:
        return {}
    form = ColumnsForm(batch=batch)
    return {
        "format": form.format,
        "reading_form": form,
        "sheet_form": SheetForm.of(batch),
        "columns_told": format_html_join(
            ", ",
            "{} from <b>“{}”</b>",
            ((label, truncatechars(heading, _LONGEST_HEADING)) for label, heading in form.format.read_as()),
        ),
        "columns_unread": _unread(form.format.not_read()),
        "chosen_when": _chosen_when(form.format),
        "leftovers": left_out.sentences(batch),
        "unread": left_out.unread(batch),
        "status_hint": left_out.status_hint(form.format),
        "may_be_parted": "beside" in batch.leftovers or left_out.has_several_in_a_cell(batch),
    }


def _unread(headings: list[str]) -> str:
    told = ", ".join(f"“{truncatechars(heading, _LONGEST_HEADING)}”" for heading in headings[:_HEADINGS_SHOWN])
    more = len(headings) - _HEADINGS_SHOWN
    return f"{told} and {more} more" if more > 0 else told


def _chosen_when(form: Format) -> str:
    if form.chosen_on in ("", BEFORE):
        return form.chosen_on
    return f"on {date_format(date.fromisoformat(form.chosen_on), 'j F Y')}"


def _is_there(batch: Batch) -> bool:
    return bool(batch.format) and batch.state in (Batch.State.UPLOADED, Batch.State.PREVIEW)


def _read(request: SignedInRequest, batch: Batch, begin: Callable[[], bool]) -> HttpResponseBase:
    """Back to the batch, whose file is read; or a sentence why not."""
    try:
        if not _is_there(batch) or not begin():
            return _answer(request, batch, TOO_LATE)
    except FileRefused as refusal:
        return _answer(request, batch, str(refusal))
    queue.enqueue(tasks.read, batch.pk)
    return redirect("invitations:batch", batch_id=batch.pk)


def _answer(request: SignedInRequest, batch: Batch, sentence: str) -> HttpResponseBase:
    messages.error(request, sentence)
    return redirect("invitations:batch", batch_id=batch.pk)
