"""From a file to a batch whose columns and names are settled."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from coursehub import queue
from coursehub.roles import SignedInRequest
from invitations import services, tasks
from invitations.columns_form import ColumnsForm
from invitations.forms import UploadForm
from invitations.models import Batch
from invitations.parsing.errors import FileRefused
from invitations.sending import missing_names
from invitations.views.shared import TOO_LATE, batch_or_404

TEMPLATE = "email,first name,last name,access until\r\n"


@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest) -> HttpResponseBase:
    """A course and a CSV; a good file leads to its preview, a bad one back here with one sentence."""
    form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            batch = services.upload(
                user=request.user, course=form.cleaned_data["course"], filename=file.name, content=file.file
            )
        except FileRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            if batch.state == Batch.State.UPLOADED:
                queue.enqueue(tasks.read, batch.pk)
            return redirect("invitations:batch", batch_id=batch.pk)
    return render(request, "invitations/upload.html", {"title": "Upload a CSV", "form": form})


@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """A file to fill in: headings alone, since an example in it would be invited."""
    return HttpResponse(
        TEMPLATE, content_type="text/csv", headers={"Content-Disposition": 'attachment; filename="template.csv"'}
    )


@require_POST
def columns(request: SignedInRequest, batch_id: UUID) -> HttpResponseBase:
    """Takes what a person says about the columns, and has the file read."""
    batch = batch_or_404(request, batch_id)
    form = ColumnsForm(request.POST, batch=batch)
    sentence = form.sentence
    if form.is_valid():
        try:
            services.choose_columns(batch, user=request.user, form=form.read_as)
        except FileRefused as refusal:
            sentence = str(refusal)
        else:
            queue.enqueue(tasks.read, batch.pk)
    if sentence:
        messages.error(request, sentence)
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
