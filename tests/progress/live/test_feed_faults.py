"""Viewers of a live page through broken sockets, killed processes and elections: the soak `feed-faults`, in short."""

import os
import random
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.findings import found_in

ON_ONE_MEMBER, ON_THREE = "1.0", "1.10"  # the seed decides


@pytest.mark.fault
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("seed", "runs"), [(ON_ONE_MEMBER, 3), (ON_THREE, 2)])
def test_every_viewer_ends_with_the_databases_table(seed, runs):
    assert (random.Random(seed).random() < 0.5) is (seed == ON_THREE)
    step = [sys.executable, "-m", "tests.support.progress.feed_faults", seed, str(runs)]
    ended = subprocess.run(step, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True, timeout=580)
    found = found_in(ended.stdout)
    assert found.violations == []
    assert (found.sums["runs"], found.sums["faults"] >= 2 * runs) == (runs, True)
    assert found.sums["snapshots"] > 6 * runs, "no viewer had to come back"
