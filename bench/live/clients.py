"""Many sockets in one process, as cheap as Python makes them: `python -m bench.live.clients`.

Reads one JSON line, `{"port", "sockets": [{"path", "cookie"}], "stalled": n, "acknowledge": bool}`, connects and prints
`ready`; each further line ends a period and prints what was received in it, as JSON. The first `stalled` sockets read
their snapshot and then nothing more. Frames are taken apart by hand, since the clients share the machine with what is
measured. A stamp, "name":"T<seconds>", says when a change was written, by the clock that all processes here share.
"""

import asyncio
import base64
import contextlib
import json
import os
import re
import resource
import sys
import time

_REVISION = re.compile(rb'"revision":(\d+)')
_STAMP = re.compile(rb'"name":"T([0-9.]+)"')
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
CONNECTING_AT_ONCE = 50


class Received:
    """What all sockets received in one period."""

    def __init__(self) -> None:
        self.stamps: list[float] = []  # when a change was written
        self.seconds: list[float] = []  # how long it took to this socket
        self.frames = self.snapshots = self.closed = 0

    def as_json(self) -> str:
        return json.dumps(vars(self))


class Client(asyncio.Protocol):
    """One socket."""

    def __init__(self, clients: "Clients", head: bytes, *, stalls: bool) -> None:
        self.clients, self.head, self.stalls = clients, head, stalls
        self.buffer = b""
        self.opened = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.head)

    def connection_lost(self, exc) -> None:
        self.clients.received.closed += 1
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the server closed the socket before it told anything"))

    def data_received(self, data: bytes) -> None:
        arrived_at = time.monotonic()
        data = self.buffer + data if self.buffer else data
        if not self.opened:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self.buffer = head
                return
            if b" 101 " not in head[:20]:
                self.ready.set_exception(ConnectionError(head.decode("latin1")[:200]))
                return
            self.opened = True
        at = 0
        while (frame := _frame_at(data, at)) is not None:
            opcode, begins, at = frame
            self._take(opcode, data[begins:at], arrived_at)
        self.buffer = data[at:]

    def _take(self, opcode: int, payload: bytes, arrived_at: float) -> None:
        if opcode == _TEXT:
            self._take_text(payload, arrived_at)
        elif opcode == _PING:
            self.transport.write(_masked(_PONG, payload))
        elif opcode == _CLOSE:
            self.transport.close()

    def _take_text(self, payload: bytes, arrived_at: float) -> None:
        received = self.clients.received
        received.frames += 1
        if payload.startswith(b'{"type":"snapshot"'):
            received.snapshots += 1
        else:
            for stamp in _STAMP.findall(payload):
                received.stamps.append(float(stamp))
                received.seconds.append(arrived_at - float(stamp))
        revision = _REVISION.search(payload)
        if self.clients.acknowledge and revision:
            self.transport.write(_masked(_TEXT, b'{"type":"ack","revision":%s}' % revision[1]))
        if not self.ready.done():
            self.ready.set_result(None)
        if self.stalls:
            self.transport.pause_reading()


class Clients:
    """All of them."""

    def __init__(self, *, acknowledge: bool) -> None:
        self.acknowledge = acknowledge
        self.received = Received()

    async def connect(self, port: int, sockets: list[dict[str, str]], stalled: int) -> None:
        """Returns when each has its first frame; a bare server says one at once, too."""
        loop = asyncio.get_running_loop()
        for start in range(0, len(sockets), CONNECTING_AT_ONCE):
            some = [
                Client(self, _head(port, **socket), stalls=number < stalled)
                for number, socket in enumerate(sockets[start : start + CONNECTING_AT_ONCE], start=start)
            ]
            for one in some:
                await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
            await asyncio.gather(*(one.ready for one in some))

    def end_period(self) -> Received:
        ended, self.received = self.received, Received()
        return ended


def _head(port: int, path: str, cookie: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
        f"Origin: http://127.0.0.1:{port}", f"Cookie: {cookie}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode()


def _frame_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """The opcode of the frame that begins at `at`, and where its payload begins and ends; None when it is not whole."""
    if len(data) < at + 2:
        return None
    length, begins = data[at + 1], at + 2
    if length >= 126:
        digits = 2 if length == 126 else 8
        begins += digits
        length = int.from_bytes(data[at + 2 : begins], "big")
    return (data[at] & 0x0F, begins, begins + length) if len(data) >= begins + length else None


def _masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros, which leaves the payload as it is."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def main() -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    wanted = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    clients = Clients(acknowledge=wanted["acknowledge"])
    await clients.connect(wanted["port"], wanted["sockets"], wanted["stalled"])
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(clients.end_period().as_json(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
