"""The rows of a batch, and those that a person decides about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invitations import services
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status, findings, row_pages
from invitations.selectors.row_choice import Choice
from invitations.selectors.search import SearchRefused
from invitations.views.shared import batch_or_404

DECISIONS = {"already-there": services.already_there, "send-again": services.send_again}


@dataclass(frozen=True)
class Shown:
    """One page of rows, with what is said about it; `sentence`: why nothing could be searched for."""

    choice: Choice
    page: "Page[Invitation]"
    is_cut: bool = False
    sentence: str = ""


@require_GET
def rows(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    """One page of rows, of one state and with some words in them if asked; 400 with why they cannot be searched for."""
    batch = batch_or_404(request, batch_id)
    shown = shown_rows(batch, Choice.of(request.GET), request.GET.get("page"), batch_status.counts(batch))
    if shown.sentence:
        return JsonResponse({"error": shown.sentence}, status=400)
    names = row_pages.course_names(batch, shown.page)
    return JsonResponse(
        {
            "rows": [_row(invitation, names) for invitation in shown.page],
            "page": shown.page.number,
            "pages": shown.page.paginator.num_pages,
            "total": shown.page.paginator.count,
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


def shown_rows(batch: Batch, choice: Choice, number: str | None, counts: dict[str, int]) -> Shown:
    """One page of the rows of a choice, none when it is refused; `counts` are the batch's rows per state."""
    try:
        return Shown(choice, *row_pages.page_of(batch, choice, number, counts))
    except SearchRefused as refusal:
        return Shown(choice, row_pages.empty(choice), sentence=str(refusal))


def _row(invitation: Invitation, course_names: dict[str, str]) -> dict[str, Any]:
    ends_at = invitation.access_expires_at
    return {
        "line": invitation.line,
        "email": invitation.email,
        "first_name": invitation.first_name,
        "last_name": invitation.last_name,
        "name_made": invitation.name_made,
        "course_id": invitation.course_id,
        "course": course_names.get(invitation.course_id, invitation.course_id),
        "access_until": row_pages.last_day(ends_at).isoformat() if ends_at else None,
        "access": row_pages.access_of(invitation),
        "state": invitation.state,
        "state_label": invitation.get_state_display(),
        "reason": invitation.explanation,
        "member_id": invitation.member_id,
        "invited_at": invitation.invited_at.isoformat() if invitation.invited_at else None,
    }
