"""Real `manage.py work` processes for tests, and what /proc says about their groups."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.support import ROOT
from tests.support.patience import wait_for

SETTINGS = "tests.support.queue.settings"


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_of(leader: int) -> dict[int, str]:
    """Process id -> kind ("guard", "worker" ...) of all living processes in the session of `leader`."""
    members = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            head, tail = (entry / "stat").read_text().rsplit(")", 1)
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, _, session = tail.split()[:4]
        if int(session) == leader and state not in "ZX":
            members[int(entry.name)] = head.split("(", 1)[1].removeprefix("work:")
    return members


def family(pid: int) -> list[int]:
    """The process and all below it."""
    children = [
        int(child)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children")
        for child in tasks.read_text(encoding="utf-8").split()
    ]
    return [pid, *(each for child in children for each in family(child))]


class Work:
    """One `manage.py work`, and the groups that it told of."""

    def __init__(self, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "work", "--json"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        self.events.extend(json.loads(line) for line in self.process.stdout)

    def leaders(self) -> list[int]:
        """The process ids of the groups' leaders, in the order of their starts."""
        return [event["pid"] for event in self.events if event["event"] == "started"]

    def group(self) -> dict[int, str]:
        """The living processes of the newest group."""
        return group_of(self.leaders()[-1]) if self.leaders() else {}

    def member(self, kind: str) -> int:
        return next(pid for pid, its_kind in self.group().items() if its_kind == kind)

    def wait_until_complete(self) -> dict[int, str]:
        kinds = {"guard", "pusher", "monitor", "worker", "ticker"}
        wait_for(lambda: kinds <= set(self.group().values()), 90, "a complete group")
        return self.group()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def end(self) -> None:
        """Whatever state it is in, afterwards it is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for leader in self.leaders():
            wait_for(lambda leader=leader: not group_of(leader), 30, "the group is gone")
