"""Somebody hears of trouble once: as data for a banner, and by e-mail, whatever dies or fails on the way."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.db import transaction

from coursehub import clock
from coursehub.mongo import outside_transaction
from oauthtokens import alerts, encryption, services
from oauthtokens.forecast import model
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as pool_document
from oauthtokens.pool import refresh

State = TokenSet.State


@pytest.fixture
def team(pool, settings):
    """A pool that has just been regenerated, seven sets of it without asking the sandbox, and somebody to write to."""
    settings.MAINTENANCE_EMAILS = ["team@example.org"]
    pool.obtain(1, 2)
    for number in range(3, 8):
        row = {key: value for key, value in pool.row(2).items() if key not in ("_id", "id", "number")}
        text = encryption.encrypt("1000.x", number=number, kind="refresh", generation=1)
        pool.change(number, **{**row, "refresh_token": text, "access_token": ""})
    return pool


def keys() -> list[str]:
    return [alert.key for alert in services.alerts()]


def forget_backoff() -> None:
    outside_transaction(alerts.TABLE).update_many({}, {"$set": {"mail_after": None}})


def go_to(moment: datetime) -> None:
    clock.simulate(ahead_seconds=(moment - clock.now()).total_seconds())


@pytest.fixture
def time_travel(settings):
    settings.DEMO = True
    yield
    clock.end_simulation()


def test_pool_in_order_raises_nothing(team):
    services.refresh_due()
    assert (services.alerts(), mail.outbox, services.is_upkeep_due()) == ([], [], False)


def test_broken_set_is_an_alert_and_one_email_until_it_is_regenerated(team):
    team.change(2, state=State.BROKEN, reason="Zoho does not accept this code or refresh token any more.")
    assert services.is_upkeep_due()
    for _ in range(3):
        services.refresh_due()
    (alert,) = services.alerts()
    assert (alert.key, alert.tone) == ("broken_2", "danger")
    assert alert.sentence == "Token set 2 is broken: Zoho does not accept this code or refresh token any more."
    assert alert.since <= clock.now()
    (message,) = mail.outbox
    assert message.to == ["team@example.org"]
    assert alert.sentence in message.subject
    assert "/admin/oauthtokens/tokenset/" in message.body
    team.obtain(2)
    services.refresh_due()
    assert keys() == []
    team.change(2, state=State.BROKEN)
    services.refresh_due()
    assert len(mail.outbox) == 2  # closed, and raised again


def test_set_that_breaks_in_use_is_left_at_once_and_told(team):
    row = team.row(1)
    token = encryption.decrypt(row["refresh_token"], number=1, kind="refresh", generation=1)
    refresh.accounts().revoke(token)
    team.expire(1)
    assert services.access_token().key[0] == 2
    services.refresh_due()
    assert keys() == ["broken_1"]


@pytest.mark.parametrize(("left", "told"), [(80, []), (70, [72]), (23, [24]), (5, [6]), (0, [6])])
def test_forecast_below_72_24_and_6_hours(team, settings, left, told):
    settings.TOKEN_REFRESH_MARGIN_SECONDS = 0
    uses = 18 * 7 - left
    for number in range(1, 8):
        team.change(number, uses=min(uses, 18), access_expires_at=None)
        uses -= min(uses, 18)
    services.refresh_due()
    assert keys() == [f"forecast_{hours}" for hours in told]  # of several only the gravest
    assert len(mail.outbox) == len(told)


def test_forecast_around_its_limit_does_not_write_again_and_again(team, settings):
    settings.TOKEN_REFRESH_MARGIN_SECONDS = 0
    for number in range(3, 8):
        team.change(number, uses=18, access_expires_at=None)
    team.change(2, uses=11, access_expires_at=None)
    for uses, told in [(1, []), (2, ["forecast_24"]), (1, ["forecast_24"]), (0, [])]:
        team.change(1, uses=uses, access_expires_at=None)
        services.refresh_due()
        assert [key for key in keys() if key == "forecast_24"] == told
    assert len(mail.outbox) == 2  # 72 and 24


def test_measured_use_decides_once_a_day_of_it_was_seen(team, settings):
    for number in range(2, 8):
        team.change(number, uses=18)
    services.refresh_due()
    assert keys() == ["forecast_24"]  # continuous use
    from coursehub.models import AuditEvent

    outside_transaction(AuditEvent).update_many(
        {"action": "token_set.regenerated"}, {"$set": {"at": clock.now() - timedelta(days=6)}}
    )
    services.refresh_due()
    assert keys() == []  # hardly used at all


def test_undecryptable_value_is_an_alert_before_it_is_needed_and_closes_with_the_key(team):
    text = team.row(5)["refresh_token"]
    team.change(5, refresh_token="unreadable")
    assert services.is_upkeep_due()
    services.refresh_due()
    assert keys() == ["undecryptable_5"]
    assert (team.row(5)["state"], team.row(5)["refresh_token"]) == (State.UNDECRYPTABLE, "unreadable")
    team.change(5, refresh_token=text)
    services.refresh_due()
    assert (keys(), team.row(5)["state"]) == ([], State.READY)


def test_stopped_pool_is_one_alert_however_often_it_is_probed(team):
    for _ in range(3):
        pool_document.stop("Zoho does not accept our client id or client secret.")
        services.refresh_due()
    assert keys() == ["stopped"]
    assert len(mail.outbox) == 1
    pool_document.resume()
    services.refresh_due()
    assert keys() == []


def test_monday_missed(team, settings, time_travel):
    settings.TOKEN_RETIRE_AT_USES = settings.TOKEN_MAX_USES = 1000  # so that the forecast has nothing to say
    monday = model.next_maintenance(clock.now())
    go_to(monday + timedelta(minutes=30))
    services.refresh_due()
    assert keys() == []  # they are at it
    go_to(monday + timedelta(minutes=61))
    assert services.is_upkeep_due()
    services.refresh_due()
    (alert,) = services.alerts()
    assert (alert.key, "Monday" in alert.sentence) == ("maintenance_missed", True)
    team.sandbox.reset("clock")
    team.obtain(1)
    services.refresh_due()
    assert keys() == []


def test_no_monday_is_missed_where_none_is_needed(team, settings, time_travel):
    settings.TOKEN_MAX_USES = 0
    go_to(model.next_maintenance(clock.now()) + timedelta(hours=2))
    services.refresh_due()
    assert keys() == []


def test_many_processes_at_once_write_one_email(team):
    team.change(2, state=State.BROKEN)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: alerts.update(), range(24)))
    assert (keys(), len(mail.outbox)) == (["broken_2"], 1)


class Unreachable(locmem.EmailBackend):
    """A mail server that cannot be reached."""

    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")


def test_email_that_fails_is_tried_again_by_the_job(team, settings):
    team.change(2, state=State.BROKEN)
    settings.EMAIL_BACKEND = f"{__name__}.Unreachable"
    services.refresh_due()
    assert keys() == ["broken_2"]  # the banner does not wait for the e-mail
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    services.refresh_due()  # not yet: the backoff
    assert mail.outbox == []
    forget_backoff()
    assert services.is_upkeep_due()
    services.refresh_due()
    services.refresh_due()
    assert len(mail.outbox) == 1


def test_process_that_dies_before_the_email_leaves_it_to_the_next(team, monkeypatch):
    team.change(2, state=State.BROKEN)
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "send_mail", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            services.refresh_due()
    forget_backoff()
    services.refresh_due()
    assert len(mail.outbox) == 1


def test_without_addresses_there_is_only_the_banner(team, settings):
    settings.MAINTENANCE_EMAILS = []
    team.change(2, state=State.BROKEN)
    services.refresh_due()
    assert (keys(), mail.outbox, services.is_upkeep_due()) == (["broken_2"], [], False)


def test_mail_server_has_ten_seconds(team, monkeypatch):
    seen = []
    connect = alerts.get_connection
    monkeypatch.setattr(alerts, "get_connection", lambda **how: seen.append(how) or connect(**how))
    team.change(2, state=State.BROKEN)
    services.refresh_due()
    assert seen == [{"timeout": 10}]


def test_nothing_is_sent_inside_a_transaction(team):
    with transaction.atomic(), pytest.raises(RuntimeError, match="atomic"):
        alerts.update()


def test_no_alert_and_no_email_holds_a_token(team):
    secrets = [services.access_token().token, team.row(1)["refresh_token"]]
    team.change(2, state=State.BROKEN, reason="x")
    pool_document.stop("y")
    services.refresh_due()
    said = str(list(outside_transaction(alerts.TABLE).find())) + "".join(one.body + one.subject for one in mail.outbox)
    assert not any(secret in said for secret in secrets)
