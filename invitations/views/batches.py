"""The trainer's pages: upload, preview, watch, results."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coursehub import queue
from invitations import decisions, services, tasks
from invitations.forms import ColumnsForm, ConfirmForm, UploadForm
from invitations.models import Batch, Invitation
from invitations.parsing import reader
from invitations.selectors import estimate, findings
from invitations.sending import missing_names
from invitations.views.rows import batch_or_404

ROWS_PER_PAGE = 50
BAD_ROWS_SHOWN = 100
ERRORS_SHOWN = 5
TROUBLE = (Invitation.State.FAILED, Invitation.State.UNKNOWN)
LEFT_OUT = (
    Invitation.State.INVALID,
    Invitation.State.DUPLICATE,
    Invitation.State.ALREADY_INVITED,
    Invitation.State.ALREADY_ENROLLED,
)
TOO_LATE = "That was no longer possible: the batch has moved on."
TEMPLATE = "email,first name,last name,access until\r\nada@example.org,Ada,Lovelace,\r\n"


@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """The batches this user may see, newest first, with their counts."""
    page = Paginator(Batch.objects.visible_to(request.user), 25).get_page(request.GET.get("page"))
    return render(request, "invitations/list.html", {"title": "Invitations", "batches": page, "page_obj": page})


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    """A course and a CSV; a good file leads to its preview, a bad one back here with one sentence."""
    form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid() and form.batch:
        if form.batch.state == Batch.State.UPLOADED:
            queue.enqueue(tasks.read, form.batch.pk)
        return redirect("invitations:batch", batch_id=form.batch.pk)
    return render(request, "invitations/upload.html", {"title": "Upload a CSV", "form": form})


@require_GET
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """What its columns hold, how far it is read, preview, progress and results of one batch."""
    batch = batch_or_404(request, batch_id)
    status = services.status(batch.pk)
    page = _rows_page(request, batch)
    context = {
        "title": batch.filename,
        "batch": batch,
        "status": status,
        "rows": page.object_list,
        "page_obj": page,
        "state_filter": request.GET.get("state", ""),
        "states": Invitation.State.choices,
        "may_decide": batch.state in decisions.DECIDABLE,
        "findings": findings.of(batch) if batch.state in decisions.DECIDABLE else [],
        "last_errors": Invitation.objects.filter(batch=batch, state__in=TROUBLE).order_by("-line")[:ERRORS_SHOWN],
    }
    if batch.state == Batch.State.PREVIEW:
        context |= _preview(batch, (status or {}).get("counts", {}))
    elif batch.state == Batch.State.UPLOADED and not services.is_settled(batch):
        context["columns_form"] = ColumnsForm(batch=batch, user=request.user)
    return render(request, "invitations/batch.html", context)


@require_GET
def status(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    return JsonResponse(services.status(batch_or_404(request, batch_id).pk))


@require_GET
def rows(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    """One page of rows, of one state if asked."""
    page = _rows_page(request, batch_or_404(request, batch_id))
    return JsonResponse(
        {
            "rows": [_row(invitation) for invitation in page],
            "page": page.number,
            "pages": page.paginator.num_pages,
            "total": page.paginator.count,
        }
    )


@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """A file to fill in, which passes its own preview."""
    return HttpResponse(
        TEMPLATE, content_type="text/csv", headers={"Content-Disposition": 'attachment; filename="template.csv"'}
    )


@require_POST
def columns(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Takes what a person says about the columns, and has the file read."""
    batch = batch_or_404(request, batch_id)
    form = ColumnsForm(request.POST, batch=batch, user=request.user)
    if form.is_valid():
        queue.enqueue(tasks.read, batch.pk)
    else:
        messages.error(request, form.sentence)
    return redirect("invitations:batch", batch_id=batch.pk)


@require_POST
def names(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Takes what becomes of the rows without a full name: names made from the addresses, or left out."""
    batch = batch_or_404(request, batch_id)
    choice = {"fill": Batch.Names.FILLED, "leave_out": Batch.Names.LEFT_OUT}.get(request.POST.get("names", ""), "")
    if not choice:
        messages.error(request, "Choose whether names are filled in or these rows are left out.")
    elif not missing_names.choose(batch, choice, actor=request.user.get_username()):
        messages.warning(request, TOO_LATE)
    elif choice == Batch.Names.LEFT_OUT and batch.made_names > missing_names.AT_ONCE_ROWS:
        queue.enqueue(tasks.leave_out, batch.pk)
    return redirect("invitations:batch", batch_id=batch.pk)


@require_POST
def confirm(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Sends what the preview shows, now or at a time; refused when the token pool would not last."""
    batch = batch_or_404(request, batch_id)
    calls = Invitation.objects.filter(batch=batch, state=Invitation.State.PENDING).count()
    form, obstacle = ConfirmForm(request.POST, calls=calls), missing_names.obstacle(batch)
    if obstacle:
        messages.error(request, obstacle)
    elif not form.is_valid():
        messages.error(request, form.sentence)
    elif not services.confirm(batch, actor=request.user.get_username(), start_at=form.cleaned_data["start_at"]):
        messages.warning(request, TOO_LATE)
    return redirect("invitations:batch", batch_id=batch.pk)


@require_POST
def act(request: HttpRequest, batch_id: UUID, action: str) -> HttpResponseBase:
    """Pause, resume, cancel, retry or undo."""
    if action not in services.ACTIONS:
        raise Http404
    batch = batch_or_404(request, batch_id)
    if not services.ACTIONS[action](batch, actor=request.user.get_username()):
        messages.warning(request, TOO_LATE)
    return redirect("invitations:batch", batch_id=batch.pk)


def _preview(batch: Batch, counts: dict[str, int]) -> dict[str, Any]:
    """What the page shows before anybody confirms: who is left out and why, the cost, the columns, the names."""
    pending = counts.get(Invitation.State.PENDING, 0)
    return {
        "bad_rows": Invitation.objects.filter(batch=batch, state__in=LEFT_OUT).order_by("line")[:BAD_ROWS_SHOWN],
        "left_out": sum(counts.get(state, 0) for state in LEFT_OUT),
        "estimate": estimate.of(pending),
        "members_as_of": services.members_as_of(batch),
        "format": reader.Format(**batch.format) if batch.format else None,
        "confirm_form": ConfirmForm(calls=pending),
        "names_obstacle": missing_names.obstacle(batch),
        "made_names": missing_names.count(batch.pk) if batch.made_names else 0,
        "made_examples": missing_names.examples(batch.pk) if batch.made_names else [],
        "made_more": -missing_names.SHOWN,
        "stand_in": settings.LAST_NAME_STAND_IN,
    }


def _rows_page(request: HttpRequest, batch: Batch) -> Page:
    rows = Invitation.objects.filter(batch=batch).order_by("line")
    state = request.GET.get("state")
    if state in Invitation.State.values:
        rows = rows.filter(state=state)
    return Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))


def _row(invitation: Invitation) -> dict:
    return {
        "line": invitation.line,
        "email": invitation.email,
        "first_name": invitation.first_name,
        "last_name": invitation.last_name,
        "name_made": invitation.name_made,
        "state": invitation.state,
        "state_label": invitation.get_state_display(),
        "reason": invitation.explanation,
        "member_id": invitation.member_id,
        "invited_at": invitation.invited_at.isoformat() if invitation.invited_at else None,
    }
