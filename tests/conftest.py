"""A real mongod, and a real sandbox per process of tests; the database is emptied between tests."""

import io
import uuid
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from coursehub.development.mongod import Mongod, running_mongod
from coursehub.sandbox.process import SandboxFailed, SandboxProcess
from tests.support.environment import MONGOD, SANDBOX_PORT, VAR, WORKER
from tests.support.files import csv_of


def pytest_addoption(parser):
    parser.addoption("--screenshots", action="store_true", help="write the screenshots of the documentation")


@pytest.fixture(scope="session")
def mongod() -> Mongod:
    """The server of all tests: not to be stopped, nor told anything that holds for all its databases."""
    if WORKER:
        with MongoClient(MONGOD.uri, serverSelectionTimeoutMS=60_000) as client:
            client.admin.command("ping")  # as soon as it takes writes
    else:
        MONGOD.start()  # tests/support/sharing.py stops it
    return MONGOD


@pytest.fixture(scope="session")
def _set_up_database(mongod, django_db_blocker) -> Iterator[None]:
    from django.core.management import call_command

    with django_db_blocker.unblock():
        call_command("setup_coursehub", stdout=io.StringIO())
        yield


@pytest.fixture
def own_mongod(_set_up_database, settings, monkeypatch) -> Iterator[Mongod]:
    """A server of the test's own with Django's database on it, to be killed and to be counted on.

    To be asked for before `database` and what builds on it, and followed by processes that the test starts.
    """
    from django.core.management import call_command
    from django.db import connections

    from coursehub.mongo import client_for

    with running_mongod(VAR / f"mongo-{uuid.uuid4().hex}") as server:
        monkeypatch.setenv("MONGODB_URI", server.uri)
        settings.MONGODB_URI = server.uri
        with monkeypatch.context() as redirected:
            client = {**connections.settings["default"]["CLIENT"], "host": server.uri}
            redirected.setitem(connections.settings["default"], "CLIENT", client)
            connections.close_all()
            call_command("setup_coursehub", stdout=io.StringIO())
            yield server
            client_for().close()
            connections.close_all()


@pytest.fixture
def database(_set_up_database):
    """A database with migrations, roles and empty token sets, and nothing else in it."""
    from coursehub import academy
    from coursehub.mongo import outside_transaction
    from tests.support import seeding

    store = outside_transaction("coursehub").database
    seeding.empty(store)
    academy.forget()
    return store


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[SandboxProcess]:
    process = SandboxProcess(VAR / "sandbox.sqlite3", port=SANDBOX_PORT)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def sandbox(_sandbox_process) -> SandboxProcess:
    """The sandbox as new, with its rate limit off; restarted if a test killed it."""
    try:
        _sandbox_process.reset()
    except (SandboxFailed, OSError):
        _sandbox_process.start()
        _sandbox_process.reset()
    _sandbox_process.switch(calls_per_minute=0, mints_per_10_minutes=0)
    return _sandbox_process


@pytest.fixture(scope="session")
def demo_password() -> str:
    """The demo's password, hashed once: hashing is slow by design."""
    from django.contrib.auth.hashers import make_password

    return make_password("coursehub-demo")


@pytest.fixture
def academy(database, sandbox, demo_password):
    """A seeded demo: accounts, courses, one token set from the sandbox."""
    from tests.support import seeding

    seeding.seed_demo(sandbox, demo_password)
    return sandbox


@pytest.fixture
def person(database):
    """`person("trainer")`: an account with that role; `person("stranger")`: one without any."""
    from django.contrib.auth import get_user_model

    from coursehub import roles

    def make(role: str, username: str = ""):
        user, created = get_user_model().objects.get_or_create(username=username or role)
        if created and role in roles.ROLES:
            roles.assign(user, role)
        return user

    return make


@pytest.fixture(scope="session")
def static_files() -> None:
    """Pages name static files by the manifest that `collectstatic` writes."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def browsers(static_files):
    from tests.support import seeding

    return seeding.Browsers()


@pytest.fixture
def client_for(person, browsers):
    """`client_for("trainer")`: Django's test client, signed in as somebody with that role."""

    def make(role: str, username: str = ""):
        client = browsers.new()
        if role != "anonymous":
            client.force_login(person(role, username))
        return client

    return make


@pytest.fixture
def course(academy):
    """A course of the sandbox that the trainer may upload to."""
    from coursehub.models import Course

    return Course.objects.order_by("course_id").first()


@pytest.fixture
def upload(course, person):
    """`upload("a@example.org", ...)`: a batch in preview, uploaded by the trainer."""
    from coursehub import clock
    from invitations import services
    from invitations.models import Batch

    def make(*emails: str):
        batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=csv_of(*emails))
        # As after the sweep of the course's members, which no worker is here to make.
        Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
        return batch

    return make


@pytest.fixture
def confirmed(upload):
    """The same, confirmed."""
    from invitations import services

    def make(*emails: str):
        batch = upload(*emails)
        assert services.confirm(batch, actor="trainer")
        return batch

    return make


@pytest.fixture
def look(academy):
    """`look(batch)`: what workers do for a batch that waits for its courses' members: read them all, then its rows."""
    from invitations.models import Invitation
    from invitations.sending import existing_learners
    from progress.polling import poller

    def make(batch) -> None:
        for course_id in set(Invitation.objects.filter(batch=batch).values_list("course_id", flat=True)):
            poller.poll(course_id, only_if_due=False, afresh=True)
        assert existing_learners.refine(batch.pk)

    return make


@pytest.fixture
def invited_counts(academy):
    """`invited_counts()`: learner -> how many invitations the sandbox counted."""
    return lambda: {entry["email"]: entry["count"] for entry in academy.counters()["invitations"]}


@pytest.fixture
def later(database):
    """`later(135)`: for the rest of the test it is so many seconds later, by the product's clock."""
    from coursehub import clock

    yield lambda seconds: clock.simulate(ahead_seconds=seconds)
    clock.end_simulation()
