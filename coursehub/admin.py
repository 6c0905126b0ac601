"""The admin of accounts, courses and the audit trail; every change of an account is audited."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import Http404
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from coursehub import academy, audit, queue, roles
from coursehub.academy import pages as academy_pages
from coursehub.academy import words as academy_words
from coursehub.audit import Action
from coursehub.console.base_admin import ConsoleAdmin
from coursehub.models import AcademyAnswer, AcademyProfile, AuditEvent, CourseAccess

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
            action=Action(f"{name}.{verb}"), actor=request.user.get_username(), target=f"{name} {obj.pk}", detail=detail
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
    list_before_template = "coursehub/academy_answers.html"

    def get_queryset(self, request):
        return super().get_queryset(request).filter(academy_id=academy.academy_id())

    def change_view(self, request, object_id, form_url="", extra_context=None):
        answer = self.get_object(request, object_id)
        if answer is None:
            raise Http404("There is no such kind of answer.")
        return academy_pages.question(request, answer)

    @display(description="Answer")
    def answer(self, one: AcademyAnswer) -> str:
        return academy_words.name(one)

    @display(description="Means", ordering="meaning", label=academy_words.LABELS)
    def meaning_label(self, one: AcademyAnswer):
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

    def changelist_view(self, request, extra_context=None):
        return academy_pages.profile(request)


queue.hide_queue_models(admin.site)
