"""Five fixed seeds of the crash matrix (`make soak ONLY=invite-crashes` runs many): nobody is invited twice."""

import random

import pytest

from bench.soak import invite_crashes


@pytest.mark.fault
@pytest.mark.timeout(400)
def test_kills_at_random_points_invite_nobody_twice(academy, mongod):
    found = invite_crashes.Found()
    with invite_crashes.stage(mongod, academy) as opened:
        for seed in range(1, 6):
            found.add(invite_crashes.crash_run(opened, random.Random(seed), f"seed{seed}"))
    assert found.violations == []
    assert found.sums["rows"] == 5 * invite_crashes.ROWS
