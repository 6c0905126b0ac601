"""How long a newcomer waits: from a bare clone to the login page, at the next start, and for tests and checks."""

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from bench.report import ROOT, Measure, at_most
from coursehub.development.mongod import free_port

GIVES_UP_AFTER_SECONDS = 300
TEST_SECONDS_MAX, CHECK_SECONDS_MAX = 12 * 60, 90
# On 2 cores with other work beside it, when tests ran one after the other: 2,504 of them.
TEST_SECONDS_BEFORE, CHECK_SECONDS_BEFORE = 1387, 60
# What would lead `make` away from its own checkout.
_INHERITED = ("COURSEHUB_VAR", "MONGODB_URI", "TRAINERCENTRAL_URL", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE")


def measure() -> list[Measure]:
    """Seconds in two bare clones; package downloads depend on the network's and pip's caches."""
    with tempfile.TemporaryDirectory(prefix="coursehub-start-") as folder:
        began = time.monotonic()
        checkout = _clone(Path(folder, "to-look-at"))
        first_seconds = _seconds_to_login_page(checkout, began)
        again_seconds = _seconds_to_login_page(checkout, time.monotonic())
        began = time.monotonic()
        checkout = _clone(Path(folder, "to-test"))
        counts = _make(checkout, "test", r"=+ (\d+ passed.*?) in [\d.]+s")
        test_seconds = round(time.monotonic() - began)
        began = time.monotonic()
        _make(checkout, "check", r"in all")
        check_seconds = round(time.monotonic() - began)
    tested = f"git clone and make test ({counts}); {TEST_SECONDS_BEFORE} s before tests were shared out"
    checked = f"make check after it; {CHECK_SECONDS_BEFORE} s before"
    return [
        Measure("start.clone_to_page_seconds", first_seconds, "s", "git clone and make run, to the login page"),
        Measure("start.again_seconds", again_seconds, "s", "make run on the same data"),
        at_most("test.seconds", test_seconds, TEST_SECONDS_MAX, "s", tested),
        at_most("check.seconds", check_seconds, CHECK_SECONDS_MAX, "s", checked),
    ]


def _clone(checkout: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    return checkout


def _environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _INHERITED} | more


def _make(checkout: Path, target: str, wanted: str) -> str:
    """The last of what its output has of `wanted`, a pattern. Raises RuntimeError with the end of it if make fails."""
    ended = subprocess.run(
        ["make", target],
        cwd=checkout,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = re.findall(wanted, ended.stdout)
    if ended.returncode or not found:
        raise RuntimeError(f"make {target} failed:\n{ended.stdout[-5000:]}")
    return str(found[-1])


def _seconds_to_login_page(checkout: Path, began: float) -> float:
    port = free_port()
    run = subprocess.Popen(
        ["make", "run"],
        cwd=checkout,
        env=_environment(PORT=str(port), SANDBOX_PORT=str(free_port())),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/accounts/login/"):
            if run.poll() is not None or time.monotonic() - began > GIVES_UP_AFTER_SECONDS:
                raise RuntimeError("make run did not reach the login page")
            time.sleep(0.05)
        return round(time.monotonic() - began, 1)
    finally:
        os.killpg(run.pid, signal.SIGTERM)
        run.wait(60)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == requests.codes.ok
    except requests.RequestException:
        return False
