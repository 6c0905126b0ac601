"""A support case: what was learnt about one academy makes a sandbox in which the client behaves the same."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from coursehub import academy, rate_limit
from coursehub.sandbox.process import SandboxProcess
from coursehub.sandbox.profiles import switches_in
from coursehub.trainercentral import TrainerCentralError
from coursehub.trainercentral.profile import Meaning
from oauthtokens import services
from tests.oauthtokens.test_probe import ADDRESS, course_id, run
from tests.support import ROOT

ODD = {
    **{"limit_cap": 6, "sort_1_order": "oldest", "pending_status": "7", "invited_status": "201"},
    **{"already_enrolled": "error", "unknown_course": "400", "unknown_learner": "404", "error_envelope": "projects"},
}
# Answers that mean nothing to the client: {the first letter of the address: answer}.
ANSWERS: dict[str, dict] = {
    "a": {"status": 200, "body": {"status": "success"}, "acts": True},
    "b": {"status": 200, "body": {"data": {"code": 4001, "message": "User {email} already exists"}}},
    "c": {"status": 409, "body": {"errors": [{"errorCode": "ST_41", "message": "ALREADY_REGISTERED: it is there."}]}},
    "d": {"status": 204, "body": ""},
    "e": {"status": 200, "body": [[{"ok": 1}], {"note": None, "list": []}]},
    "f": {"status": 500, "body": {"code": "ST_77", "details": {"message": "Try again after 5 minutes"}}},
}


@pytest.fixture
def another_sandbox(tmp_path) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path / "another.sqlite3")
    yield process
    process.stop()


def invite(course: str, email: str) -> tuple[str, str]:
    """What the client makes of the answer, and the key of its kind."""
    client = services.client(rate_limit.INVITATIONS)
    try:
        invited = client.invite(course_id=course, email=email, first_name="Ada", last_name="Lovelace")
    except TrainerCentralError as error:
        return type(error).__name__, getattr(getattr(error, "kind", None), "key", "")
    return "already enrolled" if invited.already_enrolled else "invited", ""


def behaviour(sandbox) -> dict[str, object]:
    """What the client sees and does: pages, orders, refusals, answers to a call for nobody."""
    course, client = course_id(sandbox), services.client(rate_limit.PROGRESS)
    sandbox.add_learners(course, 30)
    newest = client.member_page(course, newest_first=True, page_size=100)
    times = [member.time_ms for member in newest.members]
    seen: dict[str, object] = {
        "page": newest.row_count,
        "order": times == sorted(times),
        "invited": invite(course, "grace@example.org"),
        "again": invite(course, "grace@example.org"),
        "no course": invite("1", "grace@example.org"),
    }
    members = client.iter_course_members(course)
    seen["pending"] = next(one.status for one in members if one.email == "grace@example.org")
    return seen


def test_a_sandbox_of_the_profile_behaves_like_the_academy_that_was_probed(pool, settings, tmp_path, another_sandbox):
    pool.obtain(1)
    pool.sandbox.switch(**ODD)
    pool.sandbox.add_learners(course_id(pool.sandbox), 30)
    code, answer = run("--yes", "--email", ADDRESS, "--code", pool.sandbox.self_client_code(services.SCOPE))
    assert code == 1
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(answer))
    assert switches_in(file).items() >= ODD.items()
    pool.sandbox.reset("academy")
    seen = behaviour(pool.sandbox)

    another_sandbox.switches = switches_in(file) | {"mints_per_10_minutes": 0, "calls_per_minute": 0}
    another_sandbox.start()
    settings.TRAINERCENTRAL_URL = settings.ZOHO_ACCOUNTS_URL = another_sandbox.url
    pool.sandbox = another_sandbox
    pool.obtain(1)
    assert behaviour(another_sandbox) == seen


def test_kinds_of_answers_come_again_as_the_same_kinds(pool, settings, tmp_path, another_sandbox):
    pool.obtain(1)
    course = course_id(pool.sandbox)
    pool.sandbox.switch(invitation_answers=[{**entry, "for": f"{letter}@*"} for letter, entry in ANSWERS.items()])
    first = {letter: invite(course, f"{letter}@example.org") for letter in ANSWERS}
    academy.decide(first["a"][1], Meaning.INVITED, actor="ada")
    assert invite(course, "a@example.org") == ("invited", "")
    document = academy.document()
    (tmp_path / "profile.json").write_text(json.dumps(document))

    another_sandbox.switches = switches_in(tmp_path / "profile.json") | {"mints_per_10_minutes": 0}
    another_sandbox.start()
    settings.TRAINERCENTRAL_URL = settings.ZOHO_ACCOUNTS_URL = another_sandbox.url
    pool.sandbox = another_sandbox
    pool.obtain(1)
    again = [invite(course, f"answer{number}.x@example.org") for number in range(1, len(document["answers"]) + 1)]
    assert sorted(again) == sorted(first.values())
    assert {email for _, email in another_sandbox.invitations()} == {"answer1.x@example.org"}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"facts": 1, "answers": []}', "\0", '{"facts": {"page_cap": {"value": "x"}}, "answers": []}'],
)
def test_a_file_that_holds_no_profile_is_one_sentence(tmp_path, content):
    file = tmp_path / "profile.json"
    file.write_text(content)
    command = [sys.executable, "-m", "coursehub.sandbox", "--port", "0", "--state", str(tmp_path / "state.sqlite3")]
    ended = subprocess.run([*command, "--like", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr


def test_the_commands_of_the_sandbox_take_a_profile(tmp_path):
    file = tmp_path / "profile.json"
    file.write_text(
        '{"profile": {"facts": {"page_cap": {"value": 9}, "newest_first": {"value": false}}, "answers": []}}'
    )
    assert switches_in(file) == {"limit_cap": 9, "sort_1_order": "oldest"}
