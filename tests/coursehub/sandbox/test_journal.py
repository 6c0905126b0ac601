import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing

import pytest
import requests

from coursehub.sandbox.process import SandboxFailed, SandboxProcess
from coursehub.sandbox.sandbox import Options, Sandbox
from tests.coursehub.sandbox.caller import Caller, refresh
from tests.support.patience import wait_for


def test_kill_in_the_middle_loses_no_answered_invitation(own_sandbox):
    caller = Caller(own_sandbox)
    course_id = caller.course_ids()[0]
    answered: list[str] = []

    def invite_until_it_dies(prefix: str) -> None:
        for number in range(100_000):
            try:
                member = caller.invite(f"{prefix}{number}@example.org", course_id).json()["courseMember"][0]
            except (requests.RequestException, ValueError):
                return
            answered.append(member["id"])

    callers = [threading.Thread(target=invite_until_it_dies, args=(prefix,)) for prefix in "abc"]
    for thread in callers:
        thread.start()
    wait_for(lambda: len(answered) >= 200, 60, "200 answers")
    own_sandbox.kill()
    for thread in callers:
        thread.join()
    own_sandbox.start()
    assert len(answered) >= 200
    assert set(answered) <= {row["id"] for row in caller.members(course_id)}
    counters = own_sandbox.counters()
    assert {row["count"] for row in counters["invitations"]} == {1}
    assert len(answered) <= len(counters["invitations"]) <= len(answered) + 3
    assert counters["by_endpoint"]["POST addCourseAttendee.json"] == len(counters["invitations"])


def test_tokens_counters_switches_and_clock_survive_a_kill(own_sandbox):
    caller = Caller(own_sandbox)
    refresh(own_sandbox, caller.tokens["refresh_token"])
    course_id = caller.course_ids()[0]
    caller.invite("ada@example.org", course_id)
    own_sandbox.put_learner(course_id, "ada@example.org", 30)
    own_sandbox.switch(limit_cap=7)
    own_sandbox.advance(3000)
    before, now_ms = own_sandbox.counters(), own_sandbox.state()["now_ms"]
    own_sandbox.kill()
    own_sandbox.start()
    assert own_sandbox.counters() == before
    assert own_sandbox.switch()["limit_cap"] == 7
    assert 0 <= own_sandbox.state()["now_ms"] - now_ms < 60_000
    assert len(caller.members(course_id)) == 7
    assert caller.members(course_id, sort=1)[0]["completionPercentage"] == "30"
    assert "access_token" in refresh(own_sandbox, caller.tokens["refresh_token"]).json()
    own_sandbox.advance(700)
    assert caller.get("courses.json").status_code == 401


def test_rate_limit_survives_a_kill(own_sandbox):
    caller = Caller(own_sandbox)
    own_sandbox.switch(calls_per_minute=2)
    own_sandbox.switches["calls_per_minute"] = 2
    caller.get("courses.json")
    own_sandbox.kill()
    own_sandbox.start()
    assert [caller.get("courses.json").status_code for _ in range(2)] == [200, 400]
    own_sandbox.kill()
    own_sandbox.start()
    assert caller.get("courses.json").status_code == 400


def test_learners_rest_while_the_sandbox_is_down(tmp_path):
    sandbox = SandboxProcess(tmp_path / "state.sqlite3", calls_per_minute=0, progress_speed=1_000_000)
    with sandbox:
        sandbox.switch(progress_speed=0)
        caller = Caller(sandbox)
        course_id = caller.course_ids()[0]
        sandbox.switch(progress_speed=1_000_000)
        before = caller.members(course_id)
        sandbox.kill()
        time.sleep(1.5)  # more than two weeks of a learner's life at this speed
        sandbox.switches["progress_speed"] = 0
        sandbox.start()
        after = {row["id"]: int(row["completionPercentage"]) for row in caller.members(course_id)}
        moved = sum(after[row["id"]] - int(row["completionPercentage"]) for row in before)
        assert 0 <= moved < 100 * len(before) / 4


def test_two_sandboxes_cannot_share_one_state(own_sandbox, capfd):
    with pytest.raises(SandboxFailed):
        SandboxProcess(own_sandbox.state_path).start()
    assert "cannot be opened" in capfd.readouterr().err


def test_state_of_another_version_is_refused_in_one_sentence(tmp_path, capfd):
    path = tmp_path / "state.sqlite3"
    path.write_bytes(b"not a database, and long enough to be looked at as one" * 20)
    with pytest.raises(SandboxFailed):
        SandboxProcess(path).start()
    assert len(capfd.readouterr().err.strip().splitlines()) == 1


def test_state_of_the_version_before_is_taken_up(tmp_path):
    path = tmp_path / "state.sqlite3"
    first = Sandbox(Options(str(path)))
    members = list(first.academy.members)
    first.journal.close()
    with closing(sqlite3.connect(path)) as older:
        for table, column in (("members", "expires_ms"), ("codes", "challenge"), ("invitations", "posted")):
            older.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        older.execute("PRAGMA user_version=1")
    again = Sandbox(Options(str(path)))
    assert list(again.academy.members) == members
    again.journal.close()


def test_sandbox_dies_with_its_parent(tmp_path):
    parent = textwrap.dedent(
        f"""
        import time
        from coursehub.sandbox.process import SandboxProcess
        print(SandboxProcess({str(tmp_path / "state.sqlite3")!r}).start().url, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        url = process.stdout.readline().decode().strip()
        assert answers(url)
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not answers(url), 30, "the sandbox has ended")


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/_sandbox/state.json", timeout=5).ok
    except requests.RequestException:
        return False


def test_call_log_is_cut_and_the_totals_stay(monkeypatch):
    from coursehub.sandbox import counters
    from coursehub.sandbox.storage import Journal

    monkeypatch.setattr(counters, "KEPT_CALLS", 10)
    journal = Journal(":memory:")
    counted = counters.Counters(journal)
    counted.start_afresh()
    for number in range(55):
        counted.count_call(number, number, "GET courses.json", 200, "")
    again = counters.Counters(journal)
    again.load()
    assert again.by_endpoint == {"GET courses.json": 55}
    assert again.last_call == 55
    assert 10 <= len(again.recent_calls(0, 100)) <= 20


def test_sandbox_needs_neither_django_nor_the_product():
    program = (
        "import sys, coursehub.sandbox.__main__, coursehub.sandbox.process\n"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('django', 'djongo', 'oauthtokens', 'invitations', 'progress') or "
        "name.startswith(('coursehub.trainercentral', 'coursehub.mongo', 'coursehub.models'))])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
