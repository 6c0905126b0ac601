"""The frame of the long runs; the runs themselves are started by hand (`make soak`)."""

import json

import pytest

from bench.soak import __main__ as soak
from bench.soak.plan import Plan
from tests.support.findings import Found, found_in

PLAN = Plan(runs=10, step=5, unit="examples", step_seconds_max=60)


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEHUB_VAR", str(tmp_path))
    return tmp_path


def test_soaks_are_the_modules_with_a_plan():
    assert {"engine-differential", "engine-connections"} <= set(soak.names())


def test_unknown_name_is_wrong_usage(monkeypatch):
    monkeypatch.setenv("ONLY", "no-such")
    assert soak.main() == 3


def test_a_later_call_goes_on_where_this_seed_stopped(tmp_path):
    found = Found(["broken"], {"seconds": 2.0}, {"held": 3})
    soak.keep("name", PLAN, "1", 5, found)
    assert soak.earlier("name", "1") == (5, found)
    assert soak.earlier("name", "2") == (0, Found())
    written = json.loads((tmp_path / "soak" / "name.json").read_text())
    assert (written["runs"], written["seed"], written["violations"]) == (5, "1", 1)
    assert [one["key"] for one in written["measures"]] == ["name.violations", "name.seconds", "name.held"]


def test_findings_add_up():
    found = Found(["a"], {"calls": 1}, {"held": 3})
    found.add(Found(["b"], {"calls": 2, "forks": 1}, {"held": 2}))
    assert found == Found(["a", "b"], {"calls": 3, "forks": 1}, {"held": 3})


def test_a_step_without_a_result_is_a_violation():
    with pytest.raises(ValueError, match="Expecting value"):
        found_in("Killed\n")
    found = soak.run_step("no-such", PLAN, "1", 1)
    assert found.violations == ["step 1 ended with exit code 1 and without a result"]
