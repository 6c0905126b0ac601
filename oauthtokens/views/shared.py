"""What the console's pages of the token sets share."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from coursehub import roles
from oauthtokens import services
from oauthtokens.models import Sitting
from oauthtokens.regeneration import sessions

LIST, SITTING = "admin:oauthtokens_tokenset_changelist", "admin:oauthtokens_sitting_page"


def page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """The template in the console's frame; `may_maintain` says whether this person may act."""
    held = roles.of(request.user)
    may = {"may_maintain": roles.MAINTENANCE in held, "reserve_at": settings.TOKEN_RETIRE_AT_USES}
    return TemplateResponse(request, template, {**admin.site.each_context(request), **may, **context})


def number_or_404(number: int) -> None:
    """Raises Http404 for a number that is none of the pool's."""
    try:
        services.check_number(number)
    except ValueError as error:
        raise Http404(str(error)) from error


def way_back(number: int) -> str:
    """To the sitting that this set belongs to, or to the list."""
    sitting = sessions.current()
    planned = sitting is not None and any(entry["number"] == number for entry in sitting.plan)
    return SITTING if planned else LIST


def done(sitting: Sitting | None) -> int:
    """How many sets of the sitting have new tokens."""
    return sum(step.outcome is sessions.Outcome.DONE for step in sessions.steps(sitting)) if sitting else 0
