"""Learners and their history, for administrators to read."""

from django.contrib import admin

from coursehub.admin import ReadOnlyAdmin
from progress.models import Member


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "course_id", "percent", "last_seen_at", "changed_at", "gone_at")
    list_filter = ("course_id", "status")
    search_fields = ("name", "email", "member_id")
    list_per_page = 50
    show_full_result_count = False
