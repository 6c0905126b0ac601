"""Exit codes and JSON of the token commands."""

import io
import json
import os
import subprocess
import sys
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command

from coursehub.models import AuditEvent
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.sentences import MEANINGS
from tests.support.commands import run

State = TokenSet.State


def test_status_of_an_empty_pool_is_bad(pool):
    code, status = run("token_status")
    assert code == 2
    assert [one["state"] for one in status["sets"]] == ["empty"] * 7
    assert status["reaches_next_maintenance"] is False


def test_status_has_the_promised_shape(pool):
    pool.obtain(1)
    _, status = run("token_status")
    assert {"number", "state", "uses", "max_uses", "access_expires_at"} <= set(status["sets"][0])
    assert status["sets"][0]["state"] == "active"
    assert status["sets"][0]["max_uses"] == 20
    assert status["hours_left"] == {"continuous": pytest.approx(17.5, abs=0.1), "measured": None}


def test_status_is_a_warning_when_a_set_is_broken_and_good_when_uses_are_not_limited(pool, settings):
    settings.TOKEN_MAX_USES = 0
    pool.obtain(1)
    assert run("token_status")[0] == 0
    pool.change(2, state=State.BROKEN)
    assert run("token_status")[0] == 1


def test_status_of_a_stopped_pool_is_bad(pool):
    from oauthtokens.pool import pool_state as pool_document

    pool.obtain(1)
    pool_document.stop("Zoho does not accept our client id.")
    code, status = run("token_status")
    assert (code, status["stopped"]) == (2, "Zoho does not accept our client id.")


def test_status_is_readable_without_json(pool):
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("token_status", stdout=out)
    assert "does not reach the next maintenance" in out.getvalue()


def refreshed(outcome: str, reason: str = "", **more) -> dict:
    return {"set": 1, "outcome": outcome, "reason": reason, "uses": 0, "uses_left": 18, **more}


def test_refresh_of_the_active_set(pool):
    pool.obtain(1)
    assert run("refresh_tokens") == (0, refreshed("not_due", "Its access token is good for another 60 min."))
    assert run("refresh_tokens", "--force") == (0, refreshed("refreshed", uses=1, uses_left=17))
    assert pool.refreshes() == 1


def test_refresh_of_a_cold_set_leaves_it_cold(pool):
    pool.obtain(1, 2)
    code, answer = run("refresh_tokens", "--set", "2", "--force")
    assert (code, answer) == (0, refreshed("refreshed", set=2, uses=1, uses_left=17))
    assert pool.states()[:2] == [State.ACTIVE, State.READY]


def test_forced_refresh_says_what_it_cost_and_is_audited_with_who_asked(pool):
    pool.obtain(1)
    old = services.access_token().token
    said = io.StringIO()
    call_command("refresh_tokens", "--force", stdout=said)
    assert said.getvalue() == "Token set 1 was refreshed. That was use 1; 17 are left.\n"
    assert services.access_token().token != old
    event = AuditEvent.objects.get(action="token_set.refreshed")
    assert (event.actor, event.detail["forced"]) == ("command line", True)


def test_forced_refresh_wakes_a_set_that_rests_and_never_goes_beyond_its_uses(pool):
    pool.obtain(1)
    pool.change(1, state=State.COOLING, not_before=datetime(2100, 1, 1), reason="It was refused.")
    code, answer = run("refresh_tokens", "--set", "1")
    assert (code, answer["outcome"]) == (1, "busy")
    assert answer["reason"].endswith("It was refused.")
    assert run("refresh_tokens", "--force") == (0, refreshed("refreshed", uses=1, uses_left=17))
    assert pool.row(1)["state"] == State.READY
    pool.change(1, uses=18)
    code, answer = run("refresh_tokens", "--set", "1", "--force")
    assert (code, answer["outcome"], answer["uses"]) == (2, "unusable", 18)
    assert "reserve" in answer["reason"]
    assert pool.refreshes() == 1


@pytest.mark.parametrize("state", [State.EMPTY, State.BROKEN, State.REVOKED, State.EXHAUSTED, State.UNDECRYPTABLE])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_set_without_a_usable_token_says_what_to_do(pool, state, force):
    pool.change(1, state=state)
    code, answer = run("refresh_tokens", "--set", "1", *force)
    assert (code, answer["outcome"]) == (2, "unusable")
    assert answer["reason"] == " ".join(MEANINGS[state])


