"""The whole product as separate processes, and a browser in front of it."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import pytest

from coursehub.development.browser import ARGUMENTS, find_chromium
from coursehub.development.mongod import die_with_parent, free_port
from tests.support import ROOT
from tests.support.stage.web import START_SECONDS

PATIENCE_SECONDS = 60  # for what is there in one or two, on a machine with other things to do


@dataclass
class Product:
    """One web process and any number of workers, on the tests' database and sandbox."""

    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen] = field(default_factory=list)
    output: IO[str] | None = None  # where they log to; None: where this process does

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command: str, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port), **environment},
            preexec_fn=die_with_parent,
            stdout=self.output,
            stderr=self.output,
        )
        self.processes.append(process)
        return process

    def start_web(self, **environment: str) -> None:
        self.start("-m", "coursehub.web", **environment)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1)
                return
            except OSError:
                assert time.monotonic() < deadline, "the web process does not answer"
                time.sleep(0.1)

    def start_worker(self, **environment: str) -> subprocess.Popen:
        return self.start("manage.py", "work", **environment)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)


@pytest.fixture
def product(academy, static_files) -> Iterator[Product]:
    """Web and worker, with the demo seeded."""
    product = Product()
    product.start_web()
    product.start_worker()
    yield product
    product.stop()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_SECONDS * 1000)

    # Playwright runs an event loop in this thread; Django must not take it for an async view, and it must
    # not outlive the module, since asgiref refuses to bridge from a thread with a loop.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def sign_in(browser, product):
    """`page = sign_in("trainer")`: a page of a fresh browser profile, signed in."""
    contexts = []

    def make(username: str):
        context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill("coursehub-demo")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    yield make
    for context in contexts:
        context.close()
