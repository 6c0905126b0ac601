"""The admin of accounts, courses and the audit trail; every change of an account is audited."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from coursehub import academy, audit, queue, roles
from coursehub.academy import pages as academy_pages
from coursehub.academy import words as academy_words
from coursehub.audit import Action
from coursehub.console.base_admin import ConsoleAdmin
from coursehub.models import AcademyAnswer, AcademyProfile, AuditEvent, CourseAccess


class ReadOnlyAdmin(ConsoleAdmin):
    """For what only the product itself writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuditedAdmin(ConsoleAdmin):
    """Every add, change and delete in the admin leaves an audit event: who, which object, which fields."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        self._audit("added", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        fields = [
            name for part in message if isinstance(part, dict) for name in part.get("changed", {}).get("fields", [])
        ]
        self._audit("changed", request, obj, fields=fields)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self._audit("deleted", request, obj)
        return super().log_deletions(request, queryset)

    def _audit(self, verb: str, request: HttpRequest, obj: Any, **detail: Any) -> None:
        name = obj._meta.model_name
        audit.record(
            action=Action(f"{name}.{verb}"), actor=request.user.get_username(), target=f"{name} {obj.pk}", detail=detail
        )


class CourseAccessInline(TabularInline):
    model = CourseAccess
    extra = 0
    autocomplete_fields = ("course",)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[misc,type-arg]  # unfold's annotations are not Django's
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        roles.sync_is_staff([form.instance.pk])


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin, DjangoGroupAdmin):  # type: ignore[misc]  # as above
    """The three roles, to read: their permissions stand in `coursehub.roles`."""

    search_fields = ("name",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "actor", "action", "target")
    list_filter = ("action", "at")
    search_fields = ("actor", "action", "target")
    readonly_fields = ("seq", "at", "actor", "action", "target", "detail", "previous_hash", "hash")


@admin.register(AcademyAnswer)
class AcademyAnswerAdmin(ReadOnlyAdmin):
    """Kinds of answers that nobody had seen before: the open questions first; each has a page to answer it."""

    list_display = ("answer", "meaning_label", "times", "look_ups", "rows_waiting", "last_seen_at")
    list_filter = ("meaning",)
    list_before_template = "coursehub/academy_answers.html"  # type: ignore[assignment]  # unfold has None there

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(academy_id=academy.academy_id())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = self.get_object(request, object_id)
        if answer is None:
            raise Http404("There is no such kind of answer.")
        return academy_pages.question(request, answer)

    @display(description="Answer")
    def answer(self, one: AcademyAnswer) -> str:
        return academy_words.name(one)

    @display(description="Means", ordering="meaning", label=academy_words.LABELS)
    def meaning_label(self, one: AcademyAnswer) -> tuple[str, str]:
        return one.meaning, one.get_meaning_display()

    @display(description="Look-ups")
    def look_ups(self, one: AcademyAnswer) -> str:
        looked_up = one.there + one.absent
        return f"{one.there} of {looked_up} there" if looked_up else "none yet"

    @display(description="Rows waiting")
    def rows_waiting(self, one: AcademyAnswer) -> int:
        return academy.waiting(one.key)


@admin.register(AcademyProfile)
class AcademyProfileAdmin(ReadOnlyAdmin):
    """The list is the page of the configured academy's facts."""

    def changelist_view(  # type: ignore[override]  # a page of our own, not a TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return academy_pages.profile(request)


queue.hide_queue_models(admin.site)
