"""No command ends in a traceback: whatever is wrong, it ends in one sentence and the exit code that goes with it."""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import ManagementUtility, get_commands

from coursehub.development.mongod import free_port
from oauthtokens.models import TokenSet
from tests.oauthtokens.conftest import Pool

OUR_APPS = ("coursehub", "oauthtokens", "invitations", "progress")
# A use of each command that runs by itself, and ends.
USES = {
    "backup": ["--output", "/nowhere/at/all"],
    "erase_learner": ["nobody@example.org", "--yes"],
    "poll_progress": [],
    "probe_academy": ["--yes"],
    "reencrypt_tokens": [],
    "refresh_tokens": ["--force"],
    "regenerate_tokens": ["--set", "2", "--code", "1000.wrong"],
    "restore": ["--input", "/nowhere", "--yes"],
    "revoke_tokens": ["--all", "--yes"],
    "rotate_tokens": [],
    "seed_demo": [],
    "setup_coursehub": ["--admin", "first@example.org"],
    "sync_courses": [],
    "token_status": [],
    "verify_audit_log": [],
}
SERVERS = ("sandbox", "work")  # run until they are stopped
CODES = {0, 1, 2, 3}
CHANGES_TOKENS = ("revoke_tokens",)
NOWHERE = "mongodb://127.0.0.1:"
MONGODB_IS_AWAY = "MongoDB does not answer: check MONGODB_URI, and that the server runs."


def every_command() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in OUR_APPS)


def test_each_command_of_ours_is_tried_here():
    assert set(every_command()) <= {*USES, *SERVERS}


