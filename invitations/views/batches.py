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
from invitations import results_workbook, retention, services
from invitations.columns_form import ColumnsForm
from invitations.forms import ConfirmForm
from invitations.models import Batch, Invitation
from invitations.repair import acts, domains
from invitations.selectors import batch_list, batch_status, course_counts, estimate, findings, row_pages
from invitations.selectors.row_choice import LEFT_OUT, NOT_INVITED, SIZES, Choice, Order
from invitations.selectors.search import SearchRefused
from invitations.sending import missing_names
from invitations.upload_forms import SheetForm
from invitations.views import readings, repair
from invitations.views.rows import Shown, shown_rows
from invitations.views.shared import TOO_LATE, batch_or_404

BAD_ROWS_SHOWN = 100
ERRORS_SHOWN = 5
COURSES_SHOWN = 20
BATCHES_PER_PAGE = 25
TROUBLE = (Invitation.State.FAILED, Invitation.State.UNKNOWN)


@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """The batches this user may see, newest first; of one state, and with what is sought in them, if asked."""
    choice, sentence = batch_list.Choice.of(request.GET), ""
    try:
        found = batch_list.of(request.user, choice)
    except SearchRefused as refusal:
        found, sentence = Batch.objects.none(), str(refusal)
    page = Paginator(found, BATCHES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": "Invitations", "batches": page, "page_obj": page, "page_query": choice.query(),
        "choice": choice, "sentence": sentence, "batch_states": Batch.State.values,
    }  # fmt: skip
    return render(request, "invitations/list.html", context)


@require_GET
def batch(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """What its columns hold, how far it is read, preview, progress and results of one batch."""
    batch = batch_or_404(request, batch_id)
    status = batch_status.status(batch.pk)
    # What is to be put right stands first, as long as it can be.
    usual = Order.BAD_FIRST if batch.state == Batch.State.PREVIEW else Order.LINE
    choice = Choice.of(request.GET, usual=usual)
    shown = shown_rows(batch, choice, request.GET.get("page"), status["counts"] if status else {})
    context = {
        "title": batch.filename,
        "batch": batch,
        "status": status,
        **_rows(batch, shown),
        "may_decide": batch.state in services.DECIDABLE,
        "repairable": () if batch.forgotten_at else acts.REPAIRABLE.get(batch.state, ()),
        "findings": findings.of(batch) if batch.state in services.DECIDABLE else [],
        "last_errors": Invitation.objects.filter(batch=batch, state__in=TROUBLE).order_by("-line")[:ERRORS_SHOWN],
    }
    context["has_workbook"] = batch.state in Batch.FINAL and results_workbook.is_there(batch)
    if batch.state == Batch.State.PREVIEW:
        context |= _preview(batch, status["counts"] if status else {}) | repair.context_of(request, batch)
        context |= readings.context_of(batch)
        context |= {"bad_rows": []} if choice.is_narrowed else {}
        if not choice.is_narrowed and shown.page.number == 1:
            context |= _courses(batch)
    elif batch.state == Batch.State.UPLOADED and not batch_status.is_settled(batch):
        context |= {"columns_form": ColumnsForm(batch=batch), "sheet_form": SheetForm.of(batch)}
    return render(request, "invitations/batch.html", context)


@require_GET
def status(request: HttpRequest, batch_id: UUID) -> JsonResponse:
    return JsonResponse(batch_status.status(batch_or_404(request, batch_id).pk))


@require_POST
def confirm(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Sends what the preview shows, now or at a time; refused when the token pool would not last."""
    batch = batch_or_404(request, batch_id)
    calls = Invitation.objects.filter(batch=batch, state=Invitation.State.PENDING).count()
    form = ConfirmForm(request.POST, calls=calls)
    obstacle = missing_names.obstacle(batch) or domains.obstacle(batch)
    if obstacle:
        messages.error(request, obstacle)
    elif not form.is_valid():
        messages.error(request, form.sentence)
    elif not services.confirm(
        batch, actor=request.user.get_username(), start_at=form.cleaned_data["start_at"],
        reading=form.cleaned_data["reading"],
    ):  # fmt: skip
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


@require_POST
def discard(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Puts a preview away; leads back to the list."""
    batch = batch_or_404(request, batch_id)
    if services.discard(batch, actor=request.user.get_username()):
        messages.success(request, f"“{batch.filename}” is discarded: nobody was invited by it.")
        return redirect("invitations:list")
    messages.warning(request, TOO_LATE)
    return redirect("invitations:batch", batch_id=batch.pk)


def _rows(batch: Batch, shown: Shown) -> dict[str, Any]:
    """What the table of rows shows, and what leads to its other pages, orders and sizes."""
    choice = shown.choice
    other = Order.LINE if choice.order == Order.BAD_FIRST else Order.BAD_FIRST
    return {
        "rows": shown.page.object_list,
        "page_obj": shown.page,
        "page_query": choice.query(),
        "rows_query": choice.query(order=choice.order, page=str(shown.page.number)),
        "choice": choice,
        "sentence": shown.sentence,
        "is_cut": shown.is_cut,
        "most_found": row_pages.MOST_FOUND,
        "course_names": row_pages.course_names(batch, shown.page),
        "state_filter": choice.state,
        "state_query": choice.query(state=""),
        "unsought_query": choice.query(q=""),
        "order_query": choice.query(order=other),
        "sizes": [(size, choice.query(size=str(size))) for size in SIZES],
        "not_invited": ",".join(NOT_INVITED),
    }


def _courses(batch: Batch) -> dict[str, Any]:
    """Who would be invited where and until when; nothing where the other figures say it all."""
    counts = course_counts.of(batch) if course_counts.may_differ(batch) else []
    if not course_counts.is_worth_telling(counts):
        return {}
    return {"course_counts": counts[:COURSES_SHOWN], "courses_more": max(len(counts) - COURSES_SHOWN, 0)}


def _preview(batch: Batch, counts: dict[str, int]) -> dict[str, Any]:
    """What the page shows before anybody confirms: who is left out and why, the cost, the columns, the names."""
    pending = counts.get(Invitation.State.PENDING, 0)
    return {
        "bad_rows": Invitation.objects.filter(batch=batch, state__in=LEFT_OUT).order_by("line")[:BAD_ROWS_SHOWN],
        "left_out": sum(counts.get(state, 0) for state in LEFT_OUT),
        "kept_until": retention.kept_until(batch),
        "estimate": estimate.of(pending),
        "members_as_of": batch_status.members_as_of(batch),
        "confirm_form": ConfirmForm(calls=pending),
        "names_obstacle": missing_names.obstacle(batch),
        "made_names": missing_names.count(batch.pk) if batch.made_names else 0,
        "made_examples": missing_names.examples(batch.pk) if batch.made_names else [],
        "made_more": -missing_names.SHOWN,
        "stand_in": settings.LAST_NAME_STAND_IN,
    }
