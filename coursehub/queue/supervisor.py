"""The process of `manage.py work`: keeps one group of worker processes alive, and never two."""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from coursehub.queue.heartbeat import SilenceWatch

STOP_SECONDS = 10
_LOOK_SECONDS = 0.25
_PAUSES_SECONDS = (0, 1, 2, 5, 10)
# A group that lived this long did not fail for a reason that a pause would cure.
_GOOD_RUN_SECONDS = 60

logger = logging.getLogger(__name__)


class Group:
    """One session of processes: the guard, which leads it, and all that it forked."""

    def __init__(self, worker: str, run: int) -> None:
        self._signs, write_end = os.pipe()
        identity = ("--worker", worker, "--run", str(run), "--signs", str(write_end), "--parent", str(os.getpid()))
        self._leader = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.cluster", *identity],
            stdin=subprocess.DEVNULL,
            pass_fds=[write_end],
            start_new_session=True,  # a group of its own, which Ctrl-C does not reach
            env={**os.environ, "PYTHONPATH": _python_path()},
        )
        os.close(write_end)
        self.pid = self._leader.pid

    def is_led(self) -> bool:
        """Whether the leader lives. Does not reap it: until then nobody else can get the group's number."""
        if not hasattr(os, "waitid"):
            return True  # macOS before Python 3.13: its silence will tell
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def read_signs(self, wait_seconds: float) -> bytes | None:
        """What was said, after a wait of at most `wait_seconds`; None when every process of the group is dead."""
        readable, _, _ = select.select([self._signs], [], [], wait_seconds)
        if not readable:
            return b""
        return os.read(self._signs, 65536) or None

    def ask_to_stop(self) -> None:
        """Running tasks may end, no more are begun."""
        self._leader.send_signal(signal.SIGTERM)

    def end(self) -> bool:
        """Kill whatever is left and wait until it is gone; whether the leader had ended well by itself."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # By SIGTERM it can only die before it has children.
        ended_well = self._leader.wait() in (0, -signal.SIGTERM)
        deadline = time.monotonic() + 5
        while self.read_signs(_LOOK_SECONDS) is not None and time.monotonic() < deadline:
            pass
        os.close(self._signs)
        return ended_well


def _python_path() -> str:
    """The group finds the code where this process found it."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


class Supervisor:
    """Starts group after group until it is told to stop. Needs neither MongoDB nor a thread."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._tell = tell
        self._is_told_to_stop = False

    def run(self) -> bool:
        """Supervise until SIGTERM or SIGINT; False if tasks had to be cut off at the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        run = failures = 0
        while not self._is_told_to_stop:
            run += 1
            group, started_at = Group(self.worker, run), time.monotonic()
            self._tell({"event": "started", "worker": self.worker, "run": run, "pid": group.pid})
            reason = self._watch(group)
            if not reason:
                return self._stop(group)
            group.end()
            failures = 0 if time.monotonic() - started_at > _GOOD_RUN_SECONDS else failures + 1
            pause_seconds = _PAUSES_SECONDS[min(max(failures - 1, 0), len(_PAUSES_SECONDS) - 1)]
            self._tell({"event": "ended", "run": run, "reason": reason, "next_in_seconds": pause_seconds})
            self._pause(pause_seconds)
        return True

    def _note_signal(self, *_: object) -> None:
        self._is_told_to_stop = True

    def _watch(self, group: Group) -> str:
        """Returns the reason why the group must end, or an empty text when we are told to stop."""
        watch = SilenceWatch(time.monotonic())
        while not self._is_told_to_stop:
            signs = group.read_signs(_LOOK_SECONDS)
            if signs is None or not group.is_led():
                return "a process of the group died"
            watch.note(signs, time.monotonic())
            reason = watch.verdict(time.monotonic())
            if reason:
                return reason
        return ""

    def _stop(self, group: Group) -> bool:
        group.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while group.is_led() and time.monotonic() < deadline:
            group.read_signs(_LOOK_SECONDS)
        ended_well = group.end()
        self._tell({"event": "stopped", "ended_well": ended_well})
        return ended_well

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._is_told_to_stop:
            time.sleep(_LOOK_SECONDS)
