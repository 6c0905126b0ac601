"""`make run` with an academy of one's own: what it says is true, with demo accounts and without."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from coursehub.development.mongod import free_port
from tests.support import ROOT

RUN = [sys.executable, "-m", "coursehub.development.run"]


class Run:
    """One `make run` on a database of its own; `said` is what stands on the terminal so far."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port, self.sandbox_port, self._log = free_port(), free_port(), folder / "terminal"
        own = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port), "MONGODB_NAME": f"own_{self.port}"}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                RUN, cwd=ROOT, env={**os.environ, **own, **environment}, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 90
        while "Ctrl-C stops everything" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sign_in(self, username: str, password: str) -> bool:
        session = requests.Session()
        page = session.get(f"{self.url}/accounts/login/", timeout=20)
        form = {"username": username, "password": password, "csrfmiddlewaretoken": token_of(page)}
        return session.post(page.url, form, timeout=20).url == f"{self.url}/"

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(60)


def token_of(page: requests.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found
    return found[1]


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def start(tmp_path, sandbox, mongod) -> Iterator:
    runs: list[Run] = []

    def make(**environment: str) -> Run:
        runs.append(Run(tmp_path, **environment))
        return runs[-1]

    yield make
    for run in runs:
        run.stop()
    from coursehub.mongo import outside_transaction

    for run in runs:
        outside_transaction("coursehub").database.client.drop_database(f"own_{run.port}")


@pytest.mark.fault
def test_demo_with_an_academy_of_ones_own_has_accounts_and_no_sandbox(start, sandbox):
    run = start(TRAINERCENTRAL_URL=sandbox.url)
    assert f"academy: {sandbox.url}" in run.said
    assert "sandbox (a stand-in" not in run.said
    assert not is_listening(run.sandbox_port)
    assert all(run.sign_in(name, "coursehub-demo") for name in ("admin", "maintenance", "trainer", "trainer2"))
    counted = sandbox.counters()
    assert (counted["by_endpoint"], counted["refreshes"]) == ({}, {})  # no token was taken, no course read


@pytest.mark.fault
def test_without_a_demo_the_terminal_shows_the_first_administrators_link_and_nothing_else_does(start):
    run = start(DEMO="false", TRAINERCENTRAL_URL="https://nobody-here-at-all.trainercentral.com")
    link = re.search(r"http://\S+/accounts/invitation/\S+", run.said)
    assert link
    assert not run.sign_in("admin", "coursehub-demo")
    session, password = requests.Session(), "a long way to Tipperary"
    page = session.get(link[0], timeout=20)
    form = {"new_password1": password, "new_password2": password, "csrfmiddlewaretoken": token_of(page)}
    assert session.post(page.url, form, timeout=20).url == f"{run.url}/accounts/login/"
    assert run.sign_in("administrator", password)
    assert run.said.count(link[0].split("/")[-2]) == 1


def test_without_a_demo_and_without_an_academy_it_says_what_is_missing():
    ended = subprocess.run(
        RUN, cwd=ROOT, env={**os.environ, "DEMO": "false"}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("DEMO=false needs an academy: set TRAINERCENTRAL_URL")
