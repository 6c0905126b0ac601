"""Secrets planted by a proxy that sees all of them pass, and the search for them where they must not be."""

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET_FIELDS = {
    "access_token": "access token",
    "refresh_token": "refresh token",
    "client_secret": "client secret",
    "code": "consent code",
    "code_verifier": "code verifier",
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_SHORTEST_PART = 12  # a token shown in part is a leak too


class Recorder:
    """In front of the sandbox: learns each secret that passes, and the addresses that were called.

    While `echoes` is above zero, so many calls are answered with an error that repeats all that the caller sent.
    """

    def __init__(self, port: int) -> None:
        self.sandbox_port = port
        self.url = ""
        self.secrets: dict[str, str] = {}  # secret -> what it is
        self.addresses: list[str] = []
        self.echoes = 0
        self._lock = threading.Lock()

    def learn(self, kind: str, secret: str) -> None:
        with self._lock:
            self.secrets[secret] = kind

    def learn_fields(self, pairs: Iterable[tuple[str, Any]]) -> None:
        for name, value in pairs:
            if name not in SECRET_FIELDS or not isinstance(value, str) or len(value) < _SHORTEST_PART:
                continue
            if name != "code" or value.startswith("1000."):  # errors have codes too
                self.learn(SECRET_FIELDS[name], value)

    def take_echo(self) -> bool:
        with self._lock:
            self.echoes -= 1
            return self.echoes >= 0

    def kinds(self) -> set[str]:
        return set(self.secrets.values())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorder: Recorder

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = f"{self.headers.get('Authorization', '')} {body.decode(errors='replace')}"
        if not self.path.startswith("/_sandbox/"):
            self.recorder.addresses.append(self.path)
        self.recorder.learn_fields(parse_qsl(body.decode(errors="replace")))
        self.recorder.learn_fields([("access_token", self.headers.get("Authorization", "").rpartition(" ")[2])])
        if not self.path.startswith("/_sandbox/") and self.recorder.take_echo():
            told = {"error": said, "errors": [{"errorCode": "INVALID_INPUT", "message": said}]}
            return self._answer(400, [("Content-Type", "application/json")], json.dumps(told).encode())
        try:
            answer = self._of_sandbox(body)
        except (OSError, http.client.HTTPException):
            return self._reset()
        self._answer(*answer)

    def _of_sandbox(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.recorder.sandbox_port, timeout=30)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(self.command, self.path, body or None, kept | {"Host": self.headers["Host"]})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        address = urlsplit(answer.headers.get("Location", ""))
        self.recorder.learn_fields(parse_qsl(address.query))
        try:
            told = json.loads(content)
        except ValueError:
            told = {}
        self.recorder.learn_fields(told.items() if isinstance(told, dict) else [])
        return answer.status, answer.getheaders(), content

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on

    def log_message(self, *args: Any) -> None:
        """Silence."""


@contextmanager
def recording(sandbox_port: int) -> Iterator[Recorder]:
    """Context: a recorder before the sandbox of that port."""
    recorder = Recorder(sandbox_port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"recorder": recorder}))
    server.daemon_threads = True
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield recorder
    server.shutdown()
    server.server_close()


def leaks(secrets: Mapping[str, str], places: Mapping[str, str]) -> list[tuple[str, str]]:
    """(place, kind of secret) for every place whose text holds a secret or a part of one; never the secret itself."""
    parts = {part: kind for secret, kind in secrets.items() for part in {secret, *_parts(secret)}}
    return sorted({(place, kind) for place, text in places.items() for part, kind in parts.items() if part in text})


def _parts(secret: str) -> list[str]:
    return [part for part in re.split(r"[.]", secret) if len(part) >= _SHORTEST_PART]
