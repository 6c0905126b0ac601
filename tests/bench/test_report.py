"""The frame of the measurements; what they measure is run by hand (`make bench`)."""

import json

from bench import __main__ as bench
from bench.report import Measure, at_least, at_most, write

SHAPE = {"key", "value", "unit", "compared_with", "goal", "holds"}


def test_result_has_the_promised_shape(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEHUB_VAR", str(tmp_path))
    path = write("name", [at_least("a.b", 2, 1.5, "1/s", "c"), at_most("d", 2, 1.5, "s", "c"), Measure("e", 1, "s")])
    written = json.loads(path.read_text())
    assert path == tmp_path / "bench" / "name.json"
    assert set(written) == {"name", "commit", "machine", "measures"}
    assert [set(one) for one in written["measures"]] == [SHAPE] * 3
    assert [(one["goal"], one["holds"]) for one in written["measures"]] == [
        (">= 1.5", True),
        ("<= 1.5", False),
        ("", None),
    ]


def test_soak_writes_what_else_it_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEHUB_VAR", str(tmp_path))
    written = json.loads(write("name", [], kind="soak", runs=3, seed=1, violations=0).read_text())
    assert (written["runs"], written["seed"], written["violations"]) == (3, 1, 0)


def test_sandbox_is_among_the_measurements():
    assert "sandbox" in bench.names()
    assert "report" not in bench.names()


def test_unknown_name_is_wrong_usage():
    assert bench.main(["no_such"]) == 3


def test_measured_results_that_are_quoted_have_the_same_shape(pytestconfig):
    for path in (pytestconfig.rootpath / "docs" / "measured").glob("*.json"):
        written = json.loads(path.read_text())
        assert {"name", "commit", "machine", "measures"} <= set(written), path.name
        assert all(set(one) == SHAPE for one in written["measures"]), path.name
