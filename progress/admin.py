"""Courses, which follow the academy, and their learners, for administrators to read."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from coursehub import roles
from coursehub.accounts import course_access
from coursehub.admin import AuditedAdmin, CourseAccessInline, ReadOnlyAdmin
from coursehub.models import Course
from progress import course_sync
from progress.models import Member


class TrainersForm(forms.Form):
    """Which trainers a selection of courses is about."""

    trainers = forms.ModelMultipleChoiceField(
        get_user_model().objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one trainer.", "invalid_choice": "Choose trainers of the list."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["trainers"]
        field.queryset = (
            get_user_model().objects.filter(groups__name=roles.TRAINER, is_active=True).order_by("username")
        )


@admin.register(Course)
class CourseAdmin(AuditedAdmin):
    """Courses follow the academy; what administrators decide is who sees them."""

    list_display = ("name", "kind", "course_id", "trainers", "synced_at", "polled_at", "gone_at")
    list_filter = (("gone_at", admin.EmptyFieldListFilter), "is_bundle", "is_published")
    search_fields = ("name", "course_id")
    readonly_fields = (
        *("course_id", "name", "is_bundle", "is_published", "synced_at", "polled_at"),
        *("poll_error", "unreadable", "gone_at"),
    )
    inlines = (type("TrainerInline", (CourseAccessInline,), {"autocomplete_fields": ("user",)}),)
    actions = ("give_to_trainers", "take_from_trainers")
    list_before_template = "admin/coursehub/course/sync.html"  # type: ignore[assignment]  # unfold has None there

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return super().get_queryset(request).prefetch_related("courseaccess_set__user")

    def get_urls(self) -> list[URLPattern]:
        sync = path("sync/", self.admin_site.admin_view(require_POST(self.sync)), name="coursehub_course_sync")
        return [sync, *super().get_urls()]

    @admin.display(description="Kind")
    def kind(self, course: Course) -> str:
        words = ("bundle" if course.is_bundle else "course", "" if course.is_published else "not published")
        return ", ".join(filter(None, words))

    @admin.display(description="Trainers")
    def trainers(self, course: Course) -> str:
        return ", ".join(sorted(access.user.get_username() for access in course.courseaccess_set.all())) or "none"

    def sync(self, request: HttpRequest) -> HttpResponse:
        """The button above the list."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        actor = request.user.get_username()
        transaction.on_commit(lambda: messages.info(request, course_sync.sync_now(actor=actor)))
        return redirect("admin:coursehub_course_changelist")

    @admin.action(description="Give to trainers", permissions=["change"])
    def give_to_trainers(self, request: HttpRequest, queryset: QuerySet[Course]) -> HttpResponse | None:
        return self._with_trainers(request, queryset, course_access.give, "Give to trainers", "given to trainers")

    @admin.action(description="Take from trainers", permissions=["change"])
    def take_from_trainers(self, request: HttpRequest, queryset: QuerySet[Course]) -> HttpResponse | None:
        return self._with_trainers(request, queryset, course_access.take, "Take from trainers", "taken from trainers")

    def _with_trainers(
        self, request: HttpRequest, chosen: QuerySet[Course], act: Callable[..., int], title: str, done: str
    ) -> HttpResponse | None:
        """Ask which trainers, then do it: the same action comes again, with the form's answer."""
        asked = "chosen" in request.POST
        form = TrainersForm(request.POST if asked else None)
        if asked and form.is_valid():
            trainers = form.cleaned_data["trainers"]
            count = act(courses=chosen, trainers=trainers, actor=request.user.get_username())
            unit = "permission" if count == 1 else "permissions"
            messages.success(request, f"{count} {unit} {done}." if count else f"Nothing to do: all was {done} before.")
            return None
        names = {"title": title, "courses": chosen, "form": form, "action": request.POST["action"]}
        context = {**self.admin_site.each_context(request), "opts": self.opts, **names}
        return render(request, "admin/coursehub/course/trainers.html", context)


class AccessFilter(admin.SimpleListFilter):
    """Who is in a course, who is listed without access, and who has left."""

    title, parameter_name = "access", "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("here", "In the course"), ("revoked", "Revoked"), ("gone", "Left the course")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "here":
                return queryset.here()
            case "revoked":
                return queryset.revoked()
            case "gone":
                return queryset.exclude(gone_at=None)
        return queryset


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("name", "email", "course_id", "percent", "last_seen_at", "changed_at", "gone_at")
    list_filter = ("course_id", AccessFilter, "status")
    search_fields = ("name", "email", "member_id")
    list_per_page = 50
    show_full_result_count = False
