"""The admin of accounts, courses and the audit trail; every change of an account is audited."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from coursehub import access, audit, queue, roles
from coursehub.console_admin import ConsoleAdmin
from coursehub.models import AuditEvent, Course, CourseAccess

User = get_user_model()


class ReadOnlyAdmin(ConsoleAdmin):
    """For what only the product itself writes."""

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class AuditedAdmin(ConsoleAdmin):
    """Every add, change and delete in the admin leaves an audit event: who, which object, which fields."""

    def log_addition(self, request, obj, message):
        self._audit("added", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        fields = [
            name for part in message if isinstance(part, dict) for name in part.get("changed", {}).get("fields", [])
        ]
        self._audit("changed", request, obj, fields=fields)
        return super().log_change(request, obj, message)

    def log_deletions(self, request, queryset):
        for obj in queryset:
            self._audit("deleted", request, obj)
        return super().log_deletions(request, queryset)

    def _audit(self, verb: str, request, obj, **detail) -> None:
        name = obj._meta.model_name
        audit.record(
            action=f"{name}.{verb}", actor=request.user.get_username(), target=f"{name} {obj.pk}", detail=detail
        )


class CourseAccessInline(TabularInline):
    model = CourseAccess
    extra = 0
    autocomplete_fields = ("course",)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):
    """Accounts. The role is the group; `is_staff` follows from it."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    search_fields = ("username", "email", "first_name", "last_name")
    filter_horizontal = ("groups",)
    inlines = (CourseAccessInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role", {"fields": ("is_active", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Role")
    def role(self, user) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    def save_related(self, request, form, formsets, change) -> None:
        super().save_related(request, form, formsets, change)
        roles.sync_is_staff([form.instance.pk])


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin, DjangoGroupAdmin):
    """The three roles, to read: their permissions stand in `coursehub.roles`."""

    search_fields = ("name",)


class TrainersForm(forms.Form):
    """Which trainers a selection of courses is about."""

    trainers = forms.ModelMultipleChoiceField(
        User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one trainer.", "invalid_choice": "Choose trainers of the list."},
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["trainers"]
        chosen.queryset = User.objects.filter(groups__name=roles.TRAINER, is_active=True).order_by("username")


@admin.register(Course)
class CourseAdmin(AuditedAdmin):
    """Courses follow the academy; what administrators decide is who sees them."""

    list_display = ("name", "course_id", "trainers", "synced_at", "polled_at", "gone_at")
    list_filter = (("gone_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "course_id")
    readonly_fields = ("course_id", "name", "synced_at", "polled_at", "gone_at")
    inlines = (type("TrainerInline", (CourseAccessInline,), {"autocomplete_fields": ("user",)}),)
    actions = ("give_to_trainers", "take_from_trainers")
    list_before_template = "admin/coursehub/course/sync.html"

    def has_add_permission(self, request) -> bool:
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("courseaccess_set__user")

    def get_urls(self):
        sync = path("sync/", self.admin_site.admin_view(require_POST(self.sync)), name="coursehub_course_sync")
        return [sync, *super().get_urls()]

    @admin.display(description="Trainers")
    def trainers(self, course: Course) -> str:
        return ", ".join(sorted(access.user.get_username() for access in course.courseaccess_set.all())) or "none"

    def sync(self, request: HttpRequest) -> HttpResponse:
        """The button above the list."""
        from progress.courses import sync_now

        if not self.has_change_permission(request):
            raise PermissionDenied
        actor = request.user.get_username()
        transaction.on_commit(lambda: messages.info(request, sync_now(actor=actor)))
        return redirect("admin:coursehub_course_changelist")

    @admin.action(description="Give to trainers", permissions=["change"])
    def give_to_trainers(self, request: HttpRequest, queryset) -> HttpResponse | None:
        return self._with_trainers(request, queryset, access.give, "Give to trainers", "given to trainers")

    @admin.action(description="Take from trainers", permissions=["change"])
    def take_from_trainers(self, request: HttpRequest, queryset) -> HttpResponse | None:
        return self._with_trainers(request, queryset, access.take, "Take from trainers", "taken from trainers")

    def _with_trainers(self, request: HttpRequest, courses, act, title: str, done: str) -> HttpResponse | None:
        """Ask which trainers, then do it: the same action comes again, with the form's answer."""
        asked = "chosen" in request.POST
        form = TrainersForm(request.POST if asked else None)
        if asked and form.is_valid():
            trainers = form.cleaned_data["trainers"]
            count = act(courses=courses, trainers=trainers, actor=request.user.get_username())
            unit = "permission" if count == 1 else "permissions"
            messages.success(request, f"{count} {unit} {done}." if count else f"Nothing to do: all was {done} before.")
            return None
        names = {"title": title, "courses": courses, "form": form, "action": request.POST["action"]}
        context = {**self.admin_site.each_context(request), "opts": self.opts, **names}
        return render(request, "admin/coursehub/course/trainers.html", context)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "actor", "action", "target")
    list_filter = ("action", "at")
    search_fields = ("actor", "action", "target")
    readonly_fields = ("seq", "at", "actor", "action", "target", "detail", "previous_hash", "hash")


queue.hide_queue_models(admin.site)
