import pytest

from tests.coursehub.trainercentral.scripted import scripted_server


@pytest.fixture(scope="session")
def _scripted():
    with scripted_server() as script:
        yield script


@pytest.fixture
def script(_scripted):
    """A server that plays what the test tells it; see `scripted.Play`."""
    _scripted.play()
    return _scripted
