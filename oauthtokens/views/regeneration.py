"""The console's pages of a sitting: all sets that need new tokens, one after the other, until it is signed off."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from oauthtokens.regeneration import consents, sessions
from oauthtokens.views.shared import LIST, SITTING, done, number_or_404, page


@require_GET
def sitting_page(request: HttpRequest) -> HttpResponse:
    """The open sitting: done, next, skipped; and the records of those before."""
    sitting = sessions.current()
    steps = sessions.steps(sitting) if sitting else []
    left = [step for step in steps if step.outcome in (sessions.Outcome.NEXT, sessions.Outcome.WAITING)]
    context = {
        "title": "Regeneration",
        "sitting": sitting,
        "steps": steps,
        "done": done(sitting),
        "next": left[0] if left else None,
        "left": len(left),
        "wait_seconds": consents.seconds_to_wait(),
        "every_seconds": int(consents.EVERY_SECONDS),
        "records": sessions.records(),
        "remarks_length": sessions.REMARKS_LENGTH_MAX,
    }
    return page(request, "oauthtokens/sitting.html", context)


@require_POST
def sitting_start(request: HttpRequest) -> HttpResponse:
    """All that need it, or on with the open sitting."""
    try:
        sessions.start(actor=request.user.get_username())
    except ValueError as error:
        messages.info(request, str(error))
        return redirect(LIST)
    return redirect(SITTING)


@require_POST
def sitting_skip(request: HttpRequest, number: int) -> HttpResponse:
    """This set another time."""
    number_or_404(number)
    try:
        sessions.skip(number=number, actor=request.user.get_username())
    except ValueError as error:
        messages.warning(request, str(error))
    return redirect(SITTING)


@require_POST
def sitting_sign_off(request: HttpRequest, pk: int) -> HttpResponse:
    """The end of a sitting, with its record."""
    try:
        record = sessions.sign_off(pk=pk, actor=request.user.get_username(), remarks=request.POST.get("remarks", ""))
    except ValueError as error:
        messages.warning(request, str(error))
        return redirect(SITTING)
    done = sum(entry["outcome"] == "regenerated" for entry in record.result)
    messages.success(request, f"Signed off: {done} of {len(record.result)} token sets have new tokens.")
    return redirect(LIST)
