"""`make run`: from a bare checkout to everything running, until Ctrl-C.

Starts an embedded mongod (unless MONGODB_URI is set) and the Procfile's processes (no sandbox when
TRAINERCENTRAL_URL names an academy), seeds the demo or makes a link for the first administrator (DEMO=false),
prints where to go, and restarts what dies.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from coursehub.development.mongod import MongodFailed, MongodNotFound, die_with_parent, running_mongod
from coursehub.development.secrets import ensure_secrets

CHECKOUT = Path(__file__).resolve().parents[2]
MONGOD_PORT = 27117
READY_WITHIN_SECONDS = 60
RESTART_PAUSE_SECONDS = 1.0
NO_ACADEMY = (
    "DEMO=false needs an academy: set TRAINERCENTRAL_URL to its address, or leave DEMO alone for a demo with a sandbox."
)
DEMO_LINE = "admin, maintenance, trainer, trainer2: password coursehub-demo"
SANDBOX_LINE = "sandbox (a stand-in TrainerCentral): {}"
ACADEMY_LINE = "academy: {}; no courses before a token set has tokens (Token sets, as maintenance)"
LINK_LINE = "first administrator, choose a password here (works once, for 3 days): {}"


class Fleet:
    """The Procfile's processes: started by name, restarted when they die, stopped together."""

    def __init__(self) -> None:
        lines = (CHECKOUT / "Procfile").read_text().splitlines()
        self.commands = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        _, *arguments = shlex.split(self.commands[name])
        self.running[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=CHECKOUT, start_new_session=True, preexec_fn=die_with_parent
        )

    def watch(self) -> None:
        """Restart whatever ends; returns only by an exception (Ctrl-C, SIGTERM)."""
        while True:
            for name, process in list(self.running.items()):
                if process.poll() is not None:
                    print(f"{name} ended with {process.returncode}; starting it again.", flush=True)
                    time.sleep(RESTART_PAUSE_SECONDS)
                    self.start(name)
            time.sleep(0.2)

    def stop(self) -> None:
        """SIGTERM to all, in the reverse order of their start; each is waited for."""
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> int:
    os.chdir(CHECKOUT)
    var = Path(os.environ.setdefault("COURSEHUB_VAR", str(CHECKOUT / "var"))).resolve()
    os.environ["DEMO"] = os.environ.get("DEMO") or "true"
    if os.environ["DEMO"] == "false" and not _academy():
        print(NO_ACADEMY, file=sys.stderr)
        return 3
    for name, path in ensure_secrets(var / "secrets").items():
        if not os.environ.get(name.removesuffix("_FILE")):
            os.environ.setdefault(name, path)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            _run(stack, var)
        except KeyboardInterrupt:
            print("\nStopping.", flush=True)
        except (MongodNotFound, MongodFailed) as error:
            print(error, file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as error:
            return error.returncode
    return 0


def _run(stack: ExitStack, var: Path) -> None:
    if not os.environ.get("MONGODB_URI"):
        os.environ["MONGODB_URI"] = stack.enter_context(running_mongod(var / "mongo", MONGOD_PORT)).uri
    fleet = Fleet()
    stack.callback(fleet.stop)
    port, sandbox_port = os.environ.get("PORT", "8000"), os.environ.get("SANDBOX_PORT", "8900")
    sandbox_url = "" if _academy() else f"http://127.0.0.1:{sandbox_port}/_sandbox/"
    if sandbox_url:
        fleet.start("sandbox")
    static = subprocess.Popen([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"])
    told = _prepare(sandbox_url)
    if static.wait():
        raise subprocess.CalledProcessError(static.returncode, "collectstatic")
    fleet.start("web")
    fleet.start("worker")
    url = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}")
    _wait_until_answered(f"http://127.0.0.1:{port}/healthz")
    lines = [f"\nCourseHub runs at {url}", *told, f"Ctrl-C stops everything; data stay in {var}.\n"]
    print("\n".join(lines), flush=True)
    fleet.watch()


def _academy() -> str:
    """The address of an academy of one's own; "" when the sandbox is to stand in for one."""
    return os.environ.get("TRAINERCENTRAL_URL", "").strip()


def _prepare(sandbox_url: str) -> list[str]:
    """Set up the database, and in a demo its accounts; returns what to say about it, a line for each."""
    if os.environ["DEMO"] != "true":
        link = _manage("setup_coursehub", "--first-admin-link", "--json")["link"]
        return [*([f"  {LINK_LINE.format(link)}"] if link else []), f"  {ACADEMY_LINE.format(_academy())}"]
    _manage("setup_coursehub")
    if sandbox_url:
        _wait_until_answered(sandbox_url)
        _manage("seed_demo")
        return [f"  {DEMO_LINE}", f"  {SANDBOX_LINE.format(sandbox_url)}"]
    _manage("seed_demo", "--accounts-only")
    return [f"  {DEMO_LINE}", f"  {ACADEMY_LINE.format(_academy())}"]


def _manage(*command: str) -> dict[str, Any]:
    """Run a command of ours; with --json its answer, else {}. Raises CalledProcessError after it has said why."""
    as_json = "--json" in command
    run = subprocess.run(
        [sys.executable, "manage.py", *command], stdout=subprocess.PIPE if as_json else None, check=False
    )
    answer = json.loads(run.stdout or "{}") if as_json else {}
    if run.returncode:
        if "error" in answer:
            print(answer["error"], file=sys.stderr)
        raise subprocess.CalledProcessError(run.returncode, command)
    return answer


def _wait_until_answered(url: str) -> None:
    """Returns when something answers at `url`, or after READY_WITHIN_SECONDS."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2)  # noqa: S310  (an address of ours)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
