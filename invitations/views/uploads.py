"""From a file to a batch whose columns and names are settled."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coursehub import queue
from coursehub.downloads import Separator, Spreadsheet
from coursehub.roles import SignedInRequest
from invitations import services, tasks
from invitations.forms import NamesForm
from invitations.models import Batch
from invitations.parsing.errors import FileRefused
from invitations.repair import without_names
from invitations.upload_forms import UploadForm
from invitations.views.shared import TOO_LATE, batch_or_404

# Headings only: an example row would be invited with the others by whoever leaves it in. The page shows one.
TEMPLATE = ["email", "first name", "last name", "access until"]


@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest) -> HttpResponseBase:
    """A course and a list, as a file or pasted; a good one leads to its preview, a bad one back with one sentence."""
    form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        name, content = form.upload
        try:
            batch = services.upload(
                user=request.user, course=form.cleaned_data["course"], filename=name, content=content
            )
        except FileRefused as refusal:
            form.refuse(str(refusal))
        else:
            if batch.state == Batch.State.UPLOADED:
                queue.enqueue(tasks.read, batch.pk)
            return redirect("invitations:batch", batch_id=batch.pk)
    return render(request, "invitations/upload.html", {"title": "Invite learners", "form": form})


@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """A file to fill in; `separator` says what the person's spreadsheet needs between the cells."""
    sheet = Spreadsheet(Separator.of(request.GET.get("separator")))
    headers = {"Content-Disposition": 'attachment; filename="template.csv"'}
    return HttpResponse(b"".join(sheet.lines([TEMPLATE])), content_type=Spreadsheet.CONTENT_TYPE, headers=headers)


@require_POST
def names(request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
    """Takes what becomes of the rows without a full name: names made from the addresses, or left out."""
    batch = batch_or_404(request, batch_id)
    form = NamesForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.sentence)
        return redirect("invitations:batch", batch_id=batch.pk)
    said, actor = form.cleaned_data, request.user.get_username()
    choice = {"fill": Batch.Names.FILLED, "leave_out": Batch.Names.LEFT_OUT}[said["names"]]
    if not without_names.choose(batch, choice, actor=actor, reading=said["reading"]):
        messages.warning(request, TOO_LATE)
    elif choice == Batch.Names.LEFT_OUT and batch.made_names > without_names.AT_ONCE_ROWS:
        queue.enqueue(tasks.leave_out, batch.pk)
    return redirect("invitations:batch", batch_id=batch.pk)
