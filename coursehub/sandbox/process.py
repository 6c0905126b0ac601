"""A sandbox in a process of its own, for `make run`, tests and benchmarks; kill it as you like."""

import json
import selectors
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import requests

from coursehub.sandbox.profiles import switches_of

START_SECONDS = 20.0
STOP_SECONDS = 10.0
CONTROL_SECONDS = 20.0


class SandboxFailed(RuntimeError):
    """The sandbox did not start, or refused a control call; the text says why."""


class SandboxProcess:
    """One sandbox on `state_path`; `switches` hold from every start on.

    After stop() or kill(), start() takes up the same state on the same port. The process ends when
    this one does, whatever the reason: it watches the pipe that is its standard input.
    """

    def __init__(self, state_path: Path | str, port: int = 0, **switches: Any) -> None:
        self.state_path, self.port, self.switches = Path(state_path), port, switches
        self._process: subprocess.Popen[bytes] | None = None
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy between us and loopback

    @property
    def url(self) -> str:
        """The address of academy, accounts server and control surface alike; known after start()."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id. Raises SandboxFailed when it is not running."""
        if self._process is None:
            raise SandboxFailed("The sandbox is not running.")
        return self._process.pid

    def start(self) -> "SandboxProcess":
        """Start and return when it answers. Raises SandboxFailed."""
        self.state_path.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "coursehub.sandbox", "--until-stdin-ends"]
        command += ["--port", str(self.port), "--state", str(self.state_path)]
        for name, value in self.switches.items():
            command += ["--switch", f"{name}={json.dumps(value)}"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,  # Ctrl-C is for the parent to handle
        )
        if self._process.stdout is None:
            raise SandboxFailed("The sandbox has no output to read its address from.")
        self.port = int(self._address(self._process.stdout).rpartition(":")[2])
        return self

    def stop(self) -> None:
        """A clean stop; none if it does not run."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._forget()

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def switch(self, **values: Any) -> dict[str, Any]:
        """Set switches; all come back."""
        switches: dict[str, Any] = self._control("PATCH", "switches", values)
        return switches

    def counters(self) -> dict[str, Any]:
        """{"by_endpoint", "by_status", "invitations", "posts", "refreshes"}"""
        counters: dict[str, Any] = self._control("GET", "counters")
        return counters

    def invitations(self) -> dict[tuple[str, str], int]:
        """(course, e-mail in lower case) -> invitations acted upon."""
        return {(row["course"], row["email"]): row["count"] for row in self.counters()["invitations"]}

    def posts(self) -> dict[tuple[str, str], int]:
        """(course, e-mail in lower case) -> invitations that came as far as the endpoint, acted upon or not."""
        return {(row["course"], row["email"]): row["posted"] for row in self.counters()["posts"]}

    def follow(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Behave as what was learnt about an academy says (`profiles.switches_of`); all switches come back."""
        return self.switch(**switches_of(facts))

    def calls(self, after: int = 0, limit: int = 100_000) -> list[dict[str, Any]]:
        """The call log after that number, oldest first."""
        calls: list[dict[str, Any]] = self._control("GET", f"calls.json?after={after}&limit={limit}")["calls"]
        return calls

    def state(self) -> dict[str, Any]:
        """The academy at a glance."""
        state: dict[str, Any] = self._control("GET", "state")
        return state

    def reset(self, *only: str, **details: Any) -> None:
        """Back to the first day: everything, or the parts named (calls, academy, tokens, switches, clock)."""
        self._control("POST", "reset", {**({"only": list(only)} if only else {}), **details})

    def advance(self, seconds: float) -> None:
        """Let the clock jump ahead."""
        self._control("POST", "clock", {"advance_seconds": seconds})

    def run_clock_at(self, speed: float) -> None:
        """Run the clock at that many times the real one; 0 lets it stand, for `advance` alone to move."""
        self._control("POST", "clock", {"speed": speed})

    def add_learners(self, course: str, count: int) -> list[str]:
        """Make members of a course; their addresses come back."""
        emails: list[str] = self._control("POST", "learners", {"course": course, "count": count})["emails"]
        return emails

    def put_learner(self, course: str, email: str, percent: int) -> None:
        """Let a member (made if need be) stand at that percentage."""
        self._control("POST", "learners", {"course": course, "email": email, "percent": percent})

    def self_client_code(self, scope: str) -> str:
        """What the API console's Generate Code gives for these scopes."""
        code: str = self._control("POST", "code", {"scope": scope})["code"]
        return code

    def __enter__(self) -> "SandboxProcess":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _control(self, method: str, name: str, body: dict[str, Any] | None = None) -> Any:
        path = name if ".json" in name else f"{name}.json"
        answer = self._http.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=CONTROL_SECONDS)
        if answer.status_code != 200:
            raise SandboxFailed(f"{method} {path}: {answer.text[:300]}")
        return answer.json()

    def _address(self, said: IO[bytes]) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(said, selectors.EVENT_READ)
            line = said.readline().decode() if selector.select(START_SECONDS) else ""
        if not line.startswith("sandbox: "):
            self.kill()
            raise SandboxFailed(f"The sandbox did not start on {self.state_path}.")
        return line.strip()

    def _forget(self) -> None:
        if self._process is not None:
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
        self._http.close()
