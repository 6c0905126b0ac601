"""A stranger sees the login page, a role the pages made for it, and no page is without a rule."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from coursehub import roles

CAST = ("administrator", "maintenance", "trainer", "stranger", "anonymous")
OPEN, LOGIN, REFUSED = 200, 302, 403


def _view_names(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _view_names(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_url_in_the_url_map_has_a_role_rule():
    names = set(_view_names(get_resolver().url_patterns))
    assert len(names) > 20
    assert {name for name in names if roles.rule_for(name) is None and name != "admin:None"} == set()


def test_every_rule_speaks_of_roles_that_exist():
    for rule in roles.PAGE_ROLES.values():
        assert rule == roles.EVERYBODY or rule <= set(roles.ROLES)


PAGES = {
    #                         administrator, maintenance, trainer, stranger, anonymous
    "/": (OPEN, OPEN, OPEN, REFUSED, LOGIN),
    "/accounts/login/": (LOGIN, LOGIN, LOGIN, LOGIN, OPEN),
    "/healthz": (OPEN, OPEN, OPEN, OPEN, OPEN),
    "/invitations/": (OPEN, REFUSED, OPEN, REFUSED, LOGIN),
    "/invitations/upload/": (OPEN, REFUSED, OPEN, REFUSED, LOGIN),
    "/invitations/template.csv": (OPEN, REFUSED, OPEN, REFUSED, LOGIN),
    "/progress/": (OPEN, REFUSED, OPEN, REFUSED, LOGIN),
    "/admin/": (OPEN, OPEN, REFUSED, REFUSED, LOGIN),
    "/admin/oauthtokens/tokenset/": (OPEN, OPEN, REFUSED, REFUSED, LOGIN),
    "/admin/invitations/batch/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
    "/admin/invitations/invitation/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
    "/admin/auth/user/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
    "/admin/auth/user/add/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
    "/admin/coursehub/course/": (OPEN, OPEN, REFUSED, REFUSED, LOGIN),
    "/admin/coursehub/academyanswer/": (OPEN, OPEN, REFUSED, REFUSED, LOGIN),
    "/admin/coursehub/academyprofile/": (OPEN, OPEN, REFUSED, REFUSED, LOGIN),
    "/admin/coursehub/auditevent/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
    "/admin/progress/member/": (OPEN, REFUSED, REFUSED, REFUSED, LOGIN),
}


@pytest.mark.parametrize("page", PAGES)
def test_who_may_open_which_page(page, client_for):
    answers = tuple(client_for(role).get(page).status_code for role in CAST)
    assert answers == PAGES[page]


def test_a_stranger_is_led_to_the_login_page_and_back(database):
    answer = Client().get("/invitations/upload/")
    assert answer["Location"] == "/accounts/login/?next=/invitations/upload/"


def test_is_staff_follows_the_role(person):
    maintenance = person("maintenance")
    maintenance.refresh_from_db()
    assert maintenance.is_staff
    roles.assign(maintenance, roles.TRAINER)
    maintenance.refresh_from_db()
    assert not maintenance.is_staff
    assert roles.of(maintenance) == {roles.TRAINER}
