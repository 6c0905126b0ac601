"""A sandbox of its own for these tests: they switch it about, kill it, and read its state."""

from collections.abc import Iterator

import pytest

from coursehub.sandbox.process import SandboxProcess
from tests.coursehub.sandbox.caller import Caller


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One running sandbox without rate limit, shared by the tests that leave it running."""
    state_path = tmp_path_factory.mktemp("sandbox") / "state.sqlite3"
    with SandboxProcess(state_path, calls_per_minute=0) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """The shared sandbox on its first day."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def caller(sandbox: SandboxProcess) -> Caller:
    """Somebody with an access token for every scope."""
    return Caller(sandbox)


@pytest.fixture
def own_sandbox(tmp_path) -> Iterator[SandboxProcess]:
    """A sandbox to kill."""
    with SandboxProcess(tmp_path / "state.sqlite3", calls_per_minute=0) as process:
        yield process
