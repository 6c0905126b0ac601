"""Five fixed seeds of the crash matrix (`make soak ONLY=invite-crashes` runs many): nobody is invited twice."""

import random

import pytest

from tests.support.invitations import crashes
from tests.support.invitations.crash_stage import stage


@pytest.mark.fault
@pytest.mark.timeout(900)
def test_kills_at_random_points_invite_nobody_twice(own_mongod, academy):
    chances = [(f"seed{seed}", random.Random(seed)) for seed in range(1, 6)]
    with stage(own_mongod, academy, chance=random.Random(0)) as opened:
        found = crashes.crash_runs(opened, chances)
    assert found.violations == []
    assert found.sums["rows"] == 5 * crashes.ROWS
