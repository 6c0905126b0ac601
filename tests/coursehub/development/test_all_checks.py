"""`make check` says what was found and how long it took, and one fault is enough for it to fail."""

import sys

import pytest

from coursehub.development import all_checks
from coursehub.development.all_checks import Check

GOOD = Check("good", (sys.executable, "-c", "print('nothing found')"))
BAD = Check("bad", (sys.executable, "-c", "import os; raise SystemExit(os.environ['WHY'])"), {"WHY": "a fault"})


@pytest.mark.parametrize(("checks", "code"), [((GOOD, GOOD), 0), ((BAD, GOOD), 1), ((GOOD, BAD), 1)])
def test_one_fault_is_enough(monkeypatch, capsys, checks, code):
    monkeypatch.setattr(all_checks, "CHECKS", checks)
    assert all_checks.main() == code
    said = capsys.readouterr().out
    assert said.count("nothing found") == checks.count(GOOD)
    assert said.count("a fault") == said.count("FAULTS FOUND") == checks.count(BAD)
    assert said.count(" s  ") == len(checks) + 1


def test_all_that_the_guide_promises_is_checked():
    names = " ".join(word for check in all_checks.CHECKS for word in check.command)
    for part in ("ruff format --check", "ruff check", "mypy", "lint-imports", "development.check", "--quick"):
        assert part in names
