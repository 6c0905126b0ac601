import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from coursehub.sandbox.server import DEMO_SPEED
from tests.support import ROOT


def switches_of(state: Path, *options: str, **environment: str) -> dict:
    """Start the management command on `state`, read its switches, stop it with SIGTERM."""
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--state", str(state), *options]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE) as process:
        url = process.stdout.readline().decode().removeprefix("sandbox: ").strip()
        try:
            return requests.get(f"{url}/_sandbox/switches.json", timeout=10).json()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_new_demo_academy_lives_fast_and_takes_our_budget_and_an_old_one_keeps_its_switches(tmp_path):
    state = tmp_path / "new" / "state.sqlite3"
    demo = switches_of(state, DEMO="true", TRAINERCENTRAL_CALLS_PER_MINUTE="600")
    assert (demo["progress_speed"], demo["calls_per_minute"]) == (DEMO_SPEED, 600)
    later = switches_of(state, DEMO="true", TRAINERCENTRAL_CALLS_PER_MINUTE="5")
    assert later["calls_per_minute"] == 600


def test_sandbox_outside_a_demo_keeps_the_documented_limits(tmp_path):
    plain = switches_of(tmp_path / "state.sqlite3", DEMO="false")
    assert (plain["progress_speed"], plain["calls_per_minute"]) == (1.0, 30)


def test_unknown_switch_stops_the_start_with_code_2(tmp_path):
    command = [sys.executable, "-m", "coursehub.sandbox", "--port", "0", "--state", str(tmp_path / "state.sqlite3")]
    ended = subprocess.run([*command, "--switch", "no_such=1"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "no_such" in ended.stderr


def test_sandbox_like_a_profile_has_its_switches_and_those_named_beside_it(tmp_path):
    file = tmp_path / "profile.json"
    facts = {"page_cap": {"value": 9}, "newest_first": {"value": False}, "largest_page": {"value": 9}}
    file.write_text(json.dumps({"profile": {"facts": facts, "answers": []}}))
    options = ["--like", str(file), "--switch", "calls_per_minute=7"]
    switches = switches_of(tmp_path / "state.sqlite3", *options, DEMO="false")
    assert (switches["limit_cap"], switches["sort_1_order"], switches["calls_per_minute"]) == (9, "oldest", 7)
