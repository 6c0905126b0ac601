"""The sandbox over HTTP."""

import asyncio
import logging
import os
import random
import signal
import socket
import struct
import sys
from collections.abc import Callable

from aiohttp import web

from coursehub.sandbox import control
from coursehub.sandbox.faults import Fault
from coursehub.sandbox.http import Answer, Call
from coursehub.sandbox.limits import http_date
from coursehub.sandbox.sandbox import Options, Sandbox

logger = logging.getLogger("coursehub.sandbox")

DEMO_SPEED = 336.0  # four weeks of a learner's life in two hours


class Server:
    """Turns requests into calls. A low-level aiohttp server: the one handler keeps the path short."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or let it meet its fault."""
        call = Call(
            method=request.method,
            path=request.rel_url.path,
            query_string=request.rel_url.raw_query_string,
            body=await request.read() if request.body_exists else b"",
            authorization=request.headers.get("Authorization", ""),
            content_type=request.content_type,
            origin=f"{request.scheme}://{request.host}",
            arrived_ms=(now_ms := self._sandbox.clock.now_ms()),
            at_ms=now_ms,
        )
        if call.path.startswith(control.PREFIX):
            return _response(control.answer(self._sandbox, call))
        fault = self._sandbox.begin(call.path)
        if await self._delay(fault):
            call.at_ms = self._sandbox.clock.now_ms()
        answer = self._sandbox.answer(call, fault)
        if answer.fault:
            fault = Fault(answer.fault)
        if fault.loses_answer:
            if fault.holds:
                await asyncio.sleep(self._sandbox.switches.hold_seconds)
            _reset_connection(request.transport)
        elif fault.kind == "truncated":
            return await _send_half(request, answer)
        answer.headers = {
            **(answer.headers or {}),
            "Date": http_date(self._sandbox.clock.now_ms(), self._sandbox.switches),
        }
        return _response(answer)

    async def _delay(self, fault: Fault) -> bool:
        latency = self._sandbox.switches.latency_ms
        if isinstance(latency, list):
            latency = random.uniform(*latency)  # noqa: S311  (weather, not a secret)
        if fault.kind == "late":
            latency += self._sandbox.switches.late_seconds * 1000
        if latency:
            await asyncio.sleep(latency / 1000)
        return bool(latency)


def _response(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status or 500, body=answer.body, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    return response


def _reset_connection(transport: asyncio.Transport | None) -> None:
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # No lingering: the peer sees a reset, not an orderly end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _send_half(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    _reset_connection(request.transport)
    return response


async def serve(
    options: Options, host: str, port: int, announce: Callable[[str], None], until_stdin_ends: bool
) -> None:
    """Serve until SIGTERM or SIGINT; port 0 takes a free one. Raises StateUnusable, BadSwitch, OSError."""
    sandbox = Sandbox(options)
    runner = web.ServerRunner(web.Server(Server(sandbox).handle, access_log=None), shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        if until_stdin_ends:
            # The parent holds the other end: when it dies, however it dies, this reads the end.
            loop.add_reader(sys.stdin, lambda: None if os.read(sys.stdin.fileno(), 1) else stopped.set())
        announce(f"http://{host}:{runner.addresses[0][1]}")
        await stopped.wait()
    finally:
        await runner.cleanup()
        sandbox.journal.close()
