"""A real HTTP server in a thread that plays scripted answers, for what no well-behaved server does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from coursehub.trainercentral import AccessToken, TrainerCentralClient

TOKEN = "1000.0123456789abcdef0123456789abcdef.fedcba9876543210fedcba9876543210"
OTHER_TOKEN = "1000.ffffffffffffffffffffffffffffffff.00000000000000000000000000000000"


@dataclass
class Play:
    """One answer: status, body (JSON value, text or bytes), headers; or misbehaviour instead."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0  # before the status line
    reset: bool = False  # close without a word
    truncate: bool = False  # promise more bytes than come
    trickle_seconds: float = 0.0  # between single bytes

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Plays its answers in order, the last one for ever; keeps what it received."""

    def __init__(self) -> None:
        self.plays: list[Play] = [Play()]
        self.received: list[Received] = []
        self.connections = 0
        self.url = ""
        self._lock = threading.Lock()

    def play(self, *plays: Play) -> None:
        self.plays, self.received = list(plays), []

    def take(self, received: Received) -> Play:
        with self._lock:
            self.received.append(received)
            return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def setup(self) -> None:
        super().setup()
        self.script.connections += 1

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        play = self.script.take(Received(self.command, address.path, query, headers, body))
        time.sleep(play.wait_seconds)
        if play.reset:
            self.close_connection = True
            return
        payload = play.payload()
        self.send_response(play.status)
        for name, value in play.headers.items():
            self.send_header(name, value)
        if play.status in (204, 304):
            payload = b""
        else:
            self.send_header("Content-Length", str(len(payload) + (100 if play.truncate else 0)))
        self.end_headers()
        self._write(play, payload)
        self.close_connection = play.truncate

    def _write(self, play: Play, payload: bytes) -> None:
        try:
            if not play.trickle_seconds:
                self.wfile.write(payload)
                return
            for byte in payload:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(play.trickle_seconds)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    script = ScriptedServer()
    handler = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Tokens:
    """A token provider that hands out its tokens one after the other, moving on when one is rejected."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens) or [TOKEN, OTHER_TOKEN]
        self.rejections: list[str] = []

    def current(self) -> AccessToken:
        return AccessToken(self.tokens[0], key=self.tokens[0])

    def accepted(self, token: AccessToken) -> None:
        pass

    def rejected(self, token: AccessToken) -> None:
        self.rejections.append(str(token.key))
        if len(self.tokens) > 1:
            self.tokens.pop(0)


def client_of(script: ScriptedServer, tokens: Tokens | None = None, **options: Any) -> TrainerCentralClient:
    quick = {"connect_timeout_seconds": 1.0, "read_timeout_seconds": 0.5, "retry_deadline_seconds": 0.0}
    return TrainerCentralClient(script.url, "700000804", tokens or Tokens(), **{**quick, **options})
