"""The trainer's pages: upload, preview, watch, results."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invitations import services
from invitations.forms import UploadForm
from invitations.models import Batch, Invitation

ROWS_PER_PAGE = 50
BAD_ROWS_SHOWN = 100
LEFT_OUT = (Invitation.State.INVALID, Invitation.State.DUPLICATE, Invitation.State.ALREADY_INVITED)
TOO_LATE = "That was no longer possible: the batch has moved on."
TEMPLATE = "email,first name,last name\r\nada@example.org,Ada,Lovelace\r\n"


@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """The batches this user may see, newest first, with their counts."""
    page = Paginator(Batch.objects.visible_to(request.user).exclude(state=Batch.State.UPLOADED), 25).get_page(
        request.GET.get("page")
    )
    return render(request, "invitations/list.html", {"title": "Invitations", "batches": page, "page_obj": page})


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    """A course and a CSV; a good file leads to its preview, a bad one back here with one sentence."""
    form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid() and form.batch:
        return redirect("invitations:batch", batch_id=form.batch.pk)
    return render(request, "invitations/upload.html", {"title": "Upload a CSV", "form": form})


@require_GET
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Preview, progress and results of one batch."""
    batch = _batch_or_404(request, batch_id)
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
        "bad_rows": Invitation.objects.filter(batch=batch, state__in=LEFT_OUT).order_by("line")[:BAD_ROWS_SHOWN],
        "planned_seconds": services.planned_seconds((status or {}).get("counts", {}).get(Invitation.State.PENDING, 0)),
    }
    return render(request, "invitations/batch.html", context)


@require_GET
def status(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    return JsonResponse(services.status(_batch_or_404(request, batch_id).pk))


@require_GET
def rows(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    """One page of rows, of one state if asked."""
    page = _rows_page(request, _batch_or_404(request, batch_id))
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
def act(request: HttpRequest, batch_id: UUID, action: str) -> HttpResponseBase:
    """Confirm, pause, resume, cancel or retry."""
    if action not in services.ACTIONS:
        raise Http404
    batch = _batch_or_404(request, batch_id)
    if not services.ACTIONS[action](batch, actor=request.user.get_username()):
        messages.warning(request, TOO_LATE)
    return redirect("invitations:batch", batch_id=batch.pk)


def _batch_or_404(request: HttpRequest, batch_id: UUID) -> Batch:
    return get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)


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
        "state": invitation.state,
        "state_label": invitation.get_state_display(),
        "reason": invitation.reason,
        "member_id": invitation.member_id,
        "invited_at": invitation.invited_at.isoformat() if invitation.invited_at else None,
    }
