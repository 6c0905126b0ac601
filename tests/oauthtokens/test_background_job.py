"""The background job: what it refreshes and what it leaves alone, and that no use goes untold."""

import random
import time
from collections.abc import Callable

import pytest

from coursehub import clock, queue
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import ZohoAccounts
from coursehub.trainercentral.errors import TokenRejected, TokenUnavailable
from oauthtokens import encryption, services, tasks
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as pool_document
from oauthtokens.pool import provider, refresh, refresh_lease
from oauthtokens.pool.refresh import Outcome
from tests.support.patience import promised

State = TokenSet.State
HOUR = 3600


@pytest.fixture
def fast(pool, settings):
    """The pool, with `ahead(seconds)` for MongoDB's clock and the sandbox's."""
    settings.DEMO = True

    def ahead(seconds: float) -> None:
        clock.simulate(ahead_seconds=seconds)
        pool.sandbox.advance(seconds)

    pool.ahead = ahead
    yield pool
    clock.end_simulation()


def run_job() -> None:
    """As the worker does: the tick rings if there is something to do, the task does it."""
    rung = []
    ring, queue.enqueue = queue.enqueue, lambda task, *ids: rung.append(task)
    try:
        tasks.tick()
    finally:
        queue.enqueue = ring
    for task in rung:
        task()


def told_uses() -> int:
    """Uses that the audit trail tells of."""
    events = AuditEvent.objects.filter(action__in=["token_set.refreshed", "token_set.refresh_failed"])
    return sum(event.action == "token_set.refreshed" or event.detail["counted"] for event in events)


def failures() -> list[tuple[str, bool]]:
    events = AuditEvent.objects.filter(action="token_set.refresh_failed").order_by("seq")
    return [(event.target, event.detail["counted"]) for event in events]


def test_no_work_and_no_viewers_mean_no_refresh_for_a_week(fast):
    fast.obtain(1, 2)
    for _ in range(7 * 4):
        fast.ahead(6 * HOUR)
        run_job()
    assert fast.refreshes() == 0
    assert [fast.row(number)["uses"] for number in (1, 2)] == [0, 0]


def test_demand_that_has_ended_is_forgotten_after_five_minutes(fast):
    fast.obtain(1)
    services.access_token()
    fast.ahead(HOUR)
    run_job()
    assert fast.refreshes() == 0


def test_kept_warm_a_token_is_refreshed_by_the_clock_and_the_pool_moves_on(fast, settings):
    settings.TOKEN_KEEP_WARM = "always"
    fast.sandbox.switch(max_uses_per_refresh_token=18)
    fast.obtain(1, 2)
    for _ in range(20 * 4):
        fast.ahead(HOUR / 4)
        run_job()
        assert provider.in_use(), "a token is ready at any time"
    # Looked at every quarter of an hour, a token of 60 min is replaced at its end: 20 in 20 hours.
    assert fast.refreshes() == told_uses() == 20
    assert [(fast.row(number)["state"], fast.row(number)["uses"]) for number in (1, 2)] == [
        (State.EXHAUSTED, 18),
        (State.ACTIVE, 2),
    ]


def test_job_that_runs_twice_at_once_refreshes_once(fast):
    fast.obtain(1)
    services.access_token()
    fast.expire(1)
    lease = refresh_lease.win(1)  # the other one is at it
    assert services.refresh_due() == f"token set 1: {Outcome.BUSY}"
    refresh_lease.give_up(lease)
    assert services.refresh_due() == f"token set 1: {Outcome.REFRESHED}"


def test_lease_of_a_process_that_died_is_ended_and_its_use_is_told(fast):
    fast.obtain(1)
    refresh_lease.win(1, force=True)  # and then it died
    run_job()
    assert failures() == []
    fast.ahead(7)
    run_job()
    assert failures() == [("token set 1", True)]
    assert (fast.row(1)["lease_holder"], fast.row(1)["uses"]) == ("", 1)
    run_job()
    assert told_uses() == 1


def test_successor_tells_of_the_use_of_a_process_that_died(fast):
    fast.obtain(1)
    fast.expire(1)
    refresh_lease.win(1)
    fast.ahead(7)
    assert services.access_token().token
    assert failures() == [("token set 1", True)]
    assert fast.row(1)["uses"] == told_uses() == 2


def test_late_answer_is_told_once(fast, monkeypatch):
    ask = ZohoAccounts.refresh

    def answered_after(happens: Callable[[], None]) -> Outcome:
        def answer(accounts, token):
            patch.undo()
            granted = ask(accounts, token)
            happens()
            return granted

        with monkeypatch.context() as patch:
            patch.setattr(ZohoAccounts, "refresh", answer)
            return refresh.refresh(1, force=True)

    def overdue() -> None:
        fast.ahead(7)
        run_job()

    fast.obtain(1)
    assert answered_after(lambda: fast.obtain(1)) is Outcome.LATE, "the set was regenerated meanwhile"
    assert failures() == [("token set 1", True)]
    assert answered_after(overdue) is Outcome.LATE
    assert failures() == [("token set 1", True)] * 2, "the job has told it already"