def run(capsys, name: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code and both outputs of a command, as from the command line; whatever it raises fails the test."""
    code = 0
    try:
        ManagementUtility(["manage.py", name, *arguments]).execute()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    said = capsys.readouterr()
    return code, said.out, said.err


def assert_ends_well(code: int, out: str, err: str, *, as_json: bool = False) -> None:
    assert code in CODES
    assert "Traceback" not in out + err
    assert (out + err).strip()
    if as_json:
        assert isinstance(json.loads(out), dict)


def api_is_down(pool, settings):
    settings.TRAINERCENTRAL_URL = f"http://127.0.0.1:{free_port()}"


def accounts_are_down(pool, settings):
    settings.ZOHO_ACCOUNTS_URL = f"http://127.0.0.1:{free_port()}"
    pool.expire(1)


def no_academy_there(pool, settings):
    settings.TRAINERCENTRAL_URL = f"{pool.sandbox.url}/healthz"


def wrong_org_id(pool, settings):
    settings.TRAINERCENTRAL_ORG_ID = "1"


def no_token_set(pool, settings):
    TokenSet.objects.update(state=TokenSet.State.EMPTY, refresh_token="", access_token="", access_expires_at=None)
    pool.change(1, generation=0)
    pool.sandbox.switch(client_secret="other")  # seed_demo gets none either


def broken_set(pool, settings):
    pool.change(1, state=TokenSet.State.BROKEN)


def unreadable_set(pool, settings):
    pool.change(1, refresh_token="unreadable", access_token="unreadable")


def client_is_refused(pool, settings):
    pool.sandbox.switch(client_secret="other")
    pool.expire(1)


def answers_are_nonsense(pool, settings):
    pool.sandbox.switch(fail_next=[{"path_contains": "", "times": 1000, "fault": "html"}])
    pool.expire(1)


def nothing(pool, settings):
    """All is well."""


TROUBLES = [
    nothing, api_is_down, accounts_are_down, no_academy_there, wrong_org_id, no_token_set, broken_set, unreadable_set,
    client_is_refused, answers_are_nonsense,
]  # fmt: skip


@pytest.fixture
def pool(academy) -> Pool:
    """Set 1 has tokens of the sandbox."""
    return Pool(academy)


@pytest.fixture
def patience_is_short(monkeypatch):
    """A poll has nobody to come back for it and tries for 30 s."""
    from coursehub import rate_limit
    from oauthtokens import services

    monkeypatch.setitem(services.RETRY_DEADLINE_SECONDS, rate_limit.PROGRESS, 0.5)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_every_command_in_every_trouble_ends_in_a_sentence(trouble, pool, settings, capsys, patience_is_short):
    order = sorted(USES, key=lambda name: name in CHANGES_TOKENS)  # that one last
    for as_json in (False, True):
        trouble(pool, settings)
        for name in order if as_json else [name for name in order if name not in CHANGES_TOKENS]:
            code, out, err = run(capsys, name, *USES[name], *(["--json"] if as_json else []))
            assert_ends_well(code, out, err, as_json=as_json)
            if trouble is nothing and name not in ("backup", "restore", "regenerate_tokens", "rotate_tokens"):
                assert code in (0, 1), (name, out, err)


def test_wrong_usage_leaves_with_3_and_with_json_it_says_so_in_json(database, capsys):
    for name in every_command():
        code, out, err = run(capsys, name, "--nonsense")
        assert (code, out) == (3, "")
        assert "usage:" in err
        code, out, err = run(capsys, name, "--nonsense", "--json")
        assert (code, err) == (3, "")
        assert json.loads(out)["error"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("refresh_tokens", ["--set", "8"]),
        ("refresh_tokens", ["--set", "x"]),
        ("revoke_tokens", ["--all"]),
        ("revoke_tokens", ["--yes"]),
        ("regenerate_tokens", ["--set", "1"]),
        ("poll_progress", ["--course", "nonsense"]),
        ("probe_academy", ["--email", "nobody"]),
        ("erase_learner", []),
        ("erase_learner", ["ada@example.org"]),
        ("setup_coursehub", ["--admin", "nobody"]),
        ("sandbox", ["--port", "nonsense"]),
        ("backup", []),
    ],
)
def test_wrong_use_is_one_json_document(database, capsys, name, arguments):
    code, out, err = run(capsys, name, *arguments, "--json")
    assert (code, err) == (3, "")
    assert json.loads(out)["error"]
    code, out, err = run(capsys, name, *arguments)
    assert (code, out) == (3, "")
    assert err.strip()


def started(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_without_a_mongod_every_command_says_so(database, settings, capsys):
    settings.MONGODB_URI = f"{NOWHERE}{free_port()}/?replicaSet=coursehub&serverSelectionTimeoutMS=200"
    for name in USES.keys() - {"setup_coursehub"}:
        assert run(capsys, name, *USES[name]) == (2, "", f"{MONGODB_IS_AWAY}\n")
        code, out, err = run(capsys, name, *USES[name], "--json")
        assert (code, json.loads(out), err) == (2, {"error": MONGODB_IS_AWAY}, "")


@pytest.mark.parametrize("command", [["migrate"], ["token_status", "--json"]])
def test_process_without_a_mongod_ends_in_a_sentence(command):
    uri = f"{NOWHERE}{free_port()}/?replicaSet=coursehub&serverSelectionTimeoutMS=300"
    process = started(*command, MONGODB_URI=uri)
    assert process.returncode in (1, 2)
    said = process.stdout if "--json" in command else process.stderr
    assert "check MONGODB_URI, and that the server runs" in said.replace("Check", "check")
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SECRET_KEY_FILE": "", "SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"DEMO": "perhaps"}, "DEMO must be true or false."),
        ({"MONGODB_URI": "mongodb://user:pass word@/x"}, "MONGODB_URI is not a connection string of MongoDB."),
        (
            {"TOKEN_ENCRYPTION_KEYS_FILE": "", "TOKEN_ENCRYPTION_KEYS": "x"},
            "TOKEN_ENCRYPTION_KEYS holds no usable key.",
        ),
        ({"DEMO": "false", "TRAINERCENTRAL_URL": "https://x.trainercentralsite.com"}, "That is the learners' site"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_a_sentence(mongod, environment, sentence):
    for command in (["token_status"], ["token_status", "--json"]):
        process = started(*command, **environment)
        assert process.returncode == 3
        assert "Traceback" not in process.stderr
        said = json.loads(process.stdout)["error"] if "--json" in command else process.stderr
        assert sentence in said
        assert "pass word" not in said


def test_error_that_nobody_foresaw_names_its_kind_and_nothing_of_its_text(database, capsys, monkeypatch):
    from oauthtokens import services

    def fail():
        raise RuntimeError("1000.secret of ada@example.org")

    monkeypatch.setattr(services, "status", fail)
    code, out, err = run(capsys, "token_status")
    assert (code, out) == (2, "")
    assert "RuntimeError" in err
    assert "secret" not in err
    with pytest.raises(RuntimeError):
        run(capsys, "token_status", "--traceback")
