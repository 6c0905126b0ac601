"""What every page shows around its content: navigation by role, the person, the theme; and the admin's first page."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from unfold.settings import get_config

from coursehub import roles
from coursehub.console import theme


@dataclass(frozen=True)
class Place:
    """One entry of the side bar. Shown to the roles that may open the page and hold the permission, if it names one."""

    title: str
    icon: str  # a name of the Material Symbols font
    view_name: str
    permission: str = ""


NAVIGATION: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Academy",
        (
            Place("Home", "home", "home"),
            Place("Invitations", "forward_to_inbox", "invitations:list"),
            Place("Progress", "monitoring", "progress:list"),
        ),
    ),
    (
        "Administration",
        (
            Place("Dashboard", "dashboard", "admin:index"),
            Place("Token sets", "key", "admin:oauthtokens_tokenset_changelist", "oauthtokens.view_tokenset"),
            Place("Courses", "school", "admin:coursehub_course_changelist", "coursehub.view_course"),
            Place(
                "Academy profile",
                "travel_explore",
                "admin:coursehub_academyprofile_changelist",
                "coursehub.view_academyprofile",
            ),
            Place(
                "Answers", "contact_support", "admin:coursehub_academyanswer_changelist", "coursehub.view_academyanswer"
            ),
            Place("People", "group", "admin:auth_user_changelist", "auth.view_user"),
            Place("Batches", "inventory_2", "admin:invitations_batch_changelist", "invitations.view_batch"),
            Place("Learners", "groups", "admin:progress_member_changelist", "progress.view_member"),
            Place("Erase a learner", "person_remove", "erase_learner"),
            Place("Audit trail", "history", "admin:coursehub_auditevent_changelist", "coursehub.view_auditevent"),
        ),
    ),
)


def context(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page: `role_names`, `nav`, `demo`, `demo_has_sandbox`, `now`, and what unfold needs.

    Also renders where no user is known (an error before the sessions are read), then without navigation.
    """
    user = getattr(request, "user", None)
    held = roles.of(user) if user is not None else frozenset()
    unfold = get_config()
    return {
        "role_names": sorted(held),
        "nav": navigation(held, request.path),
        "demo": settings.DEMO,
        "demo_has_sandbox": settings.DEMO_HAS_SANDBOX,
        "now": timezone.now(),
        "site_title": theme.SITE_NAME,
        "colors": unfold["COLORS"],
        "border_radius": unfold["BORDER_RADIUS"],
        "styles": [resolve(request) for resolve in unfold["STYLES"]],
        "site_favicons": [{**icon, "href": icon["href"](request)} for icon in unfold["SITE_FAVICONS"]],
    }


def navigation(held: frozenset[str], path: str) -> list[dict[str, Any]]:
    """The groups of the side bar for these roles; the place that `path` belongs to is `active`."""
    permissions = frozenset().union(*(roles.PERMISSIONS[role] for role in held))
    groups: list[dict[str, Any]] = [
        {"title": title, "places": _places(places, held, permissions)} for title, places in NAVIGATION
    ]
    open_to_all = [place for group in groups for place in group["places"]]
    under = [
        place for place in open_to_all if path == place["url"] or (place["deep"] and path.startswith(place["url"]))
    ]
    if under:
        max(under, key=lambda place: len(place["url"]))["active"] = True
    return [group for group in groups if group["places"]]


def _places(places: tuple[Place, ...], held: frozenset[str], permissions: frozenset[str]) -> list[dict[str, Any]]:
    shown = []
    for place in places:
        rule = roles.rule_for(place.view_name) or frozenset()
        if not rule & held or (place.permission and place.permission not in permissions):
            continue
        try:
            url = reverse(place.view_name)
        except NoReverseMatch:  # a model that is not in this deployment's admin
            continue
        shown.append({"title": place.title, "icon": place.icon, "url": url, "deep": url != "/", "active": False})
    return shown


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK: adds `board`, the figures of the admin's first page."""
    from coursehub.console.dashboard import figures

    context["board"] = figures(roles.of(request.user))
    return context
