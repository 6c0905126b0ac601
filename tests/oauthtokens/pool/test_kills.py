"""Processes killed with -9 in the middle of refreshes; the long form is `make soak ONLY=token-kills`."""

import os
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.findings import found_in
from tests.support.oauthtokens.callers import POINTS
from tests.support.oauthtokens.verdict import ANY_MOMENT, MAX_USES

RUNS = 2


@pytest.mark.fault
@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5"])
def test_killed_holder_costs_no_use_too_many_and_no_more_than_its_lease(database, sandbox, seed):
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.oauthtokens.lane", seed, str(RUNS)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "coursehub.settings", "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
        check=True,
    )
    found = found_in(ended.stdout)
    assert found.violations == []
    assert found.sums["runs"] == RUNS
    killed = {key.removeprefix("killed ") for key in found.sums if key.startswith("killed ")}
    assert killed
    assert killed <= {*POINTS, ANY_MOMENT}
    assert MAX_USES - 6 < found.highest["uses_of_a_token"] <= MAX_USES
