"""What every test begins with, in as few calls as can be: it is made some thousand times in a run."""

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.test.client import ClientHandler

from coursehub import roles
from coursehub.accounts import demo
from coursehub.models import Course, CourseAccess
from coursehub.sandbox.process import SandboxProcess
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from progress.course_sync import sync_courses

_KEPT = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


def empty(store) -> None:
    """Leave nothing but what migrations and `setup_coursehub` write, and empty token sets."""
    names = [name for name in store.list_collection_names() if not name.startswith(("__", "system."))]
    for name in _with_documents(store, [name for name in names if name not in _KEPT]):
        store[name].delete_many({})
    TokenSet.objects.bulk_create(TokenSet(number=number) for number in range(1, settings.TOKEN_SET_COUNT + 1))


def _with_documents(store, names: list[str]) -> list[str]:
    def one_of(name: str) -> list[dict]:
        return [{"$limit": 1}, {"$project": {"_id": 0, "name": {"$literal": name}}}]

    unions = [{"$unionWith": {"coll": name, "pipeline": one_of(name)}} for name in names[1:]]
    return [found["name"] for found in store[names[0]].aggregate([*one_of(names[0]), *unions])] if names else []


def seed_demo(sandbox: SandboxProcess, password: str) -> None:
    """What `manage.py seed_demo` does (coursehub/development/test_run.py compares them); `password` is hashed."""
    users = {
        name: User(username=name, password=password, is_staff=role in roles.CONSOLE_ROLES)
        for name, role in demo.ROLES.items()
    }
    User.objects.bulk_create(users.values())
    groups = {group.name: group for group in Group.objects.all()}
    membership = User.groups.through
    membership.objects.bulk_create(
        membership(user=users[name], group=groups[role]) for name, role in demo.ROLES.items()
    )
    token_services.exchange_code(number=1, code=sandbox.self_client_code(token_services.SCOPE), actor="demo")
    sync_courses()
    courses = list(Course.objects.open().order_by("course_id"))
    CourseAccess.objects.bulk_create(
        CourseAccess(user=users[name], course=course)
        for name, visible in (("trainer", courses), ("trainer2", courses[-1:]))
        for course in visible
    )


class Browsers:
    """Django's test clients, with the product's middleware loaded once.

    A client of its own would look at every static file again. Settings that middleware reads as it begins have a
    middleware of their own.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, ClientHandler] = {}

    def new(self) -> Client:
        client = Client()
        read = {name: getattr(settings, name) for name in dir(settings) if name.startswith(_READ_AT_START)}
        handler = self._loaded.get(str(read))
        if handler is None:
            handler = self._loaded[str(read)] = ClientHandler()
            handler.load_middleware()
        client.handler._middleware_chain = handler._middleware_chain
        return client


_READ_AT_START = ("MIDDLEWARE", "TRUSTED_PROXIES", "SECURE_", "STATIC", "SERVESTATIC", "DEBUG", "TEMPLATES", "STORAGES")