def test_refresh_that_fails_is_bad(pool):
    pool.obtain(1)
    pool.sandbox.switch(client_secret="other")
    code, answer = run("refresh_tokens", "--force")
    assert (code, answer["outcome"]) == (2, "failed")
    assert "client" in answer["reason"]
    code, answer = run("refresh_tokens", "--force")
    assert (code, answer["outcome"]) == (2, "unavailable")


def test_set_that_does_not_exist_is_wrong_usage(pool):
    with pytest.raises(CommandError) as caught:
        run("refresh_tokens", "--set", "8")
    assert caught.value.returncode == 3


def test_rotation(pool):
    pool.obtain(1)
    assert run("rotate_tokens")[0] == 2
    pool.obtain(2)
    assert run("rotate_tokens") == (0, {"active": 2, "reason": ""})


def test_revocation_of_one_set_and_of_all_needs_a_yes(pool):
    pool.obtain(1, 2)
    with pytest.raises(CommandError, match="--yes") as caught:
        run("revoke_tokens", "--all")
    assert caught.value.returncode == 3
    assert pool.states()[:2] == [State.ACTIVE, State.READY]
    assert run("revoke_tokens", "--set", "1", "--yes") == (
        0,
        {"sets": [{"number": 1, "outcome": "revoked", "reason": ""}]},
    )
    pool.sandbox.switch(fail_next=[{"path_contains": "/token/revoke", "times": 1, "fault": "500"}])
    code, answer = run("revoke_tokens", "--all", "--yes")
    assert code == 1
    assert [one["outcome"] for one in answer["sets"]] == ["nothing", "pending"] + ["nothing"] * 5


@pytest.mark.parametrize("wrong", [("--yes",), ("--set", "8", "--yes"), ("--set", "1", "--all", "--yes")])
def test_revocation_of_what_is_not_there_is_wrong_usage(database, wrong):
    command = [sys.executable, "manage.py", "revoke_tokens", *wrong]
    assert subprocess.run(command, env=os.environ, capture_output=True, check=False).returncode == 3


def test_long_work_shows_its_progress_to_somebody_who_watches(pool):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    pool.obtain(1)
    seen, log = Terminal(), io.StringIO()
    call_command("revoke_tokens", "--all", "--yes", stdout=io.StringIO(), stderr=seen)
    call_command("revoke_tokens", "--all", "--yes", stdout=io.StringIO(), stderr=log)
    assert "7 of 7" in seen.getvalue()
    assert log.getvalue() == ""


def test_wrong_option_leaves_with_3(database):
    command = [sys.executable, "manage.py", "token_status", "--nonsense"]
    assert subprocess.run(command, env=os.environ, capture_output=True, check=False).returncode == 3


def test_a_self_client_code_becomes_the_tokens_of_a_set_and_is_good_once(pool, sandbox):
    code = sandbox.self_client_code(services.SCOPE)
    good = {"set": 2, "stored": True, "reason": "", "sets": [2], "left": []}
    assert run("regenerate_tokens", "--set", "2", "--code", code) == (0, good)
    stored = TokenSet.objects.get(number=2)
    assert stored.state in (State.ACTIVE, State.READY)
    exit_code, answer = run("regenerate_tokens", "--set", "2", "--code", code)
    assert (exit_code, answer["stored"]) == (2, False)
    assert code not in json.dumps(answer)
    assert TokenSet.objects.get(number=2).refresh_token == stored.refresh_token


def test_regeneration_of_all_that_need_it_stops_where_the_codes_end(pool, sandbox, settings):
    settings.TOKEN_SET_COUNT = 3
    code, answer = run("regenerate_tokens", "--due", "--code", sandbox.self_client_code(services.SCOPE))
    assert (code, answer["sets"], answer["left"]) == (1, [1], [2, 3])
    pool.obtain(2, 3)
    assert run("regenerate_tokens", "--due") == (
        0,
        {"set": None, "stored": False, "reason": "", "sets": [], "left": []},
    )


def test_regeneration_without_a_code_or_a_set_is_wrong_usage(pool):
    with pytest.raises(CommandError) as caught:
        run("regenerate_tokens", "--set", "1")
    assert caught.value.returncode == 3
    command = [sys.executable, "manage.py", "regenerate_tokens"]
    assert subprocess.run(command, env=os.environ, capture_output=True, check=False).returncode == 3
