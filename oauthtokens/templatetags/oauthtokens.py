"""The banner of open alerts."""

from typing import Any

from django import template

from oauthtokens import services
from oauthtokens.models import TokenSet

register = template.Library()

_TONES = {"danger": "bad", "warning": "warn"}


@register.simple_tag
def open_alerts() -> list[dict[str, Any]]:
    """The open alerts about token sets for the banner: {"tone", "sentence", "since"}; one query."""
    return [
        {"tone": _TONES.get(alert.tone, "warn"), "sentence": alert.sentence, "since": alert.since}
        for alert in services.alerts()
        if not alert.is_question  # the dashboard shows those, with how many rows wait
    ]


@register.simple_tag
def uses_bar(token_set: TokenSet, max_uses: int, reserve_at: int) -> dict[str, Any]:
    """The bar of a set's uses in units of one use: {"used", "reserve_at", "reserve", "max"}."""
    kept_from = max_uses if token_set.reserve_released else min(reserve_at, max_uses)
    return {
        "used": min(token_set.uses, max_uses),
        "reserve_at": kept_from,
        "reserve": max_uses - kept_from,
        "max": max_uses,
    }
