"""The rows of a batch, and those that a person decides about."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invitations import services
from invitations.models import Batch, Invitation
from invitations.selectors import findings
from invitations.views.shared import batch_or_404

ROWS_PER_PAGE = 50
DECISIONS = {"already-there": services.already_there, "send-again": services.send_again}


@require_GET
def rows(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    """One page of rows, of one state if asked."""
    page = page_of(request, batch_or_404(request, batch_id))
    return JsonResponse(
        {
            "rows": [_row(invitation) for invitation in page],
            "page": page.number,
            "pages": page.paginator.num_pages,
            "total": page.paginator.count,
        }
    )


@require_http_methods(["GET", "POST"])
def row(request: HttpRequest, batch_id: UUID, line: int) -> HttpResponseBase:
    """One row; where its outcome is unknown, a person decides here."""
    batch = batch_or_404(request, batch_id)
    invitation: Invitation = get_object_or_404(Invitation.objects.filter(batch=batch), line=line)
    if request.method == "POST":
        decide = DECISIONS.get(request.POST.get("decision", "")) if batch.state in services.DECIDABLE else None
        if decide is None or not decide(batch, invitation, actor=request.user.get_username()):
            messages.warning(request, "That was no longer possible: the row has moved on.")
        return redirect("invitations:batch", batch_id=batch.pk)
    may_decide = invitation.state == Invitation.State.UNKNOWN and batch.state in services.DECIDABLE
    context = {"title": f"Line {line}", "batch": batch, "row": invitation, "may_decide": may_decide}
    return render(request, "invitations/row.html", context)


@require_POST
def unknown(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """One decision for all rows of unknown outcome of which the look-ups found the same."""
    batch = batch_or_404(request, batch_id)
    decide = DECISIONS.get(request.POST.get("decision", "")) if batch.state in services.DECIDABLE else None
    finding, actor = request.POST.get("finding", ""), request.user.get_username()
    if decide is None or not decide(batch, *findings.rows_of(batch, finding), actor=actor):
        messages.warning(request, "That was no longer possible: the rows have moved on.")
    return redirect("invitations:batch", batch_id=batch.pk)


def page_of(request: HttpRequest, batch: Batch) -> "Page[Invitation]":
    """The page of rows that is asked for, of one state if asked."""
    rows = Invitation.objects.filter(batch=batch).order_by("line")
    state = request.GET.get("state")
    if state in Invitation.State.values:
        rows = rows.filter(state=state)
    return Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))


def _row(invitation: Invitation) -> dict[str, Any]:
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
