"""Batches and their invitations, for administrators: to read, and to act on many at once."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from coursehub import roles
from coursehub.admin import ReadOnlyAdmin
from invitations import services
from invitations.models import Batch, Invitation
from invitations.selectors import findings

BATCH_LABELS: dict[str, str] = {
    Batch.State.PREVIEW: "info",
    Batch.State.RUNNING: "info",
    Batch.State.PAUSED: "warning",
    Batch.State.COMPLETED: "success",
    Batch.State.COMPLETED_WITH_ERRORS: "danger",
}
INVITATION_LABELS: dict[str, str] = {
    Invitation.State.INVITED: "success",
    Invitation.State.ALREADY_ENROLLED: "success",
    Invitation.State.FAILED: "danger",
    Invitation.State.UNKNOWN: "warning",
    Invitation.State.SENDING: "info",
}
MOST_AT_ONCE = 1_000
TOO_MANY = f"Nothing was done: choose at most {MOST_AT_ONCE:,} at once."
# Name -> its title, and what it does to each that it can be done to; the services do it and audit it.
BATCH_ACTIONS = {
    "pause": ("Pause", "No further call is begun until somebody resumes."),
    "resume": ("Resume", "Sending goes on where it stopped."),
    "cancel": ("Cancel", "Rows that were not sent are given up for good; what was sent stays sent."),
    "retry": (
        "Try again",
        "The courses’ members are read first: who is there counts as invited. "
        "The other refused rows are sent again, unknown ones are looked up again.",
    ),
    "undo": ("Undo", "The access of everybody whom these batches invited is revoked."),
}
ROW_ACTIONS = {
    "already_there": ("Already there", "Rows of unknown outcome count as already enrolled; nothing is sent."),
    "send_again": (
        "Send again",
        "The course’s members are read first; rows of unknown outcome whose learner is not there are sent once more.",
    ),
}


class ActingAdmin(ReadOnlyAdmin):
    """Read-only, with actions that show what was chosen and ask before they act."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return roles.is_administrator(request.user)

    def ask_or_act(
        self, request: HttpRequest, queryset: Any, name: str, texts: tuple[str, str], act: Callable[[Any], bool]
    ) -> HttpResponse | None:
        """The page that asks, or, when that was answered, `act` for each and a report of how many took it."""
        title, consequence = texts
        chosen = list(queryset[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, TOO_MANY, messages.ERROR)
            return None
        if request.POST.get("confirmed") != "yes":
            context = {
                **self.admin_site.each_context(request),
                "title": f"{title} {len(chosen)}", "consequence": consequence, "chosen": chosen,
                "action": name, "opts": self.opts, "back": request.get_full_path(),
            }  # fmt: skip
            return TemplateResponse(request, "admin/batch_action.html", context)
        done = sum(act(one) for one in chosen)
        left = f"; {len(chosen) - done} could not be, as they stand" if done < len(chosen) else ""
        self.message_user(request, f"{title}: done for {done}{left}.", messages.SUCCESS if done else messages.WARNING)
        return None


def _batch_action(name: str) -> Callable[..., Any]:
    @admin.action(description=BATCH_ACTIONS[name][0], permissions=["act"])
    def act(model_admin: ActingAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        actor = request.user.get_username()
        return model_admin.ask_or_act(
            request, queryset, name, BATCH_ACTIONS[name], lambda batch: services.ACTIONS[name](batch, actor=actor)
        )

    act.__name__ = name
    return act


def _row_action(name: str) -> Callable[..., Any]:
    @admin.action(description=ROW_ACTIONS[name][0], permissions=["act"])
    def act(model_admin: ActingAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        decide, actor = getattr(services, name), request.user.get_username()

        def decided(row: Invitation) -> bool:
            return row.batch.state in services.DECIDABLE and bool(decide(row.batch, row, actor=actor))

        rows = queryset.filter(state=Invitation.State.UNKNOWN).select_related("batch")
        return model_admin.ask_or_act(request, rows, name, ROW_ACTIONS[name], decided)

    act.__name__ = name
    return act


def _actions(names: Iterable[str], make: Callable[[str], Callable[..., Any]]) -> list[Callable[..., Any]]:
    return [make(name) for name in names]


@admin.register(Batch)
class BatchAdmin(ActingAdmin):
    list_display = (
        "filename",
        "course_name",
        "state_label",
        "reason",
        "total",
        "uploaded_by",
        "created_at",
        "live_page",
    )
    list_filter = ("state", "course_name", "uploaded_by", "created_at")
    list_select_related = ("uploaded_by",)
    search_fields = ("filename", "course_name", "course_id", "uploaded_by__username")
    date_hierarchy = "created_at"
    actions = _actions(BATCH_ACTIONS, _batch_action)

    @display(description="State", ordering="state", label=BATCH_LABELS)
    def state_label(self, batch: Batch) -> tuple[str, str]:
        return batch.state, batch.get_state_display()

    @display(description="Live")
    def live_page(self, batch: Batch) -> str:
        rows = f"{reverse('admin:invitations_invitation_changelist')}?batch__id__exact={batch.pk}"
        page = reverse("invitations:batch", kwargs={"batch_id": batch.pk})
        return format_html('<a href="{}">watch</a> · <a href="{}">rows</a>', page, rows)


class FindingFilter(admin.SimpleListFilter):
    """Of one batch's rows of unknown outcome: those of which the look-ups found the same, to decide about at once."""

    title = "what the look-ups found"
    parameter_name = "finding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        try:
            batch = Batch.objects.filter(pk=request.GET.get("batch__id__exact", "")).first()
        except ValidationError:  # none, or no id of a batch
            batch = None
        found = findings.of(batch) if batch else []
        return [(one.text or _NOT_YET, f"{one.sentence} ({one.count})") for one in found]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        text = "" if self.value() == _NOT_YET else self.value()
        return queryset.filter(state=Invitation.State.UNKNOWN, finding=text)


_NOT_YET = "none"


@admin.register(Invitation)
class InvitationAdmin(ActingAdmin):
    list_display = ("email", "learner_name", "course_id", "state_label", "explanation", "batch", "line", "invited_at")
    list_filter = ("state", FindingFilter, "course_id", "invited_at")
    list_select_related = ("batch",)
    search_fields = ("email", "last_name", "course_id", "member_id")
    list_per_page = 50
    show_full_result_count = False
    actions = _actions(ROW_ACTIONS, _row_action)

    @display(description="Name", ordering="last_name")
    def learner_name(self, invitation: Invitation) -> str:
        made = " (filled in)" if invitation.name_made else ""
        return f"{invitation.first_name} {invitation.last_name}".strip() + made

    @display(description="State", ordering="state", label=INVITATION_LABELS)
    def state_label(self, invitation: Invitation) -> tuple[str, str]:
        return invitation.state, invitation.get_state_display()
