"""How long a newcomer waits: from a bare clone to the login page, and at the next start."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from bench.report import ROOT, Measure
from coursehub.development.mongod import free_port

GIVES_UP_AFTER_SECONDS = 300
# What would lead `make run` away from its own checkout.
_INHERITED = ("COURSEHUB_VAR", "MONGODB_URI", "TRAINERCENTRAL_URL", "VIRTUAL_ENV")


def measure() -> list[Measure]:
    """Seconds to the first answer of the login page; package downloads depend on the network's and pip's caches."""
    with tempfile.TemporaryDirectory(prefix="coursehub-start-") as folder:
        checkout = Path(folder, "coursehub")
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        first_seconds = _seconds_to_login_page(checkout, began)
        again_seconds = _seconds_to_login_page(checkout, time.monotonic())
    return [
        Measure("start.clone_to_page_seconds", first_seconds, "s", "git clone and make run, to the login page"),
        Measure("start.again_seconds", again_seconds, "s", "make run on the same data"),
    ]


def _seconds_to_login_page(checkout: Path, began: float) -> float:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in _INHERITED}
    environment |= {"PORT": str(port), "SANDBOX_PORT": str(free_port())}
    run = subprocess.Popen(
        ["make", "run"],
        cwd=checkout,
        env=environment,
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
