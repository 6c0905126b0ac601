"""Token sets, for maintenance and administrators to read. No token text appears anywhere."""

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from coursehub.admin import ReadOnlyAdmin
from oauthtokens.models import TokenSet

State = TokenSet.State
LABELS = {
    State.READY: "success",
    State.ACTIVE: "success",
    State.RETIRING: "info",
    State.COOLING: "warning",
    State.EXHAUSTED: "warning",
    State.REVOCATION_PENDING: "warning",
    State.BROKEN: "danger",
    State.REVOKED: "danger",
    State.UNDECRYPTABLE: "danger",
}


@admin.register(TokenSet)
class TokenSetAdmin(ReadOnlyAdmin):
    list_display = ("number", "state_label", "uses_of_max", "access_token_life", "regenerated_at", "reason")
    list_display_links = ("number",)
    list_filter = ("state",)
    fields = (
        *("number", "state", "reason", "uses_of_max", "access_token_life", "not_before"),
        *("generation", "regenerated_at", "last_refreshed_at"),
    )
    readonly_fields = fields

    @display(description="State", ordering="state", label=LABELS)
    def state_label(self, token_set: TokenSet):
        return token_set.state, token_set.get_state_display()

    @display(description="Uses", ordering="uses")
    def uses_of_max(self, token_set: TokenSet) -> str:
        return f"{token_set.uses} of {settings.TOKEN_MAX_USES}" if settings.TOKEN_MAX_USES else f"{token_set.uses}"

    @display(description="Access token expires in", ordering="access_expires_at")
    def access_token_life(self, token_set: TokenSet) -> str:
        if token_set.access_expires_at is None:
            return "no access token"
        minutes = (token_set.access_expires_at - timezone.now()).total_seconds() / 60
        return f"{minutes:.0f} min" if minutes > 0 else "expired"
