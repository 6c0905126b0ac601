"""Random queries on random rows give the rows that SQLite gives."""

import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.mongo.reading.tables import installed

EXAMPLES = 200  # `make soak ONLY=engine-differential` runs 2,000 more, with a seed of its choice
# The explaining phase traces every line, which makes each example six times slower.
PHASES = [Phase.generate, Phase.shrink]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def tables(_set_up_database):
    with installed():
        yield


@pytest.mark.parametrize("seed", range(60))
def test_kept_seeds_give_the_rows_of_sqlite(tables, database, seed):
    from tests.support.mongo.reading.comparison import compare

    compare(random.Random(seed))


# The same examples every time; a failing one is made small, which takes a while.
@pytest.mark.timeout(300)
@settings(max_examples=EXAMPLES, derandomize=True, phases=PHASES, deadline=None, suppress_health_check=SLOW)
@given(st.randoms(use_true_random=False))
def test_random_queries_on_random_rows_give_the_rows_of_sqlite(tables, database, chance):
    from tests.support.mongo.reading.comparison import compare

    compare(chance)
