"""The three roles, what each may do, and which pages each may open: all of it in two tables.

A view whose name is in no table row is refused, so a page cannot be forgotten.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

ADMINISTRATOR, MAINTENANCE, TRAINER = "administrator", "maintenance", "trainer"
ROLES = (ADMINISTRATOR, MAINTENANCE, TRAINER)
CONSOLE_ROLES = frozenset({ADMINISTRATOR, MAINTENANCE})  # who works in the Django admin
_HELD = "_coursehub_roles"  # the attribute in which a user object keeps its roles

AnyUser: TypeAlias = User | AnonymousUser

# Permissions in the Django admin, as "app.codename"; one table for setup and for readers.
PERMISSIONS: dict[str, frozenset[str]] = {
    ADMINISTRATOR: frozenset(
        {
            *("auth.add_user", "auth.change_user", "auth.delete_user", "auth.view_user", "auth.view_group"),
            *("coursehub.view_course", "coursehub.change_course", "coursehub.view_auditevent"),
            *(f"coursehub.{verb}_courseaccess" for verb in ("add", "change", "delete", "view")),
            *("invitations.view_batch", "invitations.view_invitation"),
            *("progress.view_member", "oauthtokens.view_tokenset", "oauthtokens.view_sitting"),
            *("coursehub.view_academyanswer", "coursehub.view_academyprofile"),
        }
    ),
    MAINTENANCE: frozenset(
        {
            *("oauthtokens.view_tokenset", "oauthtokens.change_tokenset", "oauthtokens.view_sitting"),
            *("coursehub.view_course", "coursehub.view_academyanswer", "coursehub.view_academyprofile"),
        }
    ),
    TRAINER: frozenset(),
}

EVERYBODY: frozenset[str] = frozenset({"everybody"})  # strangers too
SIGNED_IN = frozenset(ROLES)
TEACHING = frozenset({ADMINISTRATOR, TRAINER})

# What is done to token sets is maintenance's; revoking, which an emergency may ask for, is an administrator's too.
_TOKEN_ACTS = (
    *("consent", "paste", "refresh", "release", "rotate"),
    *("sitting_start", "sitting_skip", "sitting_sign_off"),
)

# Who may open which page: view name -> roles. "namespace:*" speaks for a whole namespace.
PAGE_ROLES: dict[str, frozenset[str]] = {
    "login": EVERYBODY,
    "account_invitation": EVERYBODY,  # the link is the proof
    "logout": EVERYBODY,
    "source": EVERYBODY,
    "healthz": EVERYBODY,
    "home": SIGNED_IN,
    "password_change": SIGNED_IN,
    "password_change_done": SIGNED_IN,
    "erase_learner": frozenset({ADMINISTRATOR}),
    "admin:*": CONSOLE_ROLES,
    **{f"admin:oauthtokens_{act}": frozenset({MAINTENANCE}) for act in _TOKEN_ACTS},
    "oauth:callback": frozenset({MAINTENANCE}),
    "oauth:forecast": CONSOLE_ROLES,
    "invitations:*": TEACHING,
    "progress:*": TEACHING,
    "progress:webhook": EVERYBODY,  # who sends proves it by a signature
}


def of(user: AnyUser) -> frozenset[str]:
    """The role names of `user`; none for strangers and disabled accounts. Read once per user object."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    held: frozenset[str] | None = getattr(user, _HELD, None)
    if held is None:
        held = frozenset(user.groups.values_list("name", flat=True)) & SIGNED_IN
        setattr(user, _HELD, held)
    return held


def is_administrator(user: AnyUser) -> bool:
    return ADMINISTRATOR in of(user)


def is_maintenance(user: AnyUser) -> bool:
    return MAINTENANCE in of(user)


def is_trainer(user: AnyUser) -> bool:
    return TRAINER in of(user)


def rule_for(view_name: str) -> frozenset[str] | None:
    """The roles that may open the view of this name, or None when no rule covers it."""
    namespace = view_name.rpartition(":")[0]
    return PAGE_ROLES.get(view_name, PAGE_ROLES.get(f"{namespace}:*"))


class RoleMiddleware:
    """Sends strangers to the login page and answers 403 to roles that a page is not for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponseBase | None:
        rule = rule_for(request.resolver_match.view_name) if request.resolver_match else None
        if rule is EVERYBODY:
            return None
        if not request.user.is_authenticated:
            # A code of Zoho's must not wait in the address of the login page.
            is_answer = request.resolver_match is not None and request.resolver_match.view_name == "oauth:callback"
            return redirect_to_login(request.path if is_answer else request.get_full_path())
        if rule is None or not rule & of(request.user):
            raise PermissionDenied
        return None


class SignedInRequest(HttpRequest):
    """What a view of somebody signed in is given: the middleware lets no stranger through. For annotations only."""

    user: User


def assign(user: User, role: str) -> None:
    """Give `user` exactly this role. `is_staff` follows from it: the admin is for the console roles."""
    user.groups.set([Group.objects.get(name=role)])
    type(user).objects.filter(pk=user.pk).update(is_staff=role in CONSOLE_ROLES)
    vars(user).pop(_HELD, None)


def sync_is_staff(user_ids: Iterable[int]) -> None:
    """Make `is_staff` follow the groups of these users, after somebody edited the groups."""
    from django.contrib.auth import get_user_model

    for user in get_user_model().objects.filter(pk__in=list(user_ids)):
        get_user_model().objects.filter(pk=user.pk).update(is_staff=bool(of(user) & CONSOLE_ROLES))


def sync_groups() -> None:
    """Create the three groups and give each exactly the permissions of the table. Idempotent."""
    every = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role, names in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([every[name] for name in names])