@pytest.mark.parametrize("seed", range(5))
def test_audit_trail_tells_of_exactly_the_uses_that_are_counted(fast, seed):
    """Whatever becomes of refreshes: counted and told are the same number, and the provider saw no more."""
    chance = random.Random(seed)
    fast.obtain(1, 2)
    fast.sandbox.switch(hold_seconds=0)
    token_path = {"path_contains": "/oauth/v2/token", "times": 1}
    for _ in range(12):
        fault = chance.choice([None, None, "500", "reset", "reset_after_acting", "html", "timeout", "dies"])
        for number in (1, 2):
            fast.change(number, access_expires_at=None, not_before=None)
        if fault == "dies":
            refresh_lease.win(pool_document.read()["active"] or 1, force=True)
            fast.ahead(7)
            continue
        fast.sandbox.switch(fail_next=[{**token_path, "fault": fault}] if fault else [])
        try:
            services.access_token()
        except TokenUnavailable:
            run_job()
    services.refresh_due()
    counted = sum(fast.row(number)["uses"] for number in (1, 2))
    assert told_uses() == counted
    assert fast.refreshes() <= counted


def test_without_a_limit_the_providers_ten_mints_in_ten_minutes_are_the_limit(fast, settings):
    settings.TOKEN_MAX_USES = 0
    fast.sandbox.switch(mints_per_10_minutes=10)
    fast.obtain(1, 2)
    outcomes = [services.refresh_set(1, force=True)[1] for _ in range(11)]
    assert outcomes == [Outcome.REFRESHED] * 10 + [Outcome.FAILED]
    assert (fast.row(1)["state"], fast.row(1)["uses"]) == (State.COOLING, 10)
    assert failures() == [("token set 1", False)]
    assert services.access_token().key[0] == 2  # no gap
    fast.ahead(601)
    services.refresh_due()
    assert fast.row(1)["state"] == State.READY
    assert services.refresh_set(1, force=True)[1] is Outcome.REFRESHED


def test_trouble_of_the_whole_client_is_told_without_a_use(fast):
    fast.obtain(1)
    fast.expire(1)
    fast.sandbox.switch(client_secret="other")
    for _ in range(4):
        with pytest.raises(TokenUnavailable):
            services.access_token()
        services.refresh_due()
        fast.ahead(601)  # a probe each time
    assert set(failures()) == {("token set 1", False)}
    assert (fast.row(1)["uses"], told_uses()) == (0, 0)
    assert [alert.key for alert in services.alerts() if alert.key == "stopped"] == ["stopped"]
    assert fast.actions().count("token_pool.stopped") == 1
    fast.sandbox.switch(client_secret="sandbox-client-secret")
    assert services.access_token().token
    services.refresh_due()
    assert "stopped" not in [alert.key for alert in services.alerts()]


def test_tokens_that_end_in_the_middle_of_many_invitations_lose_none(fast):
    fast.obtain(1, 2)
    client = services.client()
    (course, *_) = client.list_courses()
    emails = [f"learner{number}@example.org" for number in range(12)]
    for number, email in enumerate(emails):
        if number in (3, 6, 9):
            fast.ahead(61)  # the token is no fresh one any more
            refresh.accounts().revoke(services.access_token().token)  # pushed out, as it were
        if number == 6:  # and the set with it
            row = fast.row(1)
            token = encryption.decrypt(row["refresh_token"], number=1, kind="refresh", generation=row["generation"])
            refresh.accounts().revoke(token)
        learner = {"course_id": course.course_id, "email": email, "first_name": "A", "last_name": "B"}
        try:
            client.invite(**learner)
        except TokenRejected:  # a client posts once; whoever asked looks, and asks again with another token
            client.invite(**learner)
    counts = {row["email"]: row["count"] for row in fast.sandbox.counters()["invitations"]}
    assert counts == dict.fromkeys(emails, 1)
    assert fast.states()[:2] == [State.BROKEN, State.ACTIVE]


def test_a_quiet_tick_is_cheap(fast):
    fast.obtain(1, 2)
    services.refresh_due()
    tasks.tick()
    began = time.monotonic()
    for _ in range(10):
        tasks.tick()
    assert (time.monotonic() - began) / 10 < promised(0.5)  # of the 5 s that the ticker gives it


def test_job_goes_by_mongodbs_clock(fast):
    """An hour on that clock alone ends the token, whatever the machine's clock says."""
    fast.obtain(1)
    first = services.access_token().token
    clock.simulate(ahead_seconds=HOUR)
    assert services.access_token().token != first
    expires_at = outside_transaction(TokenSet).find_one({"number": 1})["access_expires_at"]
    left_seconds = (expires_at - clock.now()).total_seconds()
    assert HOUR - 60 < left_seconds <= HOUR
