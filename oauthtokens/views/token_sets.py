"""The console's pages of the token sets: how they stand, regeneration, and what a person may do to one or all.

Who may open which of them stands in `coursehub.roles`. Each act is one service call and one sentence; no page
shows a token, a code or what came of decrypting one.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST

from coursehub import clock
from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import sentences, services
from oauthtokens.forecast import chart, model, usage
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state
from oauthtokens.pool.client_credentials import SCOPE
from oauthtokens.pool.refresh_lease import LIVE, State
from oauthtokens.regeneration import consents, exchange, sessions
from oauthtokens.views import regeneration
from oauthtokens.views.shared import LIST, done, number_or_404, page, way_back

REVOKE_ALL = "revoke all"


def token_page(request: HttpRequest) -> TemplateResponse:
    """All sets, what to do now, and the forecast."""
    sets, now = _sets(), clock.now()
    seen = usage.read(now)
    made = model.make(sets, now, seen)
    stopped, due = pool_state.read()["stopped"], set(exchange.needed(sets, now))
    sitting = sessions.current()
    context = {
        "title": "Token sets",
        "rows": [_row(one, is_due=one.number in due) for one in sets],
        "headline": sentences.headline(sets, now, stopped, made, by_client=client_credentials.is_chosen()),
        "sitting": sitting,
        "sitting_done": done(sitting),
        "forecast": made,
        "chart": chart.make(sets, now, seen, made),
        "seen": seen,
        "as_of": now,
        "wait_seconds": consents.seconds_to_wait(),
        "margin_minutes": settings.TOKEN_REFRESH_MARGIN_SECONDS / 60,
        "first_day": not client_credentials.is_chosen() and all(one.state == State.EMPTY for one in sets),
        "redirect_uri": consents.redirect_uri(),
        "scope": SCOPE,
    }
    return page(request, "oauthtokens/tokens.html", context)


@require_POST
def consent(request: HttpRequest, number: int) -> HttpResponse:
    """Off to Zoho's consent page for one set."""
    number_or_404(number)
    try:
        return HttpResponseRedirect(services.begin_consent(number=number, user_id=request.user.pk or 0))
    except consents.TooSoon as error:
        text = (
            f"Zoho takes one consent every {consents.EVERY_SECONDS:.0f} s: begin again in {error.wait_seconds:.0f} s."
        )
        messages.warning(request, text)
    return redirect(way_back(number))


@require_http_methods(["GET", "POST"])
def paste(request: HttpRequest, number: int) -> HttpResponse:
    """A self client's code for one set; it is never shown again."""
    number_or_404(number)
    error = ""
    if request.method == "POST":
        code = request.POST.get("code", "").strip()
        try:
            if not code:
                raise ValueError("Paste the code that Zoho's API console gave you.")
            services.exchange_code(number=number, code=code, actor=request.user.get_username())
        except (TrainerCentralError, ValueError) as refused:
            error = refused.sentence if isinstance(refused, TrainerCentralError) else str(refused)
        else:
            messages.success(request, f"Token set {number} has new tokens.")
            return redirect(way_back(number))
    context = {"title": f"Code for token set {number}", "number": number, "error": error, "scope": SCOPE}
    return page(request, "oauthtokens/paste.html", context)


@require_POST
def refresh(request: HttpRequest, number: int) -> HttpResponse:
    """One refresh now; it counts as a use."""
    number_or_404(number)
    done = services.refresh_set(number, force=True, actor=request.user.get_username())
    tell = messages.success if done.outcome is services.Outcome.REFRESHED else messages.warning
    tell(request, sentences.refreshed(f"Token set {number}", *done[1:]))
    return redirect(LIST)


@require_POST
def rotate(request: HttpRequest) -> HttpResponse:
    """On to the next ready set."""
    try:
        messages.success(request, f"Token set {services.rotate(actor=request.user.get_username())} is active.")
    except TrainerCentralError as error:
        messages.warning(request, error.sentence)
    return redirect(LIST)


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, number: int) -> HttpResponse:
    """Let a set be used to its very end, for a reason."""
    number_or_404(number)
    error = ""
    if request.method == "POST":
        try:
            services.release_reserve(
                number=number, actor=request.user.get_username(), reason=request.POST.get("reason", "")
            )
        except ValueError as refused:
            error = str(refused)
        else:
            messages.success(request, f"The reserve of token set {number} may be used now.")
            return redirect(LIST)
    context = {"title": f"Release the reserve of token set {number}", "number": number, "error": error}
    return page(request, "oauthtokens/release.html", context)


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """End a set's tokens, at Zoho and here; its number has to be typed."""
    number_or_404(number)
    if _typed(request, str(number)):
        outcome = services.revoke(number=number, actor=request.user.get_username())
        messages.success(request, f"Token set {number} {sentences.REVOKED[outcome]}")
        return redirect(LIST)
    return _confirm(request, f"Revoke token set {number}", str(number), number)


@require_http_methods(["GET", "POST"])
def revoke_all(request: HttpRequest) -> HttpResponse:
    """The same for every set."""
    if _typed(request, REVOKE_ALL):
        outcomes = [of for number, of in services.revoke_all(actor=request.user.get_username()).items() if number]
        pending = outcomes.count(services.Revocation.PENDING)
        text = f"{outcomes.count(services.Revocation.REVOKED)} token sets are revoked, and their tokens destroyed here."
        messages.success(request, f"{text} {pending} wait for Zoho." if pending else text)
        return redirect(LIST)
    return _confirm(request, "Revoke all token sets", REVOKE_ALL, None)


def urls() -> list[URLPattern]:
    """The pages below the list of token sets; names in the admin's namespace."""
    pages: dict[str, tuple[str, Any]] = {
        "consent": ("<int:number>/consent/", consent),
        "paste": ("<int:number>/paste/", paste),
        "refresh": ("<int:number>/refresh/", refresh),
        "release": ("<int:number>/release/", release),
        "revoke": ("<int:number>/revoke/", revoke),
        "revoke_all": ("revoke-all/", revoke_all),
        "rotate": ("rotate/", rotate),
        "sitting_page": ("regeneration/", regeneration.sitting_page),
        "sitting_start": ("regeneration/start/", regeneration.sitting_start),
        "sitting_skip": ("regeneration/<int:number>/skip/", regeneration.sitting_skip),
        "sitting_sign_off": ("regeneration/<int:pk>/sign-off/", regeneration.sitting_sign_off),
    }
    return [
        path(route, admin.site.admin_view(view), name=f"oauthtokens_{name}") for name, (route, view) in pages.items()
    ]


def _confirm(request: HttpRequest, title: str, wanted: str, number: int | None) -> TemplateResponse:
    error = f"Nothing was revoked: type {wanted} to confirm." if request.method == "POST" else ""
    return page(
        request, "oauthtokens/revoke.html", {"title": title, "wanted": wanted, "number": number, "error": error}
    )


def _typed(request: HttpRequest, wanted: str) -> bool:
    return request.method == "POST" and request.POST.get("confirm", "").strip().lower() == wanted


def _row(token_set: TokenSet, *, is_due: bool) -> dict[str, Any]:
    near_its_end = token_set.state in (State.ACTIVE, State.RETIRING, State.EXHAUSTED)
    return {
        "set": token_set,
        "meaning": sentences.MEANINGS[token_set.state],
        "is_due": is_due,
        "may_refresh": token_set.state in LIVE,
        "may_release": near_its_end and not token_set.reserve_released,
    }


def _sets() -> list[TokenSet]:
    return list(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT))
