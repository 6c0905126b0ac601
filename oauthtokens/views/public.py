"""Outside the console: where Zoho sends the browser back to, and the forecast for machines."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import services
from oauthtokens.regeneration import consents, sessions


@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """The answer to a consent: its code is exchanged at once, and leaves the address by the redirect."""
    actor = request.user.get_username()
    try:
        number = services.complete_consent(answer=request.GET.dict(), user_id=request.user.pk or 0, actor=actor)
    except consents.Unusable as error:
        messages.warning(request, error.sentence)
    except TrainerCentralError as error:
        messages.error(request, f"The consent led to no tokens: {error.sentence}")
    else:
        messages.success(request, f"Token set {number} has new tokens.")
    goal = "sitting_page" if sessions.current() else "tokenset_changelist"
    return redirect(f"admin:oauthtokens_{goal}")


@require_GET
@never_cache
def forecast(request: HttpRequest) -> JsonResponse:
    """How the sets stand and how long they last; no token."""
    return JsonResponse(services.status())
