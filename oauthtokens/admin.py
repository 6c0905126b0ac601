"""Token sets and the records of their regeneration, in the console. No token text appears anywhere."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.decorators import display

from coursehub import clock
from coursehub.admin import ReadOnlyAdmin
from coursehub.console import badges
from oauthtokens.models import Sitting, TokenSet
from oauthtokens.views import token_sets


@admin.register(TokenSet)
class TokenSetAdmin(ReadOnlyAdmin):
    """The list is the token page (`admin_views`); one row shows everything that is stored but the tokens."""

    list_display = ("number", "state")
    fields = (
        *("number", "state", "reason", "uses_of_max", "access_token_life", "not_before"),
        *("generation", "regenerated_at", "last_refreshed_at"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        return [*token_sets.urls(), *super().get_urls()]

    def changelist_view(  # type: ignore[override]  # a page of our own, not a TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return token_sets.token_page(request)

    @display(description="Uses")
    def uses_of_max(self, token_set: TokenSet) -> str:
        return f"{token_set.uses} of {settings.TOKEN_MAX_USES}" if settings.TOKEN_MAX_USES else f"{token_set.uses}"

    @display(description="Access token expires in")
    def access_token_life(self, token_set: TokenSet) -> str:
        if token_set.access_expires_at is None:
            return "no access token"
        minutes = (token_set.access_expires_at - clock.now()).total_seconds() / 60
        return f"{minutes:.0f} min" if minutes > 0 else "expired"


@admin.register(Sitting)
class SittingAdmin(ReadOnlyAdmin):
    """The signed-off records: who regenerated which sets, when, and what they remarked."""

    list_display = ("started_at", "started_by", "signed_off_at", "signed_off_by", "outcome")
    search_fields = ("started_by", "signed_off_by", "remarks")
    fields = ("started_at", "started_by", "signed_off_at", "signed_off_by", "outcome", "remarks")
    readonly_fields = fields

    @display(description="Token sets")
    def outcome(self, sitting: Sitting) -> str:
        if sitting.is_open:
            return f"under way: {', '.join(str(entry['number']) for entry in sitting.plan)}"
        return ", ".join(f"{entry['number']} {badges.label(entry['outcome']).lower()}" for entry in sitting.result)
