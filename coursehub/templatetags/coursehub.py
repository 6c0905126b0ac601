"""What templates say about time, states and limits. Every figure carries its age."""

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from coursehub.console import badges
from invitations.models import Invitation
from invitations.selectors import row_pages

register = template.Library()

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60, 3_600, 86_400


@register.filter
def duration(seconds: float | None) -> str:
    """A length of time in one or two words: "12 s", "4 min", "3 h 20 min", "5 days". "" for None."""
    if seconds is None:
        return ""
    whole = max(0, round(float(seconds)))
    if whole < 2 * MINUTE_SECONDS:
        return f"{whole} s"
    if whole < HOUR_SECONDS:
        return f"{whole // MINUTE_SECONDS} min"
    if whole < 2 * DAY_SECONDS:
        hours, minutes = divmod(whole // MINUTE_SECONDS, 60)
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{whole // DAY_SECONDS} days"


@register.filter
def age(value: datetime | str | None) -> SafeString | str:
    """How long ago `value` (a datetime or ISO text) was, as a <time> that a script keeps fresh; "never" for None."""
    moment = _moment(value)
    if moment is None:
        return "never"
    seconds = (timezone.now() - moment).total_seconds()
    return _time(moment, "data-age", f"{duration(seconds)} ago" if seconds >= 1 else "now")


@register.filter
def until(value: datetime | str | None) -> SafeString | str:
    """How long it is until `value`, as a <time> that a script keeps fresh; "" for None."""
    moment = _moment(value)
    if moment is None:
        return ""
    seconds = (moment - timezone.now()).total_seconds()
    return _time(moment, "data-until", f"in about {duration(seconds)}" if seconds > 0 else "any moment now")


@register.filter
def number(value: int | str | None) -> str:
    """A whole number with a comma between thousands; "" for None, and what is no number as it is."""
    try:
        return "" if value is None else f"{int(value):,}"
    except ValueError:
        return str(value)


@register.filter
def course_of(row: Invitation | None, names: dict[str, str]) -> str:
    """The name that `names` has for the course of a row, or the course's id."""
    return names.get(row.course_id, row.course_id) if row else ""


@register.filter
def access(row: Invitation | None) -> str:
    """Until when the learner of a row has access, in words."""
    return row_pages.access_of(row) if row else ""


@register.filter
def last_day(ends_at: datetime | None) -> str:
    """The last day of an access that ends at this moment."""
    return f"{row_pages.last_day(ends_at):%d %b %Y}" if ends_at else ""


@register.filter
def state_badge(value: object) -> SafeString:
    """The badge of a state, or of anything that has a `state`."""
    state = str(getattr(value, "state", value))
    return format_html(
        '<span class="ch-badge" data-state="{}" data-tone="{}">{}</span>',
        state, badges.tone(state), badges.label(state),
    )  # fmt: skip


@register.filter
def count_list(counts: dict[str, int] | None) -> list[dict[str, Any]]:
    """`counts` of status.json as {state, label, tone, count, planned} settled states first, zeros included."""
    return [
        {
            "state": state,
            "label": badges.label(state),
            "tone": badges.tone(state),
            "count": (counts or {}).get(state, 0),
            "planned": state in badges.GROUPS["planned"],
        }
        for state in badges.INVITATION_STATES
    ]


@register.filter
def count_of(counts: dict[str, int] | None, names: str) -> int:
    """How many rows are in the states or `states.GROUPS` that `names` lists ("invited,trouble")."""
    wanted = [state for name in names.split(",") for state in badges.GROUPS.get(name, (name,))]
    return sum((counts or {}).get(name, 0) for name in wanted)


@register.filter
def states_of(group: str) -> str:
    """The states of one of `states.GROUPS`, comma-separated: what a script sums up for `data-sum`."""
    return ",".join(badges.GROUPS[group])


@register.filter
def state_label(state: str) -> str:
    """The word of a state."""
    return badges.label(state)


@register.simple_tag
def state_tones() -> dict[str, str]:
    """Which colour each state has, for scripts that make badges."""
    return badges.tones()


@register.filter
def whole(percent: float | None) -> int:
    """Whole percent, rounded down, so that 100 means finished."""
    return int(percent or 0)


@register.simple_tag
def members_summary(members: list[dict[str, Any]] | None) -> dict[str, int]:
    """Figures over the `members` of a course's status.json: {learners, average, not_begun, completed}."""
    percents = [member["percent"] or 0 for member in members or ()]
    return {
        "learners": len(percents),
        "average": int(sum(percents) / len(percents)) if percents else 0,
        "not_begun": sum(percent <= 0 for percent in percents),
        "completed": sum(percent >= 100 for percent in percents),
    }


_FORM_BYTES = 1_000  # of the upload form, besides what is pasted


@register.simple_tag
def upload_limits() -> dict[str, object]:
    """What an upload may be: {"bytes", "size" and "rows" in words}; "text_…" of what is pasted."""
    text_bytes = min(settings.UPLOAD_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE - _FORM_BYTES)
    return {
        "text_bytes": text_bytes,
        "text_size": filesizeformat(text_bytes).replace(".0", ""),
        "bytes": settings.UPLOAD_MAX_BYTES,
        "size": filesizeformat(settings.UPLOAD_MAX_BYTES).replace(".0", ""),
        "rows": f"{settings.UPLOAD_MAX_ROWS:,}",
    }


@register.simple_tag
def setting(name: str) -> object:
    """One of the few settings that pages show."""
    if name not in {"TRAINERCENTRAL_CALLS_PER_MINUTE", "TOKEN_MAX_USES", "TOKEN_RETIRE_AT_USES", "SOURCE_URL", "DEMO"}:
        raise template.TemplateSyntaxError(f"{name} is not a setting for pages")
    return getattr(settings, name)


def _moment(value: datetime | str | None) -> datetime | None:
    moment = parse_datetime(value) if isinstance(value, str) else value
    if moment is not None and timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment


def _time(moment: datetime, attribute: str, text: str) -> SafeString:
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}" {}>{}</time>',
        moment.isoformat(), local.strftime("%d %b %Y, %H:%M:%S %Z"), attribute, text,
    )  # fmt: skip
