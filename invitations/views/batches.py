"""The batches: their list, and one from its preview to its end."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from coursehub.roles import SignedInRequest
from invitations import services
from invitations.columns_form import ColumnsForm
from invitations.forms import ConfirmForm
from invitations.models import Batch, Invitation
from invitations.parsing import reader
from invitations.selectors import batch_status, estimate, findings
from invitations.sending import missing_names
from invitations.views.rows import page_of
from invitations.views.shared import TOO_LATE, batch_or_404

BAD_ROWS_SHOWN = 100
ERRORS_SHOWN = 5
TROUBLE = (Invitation.State.FAILED, Invitation.State.UNKNOWN)
LEFT_OUT = (
    Invitation.State.INVALID,
    Invitation.State.DUPLICATE,
    Invitation.State.ALREADY_INVITED,
    Invitation.State.ALREADY_ENROLLED,
)


@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """The batches this user may see, newest first, with their counts."""
    page = Paginator(Batch.objects.visible_to(request.user), 25).get_page(request.GET.get("page"))
    return render(request, "invitations/list.html", {"title": "Invitations", "batches": page, "page_obj": page})


@require_GET
def batch(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """What its columns hold, how far it is read, preview, progress and results of one batch."""
    batch = batch_or_404(request, batch_id)
    status = batch_status.status(batch.pk)
    page = page_of(request, batch)
    context = {
        "title": batch.filename,
        "batch": batch,
        "status": status,
        "rows": page.object_list,
        "page_obj": page,
        "state_filter": request.GET.get("state", ""),
        "states": Invitation.State.choices,
        "may_decide": batch.state in services.DECIDABLE,
        "findings": findings.of(batch) if batch.state in services.DECIDABLE else [],
        "last_errors": Invitation.objects.filter(batch=batch, state__in=TROUBLE).order_by("-line")[:ERRORS_SHOWN],
    }
    if batch.state == Batch.State.PREVIEW:
        context |= _preview(batch, status["counts"] if status else {})
    elif batch.state == Batch.State.UPLOADED and not batch_status.is_settled(batch):
        context["columns_form"] = ColumnsForm(batch=batch)
    return render(request, "invitations/batch.html", context)


@require_GET
def status(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    return JsonResponse(batch_status.status(batch_or_404(request, batch_id).pk))


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
        "members_as_of": batch_status.members_as_of(batch),
        "format": reader.Format(**batch.format) if batch.format else None,
        "confirm_form": ConfirmForm(calls=pending),
        "names_obstacle": missing_names.obstacle(batch),
        "made_names": missing_names.count(batch.pk) if batch.made_names else 0,
        "made_examples": missing_names.examples(batch.pk) if batch.made_names else [],
        "made_more": -missing_names.SHOWN,
        "stand_in": settings.LAST_NAME_STAND_IN,
    }
