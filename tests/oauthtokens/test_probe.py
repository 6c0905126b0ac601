"""The probe of an academy, against the sandbox as it is and as it may be."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from coursehub import academy, rate_limit
from coursehub.trainercentral.probe.acts import ACTING
from coursehub.trainercentral.probe.calls import Plan
from oauthtokens import probe, services

ADDRESS = "probe@example.org"


@pytest.fixture
def academy_pool(pool):
    """One token set, and so many learners that pages can be compared."""
    pool.obtain(1)
    pool.sandbox.add_learners(course_id(pool.sandbox), 30)
    return pool


def course_id(sandbox) -> str:
    return sandbox.state()["courses"][0]["id"]


def findings(may=lambda act: False, **details) -> dict:
    return {one.key: one for one in probe.run(probe.plan(**details), may)}


def run(*arguments: str) -> tuple[int, dict]:
    out, code = io.StringIO(), 0
    try:
        call_command("probe_academy", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as left:
        code = left.code
    return code, json.loads(out.getvalue())


def test_documented_academy_holds_what_reading_can_tell(academy_pool):
    found = findings()
    unseen = {"time_moves", *(act.key for act in ACTING)}
    assert {one.key: one.held for one in found.values() if one.held is not True} == dict.fromkeys(unseen)
    assert academy_pool.sandbox.invitations() == {}


@pytest.mark.parametrize(
    ("switches", "key"),
    [
        ({"limit_cap": 5}, "page_limit"),
        ({"sort_1_order": "oldest"}, "sort_by_time"),
        ({"unknown_learner": "404"}, "unknown_learner"),
    ],
)
def test_other_academy_is_recognised_and_its_switch_named(academy_pool, switches, key):
    academy_pool.sandbox.switch(**switches)
    found = findings()[key]
    assert (found.held, found.switches) == (False, switches)


@pytest.mark.parametrize("envelope", ["mail", "projects", "crm", "array", "ok200"])
def test_envelope_of_errors_is_recognised(academy_pool, envelope):
    academy_pool.sandbox.switch(error_envelope=envelope)
    found = findings()["token_rejected"]
    assert (found.held, found.switches) == (True, {"error_envelope": envelope})


@pytest.mark.parametrize("moves", [True, False])
def test_time_is_watched_while_learners_progress(academy_pool, moves):
    academy_pool.sandbox.switch(time_moves_with_progress=moves, access_token_seconds=30 * 86_400)
    services.refresh_set(1, force=True)

    def let_a_day_pass(seconds: float) -> None:
        academy_pool.sandbox.advance(86_400)

    found = findings(watch_seconds=60, sleep=let_a_day_pass)["time_moves"]
    assert found.held is moves
    assert found.switches == ({} if moves else {"time_moves_with_progress": False})


@pytest.mark.parametrize(
    ("switches", "broken"),
    [
        ({}, {}),
        ({"already_enrolled": "error"}, {"invited_twice": {"already_enrolled": "error"}}),
        ({"unknown_course": "400"}, {"unknown_course": {"unknown_course": "400"}}),
        ({"unknown_course": "showtime500"}, {"unknown_course": {"unknown_course": "showtime500"}}),
        ({"unknown_course": "silent"}, {"unknown_course": {"unknown_course": "silent"}}),
        ({"pending_status": "7"}, {"pending": {"pending_status": "7"}}),
        ({"pending_listed": False}, {"pending": {"pending_listed": False}}),
    ],
)
def test_invitations_are_tried_on_the_address_given_and_taken_back(academy_pool, switches, broken):
    academy_pool.sandbox.switch(**switches)
    found = findings(lambda act: act.key == "invitations", email=ADDRESS, course_id=course_id(academy_pool.sandbox))
    assert {one.key: one.switches for one in found.values() if one.held is False} == broken
    assert found["revoked"].held is True
    assert {email for _, email in academy_pool.sandbox.invitations()} == {ADDRESS}
    assert ADDRESS not in str(found)


@pytest.mark.parametrize(
    ("switches", "max_uses", "wanted"),
    [
        ({}, 20, {"TOKEN_MAX_USES": 0}),
        ({}, 0, {}),
        ({"max_uses_per_refresh_token": 20}, 20, {}),
        ({"max_uses_per_refresh_token": 12}, 20, {"TOKEN_MAX_USES": 12, "TOKEN_RETIRE_AT_USES": 10}),
    ],
)
def test_uses_of_a_refresh_token_are_counted_out_and_throttles_waited_for(
    academy_pool, settings, switches, max_uses, wanted
):
    settings.TOKEN_MAX_USES = max_uses
    sandbox = academy_pool.sandbox
    sandbox.switch(mints_per_10_minutes=10, **switches)
    code = sandbox.self_client_code(services.SCOPE)
    waits: list[float] = []

    def pass_the_time(seconds: float) -> None:
        waits.append(seconds)
        sandbox.advance(seconds)

    found = findings(lambda act: act.key == "refreshes", code=code, sleep=pass_the_time)
    assert found["refresh_uses"].settings == wanted
    assert found["mint_throttle"].held is True
    assert waits[0] == 600
    assert len(sandbox.state()["tokens"]) == 1  # the token made for this is gone


def test_client_credentials_and_a_missing_scope(academy_pool):
    found = findings(lambda act: act.key == "client_credentials")
    assert (found["client_credentials"].held, found["scope_missing"].held) == (True, True)


def test_calls_beyond_the_limit_tell_the_budget_and_pause_everybody(academy_pool, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 0
    academy_pool.sandbox.switch(calls_per_minute=20)
    found = findings(lambda act: act.key == "rate_limit", course_id=course_id(academy_pool.sandbox))["rate_limit"]
    assert (found.held, found.settings) == (False, {"TRAINERCENTRAL_CALLS_PER_MINUTE": 15})  # one call was made before
    assert rate_limit.draw_slot(rate_limit.INVITATIONS, within_seconds=60) is None


def test_wrong_organisation_names_the_right_one(academy_pool, settings):
    settings.TRAINERCENTRAL_ORG_ID = "1"
    found = findings()["org_id"]
    assert (found.held, found.settings) == (False, {"TRAINERCENTRAL_ORG_ID": "700000804"})


def test_questions_are_asked_before_anything_acts(academy_pool, monkeypatch):
    before = academy_pool.sandbox.counters()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n\nmaybe\n"))
    code, answer = run("--email", ADDRESS, "--code", "1000.code")
    assert code == 0
    assert {one["key"]: one["seen"] for one in answer["findings"] if one["key"] in {act.key for act in ACTING}} == (
        dict.fromkeys((act.key for act in ACTING), "not tried")
    )
    after = academy_pool.sandbox.counters()
    assert (after["invitations"], after["refreshes"]) == (before["invitations"], before["refreshes"])


def test_yes_answers_every_question_and_broken_assumptions_leave_with_1(academy_pool):
    academy_pool.sandbox.switch(mints_per_10_minutes=0)
    code, answer = run("--yes", "--email", ADDRESS, "--code", academy_pool.sandbox.self_client_code(services.SCOPE))
    assert code == 1
    assert answer["settings"] == {"TOKEN_MAX_USES": 0}
    assert {one["key"] for one in answer["findings"] if one["held"] is None} == {"time_moves"}


def test_report_for_people_names_settings_and_switches(academy_pool, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    academy_pool.sandbox.switch(limit_cap=7)
    out = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("probe_academy", stdout=out, stderr=io.StringIO())
    assert left.value.code == 1
    assert "NOT HELD" in out.getvalue()
    assert "--switch limit_cap=7" in out.getvalue()


def test_no_token_set_and_no_academy_leave_with_2(pool, settings):
    code, answer = run()
    assert (code, bool(answer["reason"])) == (2, True)
    pool.obtain(1)
    settings.TRAINERCENTRAL_URL = "http://127.0.0.1:9"
    code, answer = run()
    assert (code, answer["reason"]) == (2, "TrainerCentral cannot be reached.")


def test_address_that_is_none_is_wrong_usage(pool):
    with pytest.raises(CommandError) as caught:
        run("--email", "nobody")
    assert caught.value.returncode == 3


def test_probe_shows_no_secret(academy_pool, caplog):
    lease = services.access_token()
    caplog.set_level("DEBUG")
    found = findings(lambda act: act.key == "client_credentials")
    shown = f"{found} {caplog.text} {Plan()}"
    for secret in (lease.token, "sandbox-client-secret"):
        assert secret not in shown


# --- The academy's profile ----------------------------------------------------------------------


def known() -> dict:
    return {name: fact["value"] for name, fact in academy.facts().items()}


def test_what_reading_found_out_is_in_the_profile(academy_pool):
    academy_pool.sandbox.switch(limit_cap=5, sort_1_order="oldest", unknown_learner="404", error_envelope="mail")
    findings()
    assert known() == {
        "page_cap": 5,
        "largest_page": 5,
        "newest_first": False,
        "unknown_learner": "404",
        "error_envelope": "mail",
    }
    assert {fact["source"] for fact in academy.facts().values()} == {"probe_academy"}


def test_what_acting_found_out_is_in_the_profile(academy_pool):
    academy_pool.sandbox.switch(
        already_enrolled="error", unknown_course="400", pending_status="7", invited_status="201"
    )
    findings(lambda act: act.key == "invitations", email=ADDRESS, course_id=course_id(academy_pool.sandbox))
    wanted = {"already_enrolled": "error", "unknown_course": "400", "invited_status": "201"}
    assert known().items() >= (wanted | {"pending_listed": True, "pending_status": "7"}).items()
    assert ADDRESS not in json.dumps(academy.document())


def test_a_second_probe_corrects_the_first(academy_pool):
    academy_pool.sandbox.switch(limit_cap=5, sort_1_order="oldest", pending_listed=False)
    act = {"email": ADDRESS, "course_id": course_id(academy_pool.sandbox)}
    findings(lambda act: act.key == "invitations", **act)
    assert (academy.profile().page_cap, academy.profile().newest_first, academy.profile().pending_listed) == (
        *(5, False, False),
    )
    academy_pool.sandbox.switch(limit_cap=0, sort_1_order="newest", pending_listed=True)
    findings(lambda act: act.key == "invitations", **act)
    assert (academy.profile().page_cap, academy.profile().newest_first, academy.profile().pending_listed) == (
        *(None, True, True),
    )


def test_the_command_says_what_is_known_and_gives_the_profile(academy_pool, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    academy_pool.sandbox.switch(limit_cap=7)
    code, answer = run()
    assert (code, answer["profile"]["facts"]["page_cap"]["value"]) == (1, 7)
    before = academy_pool.sandbox.counters()["by_endpoint"]
    code, answer = run("--known")
    assert (code, answer["findings"], answer["profile"]["facts"]["page_cap"]["value"]) == (0, [], 7)
    assert academy_pool.sandbox.counters()["by_endpoint"] == before
    out = io.StringIO()
    call_command("probe_academy", "--known", stdout=out)
    assert "Most rows on a page: 7, whatever is asked for" in out.getvalue()


def test_nothing_known_is_said_in_a_sentence(pool):
    out = io.StringIO()
    call_command("probe_academy", "--known", stdout=out)
    assert out.getvalue() == "Nothing is known about this academy yet.\n"
