"""Web processes and sockets for the tests of live pages: real daphne, real frames."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import websocket
from pymongo.collection import Collection

from coursehub.development.mongod import die_with_parent, free_port
from tests.support import ROOT

START_SECONDS = 120  # on a machine with other things to do; it takes two


class WebProcess:
    """`python -m coursehub.web` on the tests' database."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.sockets: list[Socket] = []

    def start(self) -> "WebProcess":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coursehub.web"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port)},
            preexec_fn=die_with_parent,
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2)
                return self
            except OSError:
                assert self.process.poll() is None, "the web process ended"
                assert time.monotonic() < deadline, "the web process does not answer"
                time.sleep(0.1)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def connect(self, path: str, client=None, *, origin: str | None = None) -> "Socket":
        """Open a socket as the browser of `client` (Django's test client; None: not signed in) would."""
        cookie = client.cookies.get("sessionid") if client else None
        connection = websocket.create_connection(
            f"ws://127.0.0.1:{self.port}{path}",
            cookie=f"sessionid={cookie.value}" if cookie else None,
            origin=origin or f"http://127.0.0.1:{self.port}",
            timeout=60,
        )
        self.sockets.append(Socket(connection))
        return self.sockets[-1]

    def close_sockets(self) -> None:
        while self.sockets:
            self.sockets.pop().close()


class Socket:
    """One client's end. It acknowledges what it receives unless told not to."""

    def __init__(self, connection: websocket.WebSocket) -> None:
        self.connection = connection
        self.acknowledges = True
        self.received = 0

    def receive(self, timeout_seconds: float = 60) -> dict[str, Any]:
        """The next frame; `{"type": "closed", "code"}` when the server closed."""
        self.connection.settimeout(timeout_seconds)
        received = self.connection.recv_frame()
        while received.opcode == websocket.ABNF.OPCODE_PING:
            self.connection.pong(received.data)
            received = self.connection.recv_frame()
        if received.opcode == websocket.ABNF.OPCODE_CLOSE:
            with suppress(OSError):  # a server that ends need not wait for our answer
                self.connection.send_close()
            return {"type": "closed", "code": int.from_bytes(received.data[:2], "big")}
        frame = json.loads(received.data)
        self.received += 1
        if self.acknowledges:
            self.acknowledge(frame["revision"])
        return frame

    def receive_until(self, wanted, timeout_seconds: float = 60) -> dict[str, Any]:
        """The first frame for which `wanted(frame)` holds."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            frame = self.receive(max(0.1, deadline - time.monotonic()))
            if wanted(frame):
                return frame

    def is_silent(self, seconds: float) -> bool:
        try:
            self.receive(seconds)
        except websocket.WebSocketTimeoutException:
            return True
        return False

    def until_silent(self, seconds: float) -> list[dict[str, Any]]:
        """The frames that come until none has come for `seconds`."""
        frames = []
        with suppress(websocket.WebSocketTimeoutException):
            while True:
                frames.append(self.receive(seconds))
        return frames

    def acknowledge(self, revision: int) -> None:
        self.send(json.dumps({"type": "ack", "revision": revision}))

    def send(self, text: str) -> None:
        self.connection.send(text)

    def close(self) -> None:
        self.connection.close(timeout=1)


def lose_history(collection: Collection, **changes: Any) -> None:
    """End the collection's change streams for good: put it in its own place, as it was but for `changes`.

    At one stroke, so that nobody reads the collection without its documents.
    """
    changed = {"$set": {name: {"$literal": value} for name, value in changes.items()}}
    collection.aggregate([changed, {"$out": collection.name}] if changes else [{"$out": collection.name}])


@contextmanager
def running_web() -> Iterator[WebProcess]:
    web = WebProcess()
    try:
        yield web.start()
    finally:
        web.stop()


@pytest.fixture(scope="module")
def web_process(_set_up_database) -> Iterator[WebProcess]:
    with running_web() as process:
        yield process


@pytest.fixture
def web(web_process) -> Iterator[WebProcess]:
    """The web process of all tests of a module, with nobody connected."""
    yield web_process
    web_process.close_sockets()
