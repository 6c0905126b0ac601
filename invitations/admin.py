"""Batches and their invitations, for administrators to read."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from coursehub.admin import ReadOnlyAdmin
from invitations.models import Batch, Invitation

BATCH_LABELS = {
    Batch.State.PREVIEW: "info",
    Batch.State.RUNNING: "info",
    Batch.State.PAUSED: "warning",
    Batch.State.COMPLETED: "success",
    Batch.State.COMPLETED_WITH_ERRORS: "danger",
}
INVITATION_LABELS = {
    Invitation.State.INVITED: "success",
    Invitation.State.ALREADY_ENROLLED: "success",
    Invitation.State.FAILED: "danger",
    Invitation.State.UNKNOWN: "warning",
    Invitation.State.SENDING: "info",
}


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("filename", "course_name", "state_label", "total", "uploaded_by", "created_at", "live_page")
    list_filter = ("state", "course_name", "created_at")
    list_select_related = ("uploaded_by",)
    search_fields = ("filename", "course_name", "course_id", "uploaded_by__username")
    date_hierarchy = "created_at"

    @display(description="State", ordering="state", label=BATCH_LABELS)
    def state_label(self, batch: Batch):
        return batch.state, batch.get_state_display()

    @display(description="Live")
    def live_page(self, batch: Batch) -> str:
        rows = f"{reverse('admin:invitations_invitation_changelist')}?batch__id__exact={batch.pk}"
        page = reverse("invitations:batch", kwargs={"batch_id": batch.pk})
        return format_html('<a href="{}">watch</a> · <a href="{}">rows</a>', page, rows)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "course_id", "state_label", "reason", "line", "invited_at")
    list_filter = ("state",)
    search_fields = ("email", "last_name", "course_id")
    list_per_page = 50
    show_full_result_count = False

    @display(description="State", ordering="state", label=INVITATION_LABELS)
    def state_label(self, invitation: Invitation):
        return invitation.state, invitation.get_state_display()
