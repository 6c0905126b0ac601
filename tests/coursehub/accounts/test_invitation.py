"""The one-time link for an account's first password: how it is given, used once, and ended."""

import io
import logging
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from coursehub.accounts import demo
from coursehub.models import AuditEvent
from tests.support.commands import run

DAY_SECONDS = 86_400
PASSWORD = "a long way to Tipperary"


@pytest.fixture
def own_academy(settings):
    """As `make run` is with DEMO=false."""
    settings.DEMO = False
    settings.TRAINERCENTRAL_URL, settings.ZOHO_ACCOUNTS_URL = (
        "https://a.trainercentral.com",
        "https://accounts.zoho.com",
    )
    return settings


@pytest.fixture
def link(database, own_academy, static_files) -> str:
    code, answer = run("setup_coursehub", "--first-admin-link")
    assert code == 0
    return answer["link"]


def choose(link: str, password: str = PASSWORD, again: str = "") -> tuple[Client, object]:
    client = Client()
    page = client.get(urlsplit(link).path, follow=True)
    answer = client.post(
        page.request["PATH_INFO"], {"new_password1": password, "new_password2": again or password}, follow=True
    )
    return client, answer


def test_link_leads_to_a_password_and_then_to_the_sign_in_page(link):
    client, answer = choose(link)
    assert answer.request["PATH_INFO"] == "/accounts/login/"
    assert client.login(username="administrator", password=PASSWORD)
    assert client.get("/admin/").status_code == 200
    actions = list(AuditEvent.objects.order_by("seq").values_list("action", "actor"))
    assert ("user.invited", "command line") in actions
    assert ("user.password_chosen", "administrator") in actions


def test_link_works_once_and_no_other_is_given_when_somebody_can_sign_in(link):
    choose(link)
    _, answer = choose(link, "another long password")
    assert b"This link is used up" in answer.content
    assert User.objects.get(username="administrator").check_password(PASSWORD)
    assert run("setup_coursehub", "--first-admin-link")[1]["link"] == ""


def test_lost_link_is_made_anew_and_both_end_together(link):
    second = run("setup_coursehub", "--first-admin-link")[1]["link"]
    choose(second)
    _, answer = choose(link)
    assert b"This link is used up" in answer.content


def test_link_ends_after_three_days(link, later, settings):
    settings.DEMO = True  # the clock is simulated in a demo only
    later(3 * DAY_SECONDS - 60)
    assert b"This link is used up" not in Client().get(urlsplit(link).path, follow=True).content
    later(120)
    assert b"This link is used up" in Client().get(urlsplit(link).path, follow=True).content


def test_key_leaves_the_address_at_once_and_is_in_no_log_and_no_audit_event(link, caplog):
    caplog.set_level(logging.DEBUG)
    key = urlsplit(link).path.split("/")[-2]
    _, answer = choose(link, "short")
    assert key not in answer.request["PATH_INFO"]
    assert key.encode() not in answer.content
    choose(link)
    choose(link)
    token = key.partition(".")[2]
    assert token not in caplog.text
    assert token not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [("short", "", b"too short"), ("123456789012345", "", b"entirely numeric"), (PASSWORD, "other", b"match")],
)
def test_password_that_is_no_good_is_refused_in_a_sentence_and_the_link_still_works(link, password, again, sentence):
    _, answer = choose(link, password, again)
    assert answer.status_code == 200
    assert sentence in answer.content
    assert choose(link)[1].request["PATH_INFO"] == "/accounts/login/"


@pytest.mark.parametrize(
    "key", ["x", "MQ.", ".c1-2", "MQ.c1abc-0123", "%00.%00", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5.a-b"]
)
def test_key_that_is_none_is_told_in_a_sentence(database, static_files, key):
    answer = Client().get(f"/accounts/invitation/{key}/", follow=True)
    assert (answer.status_code, b"This link is used up" in answer.content) == (200, True)


def test_demo_accounts_are_closed_outside_a_demo_and_open_again_in_one(database, own_academy, settings):
    settings.DEMO = True
    call_command("seed_demo", "--accounts-only", stdout=io.StringIO())
    assert all(Client().login(username=name, password="coursehub-demo") for name in demo.ROLES)
    settings.DEMO = False
    changed = User.objects.get(username="trainer")
    changed.set_password(PASSWORD)
    changed.save()
    assert run("setup_coursehub", "--first-admin-link")[1]["link"]
    assert not any(Client().login(username=name, password="coursehub-demo") for name in demo.ROLES)
    assert Client().login(username="trainer", password=PASSWORD)
    settings.DEMO = True
    call_command("seed_demo", "--accounts-only", stdout=io.StringIO())
    assert Client().login(username="admin", password="coursehub-demo")


def test_administrator_by_address_gets_a_link_where_nobody_can_be_asked_and_keeps_a_password(
    database, monkeypatch, settings
):
    _, answer = run("setup_coursehub", "--admin", "ada@example.org")
    assert (answer["administrator_created"], "/accounts/invitation/" in answer["link"]) == (True, True)
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    assert run("setup_coursehub", "--admin", "ada@example.org")[1] | {"token_sets": 7} == {
        "database": settings.MONGODB_NAME, "token_sets": 7, "administrator_created": False, "link": "",
    }  # fmt: skip
    assert User.objects.get(username="ada@example.org").check_password(PASSWORD)
