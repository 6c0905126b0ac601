"""Two at once: the right result, or one clear message to try again; never a failure page, never long."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from coursehub.console.base_admin import CHANGED_MEANWHILE, ConsoleAdmin
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from tests.coursehub.mongo.racing import AT_ONCE, LONGEST_SECONDS, at_once
from tests.support import ROOT


@pytest.fixture
def with_transactions(monkeypatch, database):
    """`atomic()` is a transaction of the server, on the connection that the product uses."""
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transactions", True)


def sign_in_race(race: str, rounds: int = 5, **environment: str) -> list[dict]:
    """What came of a race in the sign-in libraries (tests/coursehub/mongo/sign_in_races.py)."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.coursehub.mongo.sign_in_races", race, str(rounds)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.coursehub.mongo.sign_in_settings", **environment},
        stdout=subprocess.PIPE, text=True, timeout=100, check=True,
    )  # fmt: skip
    return json.loads(ended.stdout)


def test_first_failed_sign_ins_at_once_are_all_counted_in_one_row(mongod, static_files):
    for found in sign_in_race("failures"):
        assert found == {"answers": ["200"] * AT_ONCE, "counted": [AT_ONCE]}


def test_a_recovery_code_is_spent_once(mongod):
    for found in sign_in_race("codes"):
        assert sorted(found["answers"]) == ["False"] * (AT_ONCE - 1) + ["True"]
        assert found["left"] == 0


def test_in_a_transaction_a_recovery_code_is_spent_once_and_the_others_may_try_again(mongod):
    for found in sign_in_race("codes", TRANSACTIONS="on"):
        assert found["answers"].count("True") == 1
        assert set(found["answers"]) <= {"True", "False", "try again"}
        assert found["left"] == 0


def test_a_session_key_is_created_once(database):
    def create() -> None:
        SessionStore(session_key="k" * 32).save(must_create=True)

    results = at_once(*[create] * AT_ONCE)
    assert (results.count(None), {type(result) for result in results}) == (1, {type(None), CreateError})
    assert Session.objects.count() == 1


def test_sign_ins_of_one_account_at_once_each_get_their_session(database, person, static_files, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # slow hashing is not the subject
    person("trainer")
    User.objects.update(password=make_password("coursehub-demo"))
    form = {"username": "trainer", "password": "coursehub-demo"}
    clients = [Client(raise_request_exception=False) for _ in range(4)]
    answers = at_once(*[lambda client=client: client.post(reverse("login"), form).status_code for client in clients])
    assert answers == [302] * 4
    assert len({client.session.session_key for client in clients}) == 4


def test_requests_of_one_session_at_once_all_answer(client_for):
    client = client_for("trainer")
    others = [Client(raise_request_exception=False) for _ in range(6)]
    for other in others:
        other.cookies = client.cookies
    pages = [reverse("home"), reverse("password_change")] * 3
    calls = [lambda other=other, page=page: other.get(page) for other, page in zip(others, pages, strict=True)]
    assert [answer.status_code for answer in at_once(*calls)] == [200] * 6


def person_form(user: User, **changes: Any) -> dict:
    return {
        **{"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on"},
        **{"courseaccess_set-TOTAL_FORMS": 0, "courseaccess_set-INITIAL_FORMS": 0},
        **{"groups": [group.pk for group in user.groups.all()]},
        **changes,
    }


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(do)`: do it once, after the admin has read a row and before it writes it."""

    def arrange(do: Callable[[], Any]) -> None:
        save = ConsoleAdmin.save_model
        monkeypatch.setattr(ConsoleAdmin, "save_model", lambda *args, **kwargs: (do(), save(*args, **kwargs))[1])

    return arrange


@pytest.mark.parametrize("transactions_are", ["off", "on"])
def test_an_admin_save_keeps_what_a_worker_wrote_meanwhile(request, client_for, person, meanwhile, transactions_are):
    if transactions_are == "on":
        request.getfixturevalue("with_transactions")
    user, administrator = person("trainer"), client_for("administrator")
    administrator.raise_request_exception = False
    worker = {"$set": {"email": "worker@example.org"}}
    meanwhile(lambda: outside_transaction(User).update_one({"id": user.pk}, worker))
    url = reverse("admin:auth_user_change", args=[user.pk])
    began = time.monotonic()
    answer = administrator.post(url, person_form(user, first_name="Ada"))
    assert (answer.status_code, time.monotonic() - began < LONGEST_SECONDS) == (302, True)
    messages = [str(message) for message in get_messages(answer.wsgi_request)]
    user.refresh_from_db()
    if transactions_are == "on":
        assert (messages, user.first_name, user.email) == ([CHANGED_MEANWHILE], "", "worker@example.org")
        return
    assert (user.first_name, user.email) == ("Ada", "worker@example.org")


@pytest.mark.parametrize("transactions_are", ["off", "on"])
def test_admin_saves_over_a_busy_row_lose_nothing_of_the_workers(request, client_for, transactions_are):
    if transactions_are == "on":
        request.getfixturevalue("with_transactions")
    course, administrator = Course.objects.create(course_id="1", name="one"), client_for("administrator")
    administrator.raise_request_exception = False
    url, written, done = reverse("admin:coursehub_course_change", args=[course.pk]), [], threading.Event()
    form = {"accesses-TOTAL_FORMS": 0, "courseaccess_set-TOTAL_FORMS": 0, "courseaccess_set-INITIAL_FORMS": 0}

    def work() -> None:
        while not done.is_set():
            written.append(outside_transaction(Course).update_one({"id": course.pk}, {"$inc": {"revision": 1}}))

    def save() -> list[int]:
        try:
            return [administrator.post(url, form).status_code for _ in range(10)]
        finally:
            done.set()

    _, answers = at_once(work, save)
    assert answers == [302] * 10
    assert Course.objects.get().revision == len(written)
