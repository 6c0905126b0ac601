"""Putting rows right where one sees them: one row, and all addresses of a domain."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from coursehub import queue
from invitations import services, tasks
from invitations.models import Batch, Invitation
from invitations.repair import acts, domains
from invitations.repair import cells as row_cells
from invitations.uploads.import_rows import courses_of
from invitations.views.shared import TOO_LATE, batch_or_404

MOST_COURSES_OFFERED = 300
_OTHER_ACTS = {"leave-out": services.leave_out, "take-back": services.take_back}


@require_http_methods(["GET", "POST"])
def row(request: HttpRequest, batch_id: UUID, line: int) -> HttpResponseBase:
    """A row's cells to be put right, a page of its own; a POST judges them at once, or leaves the row out or in.

    A script that asks for JSON gets "saved", "sentence", and in "offer" what may be done with all rows like it.
    """
    batch = batch_or_404(request, batch_id)
    invitation: Invitation = get_object_or_404(Invitation.objects.filter(batch=batch), line=line)
    if request.method == "GET":
        if not acts.is_repairable(batch, invitation):
            messages.warning(request, acts.TOO_LATE)
            return redirect("invitations:batch", batch_id=batch.pk)
        return render(request, "invitations/repair.html", _context(batch, invitation))
    outcome = _act(request, batch, invitation)
    offer = _offer(batch, invitation) if outcome.is_done else None
    if request.accepts("text/html"):
        return _page_after(request, batch, invitation, outcome, offer)
    shown = {"offer": offer, "batch": batch}
    text = render_to_string("invitations/batch_repair_offer.html", shown, request) if offer else ""
    return JsonResponse({"saved": outcome.is_done, "sentence": outcome.sentence, "offer": text})


@require_POST
def domain(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """All addresses of a domain get another one, or a person says that they are right."""
    batch, actor = batch_or_404(request, batch_id), request.user.get_username()
    wrong, meant = request.POST.get("domain", "")[:320], request.POST.get("meant", "").strip().lower()[:320]
    if request.POST.get("decision") == "right":
        services.keep_domain(batch, wrong)
    elif sentence := domains.problem_of(meant):
        messages.error(request, sentence)
    elif not services.correct_domain(batch, wrong, meant, actor=actor):
        messages.warning(request, TOO_LATE)
    else:
        _say_what_was_corrected(request, batch, wrong, meant)
    return redirect(f"{reverse('invitations:batch', kwargs={'batch_id': batch.pk})}#repair")


def context_of(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What a batch's preview shows of mistyped domains, and, after a row was put right, of the rows like it."""
    asked = request.GET.get("domain", "")[:320], request.GET.get("meant", "")[:320]
    return {
        "suggestions": domains.open_suggestions(batch),
        "offer": domains.like(batch, *asked) if all(asked) else None,
        "correction_obstacle": domains.obstacle(batch),
    }


def _act(request: HttpRequest, batch: Batch, invitation: Invitation) -> acts.Outcome:
    seen, actor = request.POST.get("seen", ""), request.user.get_username()
    what = request.POST.get("act", "repair")
    if what == "repair":
        given = {name: request.POST[name] for name in row_cells.fields_of(batch) if name in request.POST}
        return services.repair(batch, invitation, given, seen=seen, actor=actor)
    if what not in _OTHER_ACTS:
        raise Http404
    return _OTHER_ACTS[what](batch, invitation, seen=seen, actor=actor)


def _offer(batch: Batch, before: Invitation) -> domains.Offer | None:
    """When the address kept its name and got another domain: the same for all rows of that domain."""
    now = Invitation.objects.filter(pk=before.pk).values_list("email_folded", flat=True).first() or ""
    name, _, wrong = before.email_folded.rpartition("@")
    new_name, _, meant = now.rpartition("@")
    return domains.like(batch, wrong, meant) if name and name == new_name else None


def _page_after(
    request: HttpRequest, batch: Batch, invitation: Invitation, outcome: acts.Outcome, offer: domains.Offer | None
) -> HttpResponseBase:
    """Without a script: back to the batch, or the same page with the sentence and what was written."""
    if not outcome.is_done and outcome.sentence != acts.TOO_LATE:
        context = _context(batch, invitation) | {"sentence": outcome.sentence}
        for field in context["fields"]:
            field["value"] = request.POST.get(field["name"], field["value"])
        return render(request, "invitations/repair.html", context)
    (messages.success if outcome.is_done else messages.warning)(request, outcome.sentence)
    query = f"?{urlencode({'domain': offer['domain'], 'meant': offer['meant']})}" if offer else ""
    return redirect(f"{reverse('invitations:batch', kwargs={'batch_id': batch.pk})}{query}#repair")


def _context(batch: Batch, invitation: Invitation) -> dict[str, Any]:
    courses = courses_of(batch.uploaded_by, batch.course_id)
    document = {**{name: getattr(invitation, name) for name in _OF_ROW}}
    cells = row_cells.shown(batch, [document], courses)[invitation.line]
    if invitation.name_made:
        cells |= {"first_name": invitation.first_name, "last_name": invitation.last_name}
    fault = row_cells.first_fault(cells, courses)
    names = row_cells.fields_of(batch)
    return {
        "title": f"Line {invitation.line}", "batch": batch, "row": invitation, "seen": acts.token(document),
        "fields": [
            {"name": name, "label": row_cells.LABELS[name], "value": cells[name], "has_focus": name == fault}
            for name in names
        ],
        "courses": sorted(courses.names.values())[:MOST_COURSES_OFFERED] if "course" in names else [],
        "is_preview": batch.state == Batch.State.PREVIEW,
    }  # fmt: skip


_OF_ROW = (
    "id", "line", "course_id", "email", "email_folded", "first_name", "last_name", "name_made", "access_expires_at",
    "state", "attempts", "correction",
)  # fmt: skip


def _say_what_was_corrected(request: HttpRequest, batch: Batch, wrong: str, meant: str) -> None:
    if Batch.objects.filter(pk=batch.pk, correcting_at__isnull=False).exists():
        queue.enqueue(tasks.correct, batch.pk)
        messages.info(request, f"The addresses at {wrong} are being corrected to {meant}. It takes some seconds.")
    else:
        messages.success(request, f"The addresses at {wrong} are now at {meant}.")
