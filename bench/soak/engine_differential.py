"""Random queries on random rows, on the engine and on SQLite: equal rows (tests/support/mongo/reading)."""

import random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from bench.soak.plan import Plan
from tests.support.findings import Found, report
from tests.support.stage.mongod import own_database

PLAN = Plan(runs=2_000, step=500, unit="examples", step_seconds_max=500)


def step(chance: random.Random, runs: int) -> Found:
    """`runs` examples; the first one that differs, made small, is the violation."""
    with own_database():
        from tests.support.mongo.reading.tables import installed

        with installed():
            return _compared(chance.randrange(2**32), runs)


def _compared(number: int, runs: int) -> Found:
    from tests.support.mongo.reading.comparison import compare

    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    phases = [Phase.generate, Phase.shrink]

    @seeded(number)
    @settings(
        max_examples=runs,
        database=None,
        phases=phases,
        deadline=None,
        suppress_health_check=slow,
        report_multiple_bugs=False,
    )
    @given(st.randoms(use_true_random=False))
    def equal_rows(chance: random.Random) -> None:
        compare(chance)

    try:
        equal_rows()
    except Exception as error:
        return Found([f"hypothesis seed {number}: {type(error).__name__}: {error}"])
    return Found()


if __name__ == "__main__":
    report(step)
