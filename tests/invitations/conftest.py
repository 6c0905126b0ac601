import pytest

from coursehub import clock


@pytest.fixture
def later(database):
    """`later(135)`: for the rest of the test it is so many seconds later."""
    yield lambda seconds: clock.simulate(ahead_seconds=seconds)
    clock.end_simulation()
