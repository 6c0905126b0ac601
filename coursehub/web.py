"""The web process: `python -m coursehub.web` serves pages and sockets on HOST:PORT (127.0.0.1:8000).

Daphne alone drops its sockets when it is told to stop. Here SIGTERM and SIGINT first close the door,
then send every socket away with 1012, spread over time, then stop the server.
"""

import asyncio
import gc
import os
import resource
import signal
from contextlib import suppress
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server, twisted_loop
from daphne.ws_protocol import WebSocketProtocol

from coursehub.live.codes import COME_AGAIN

# Proxies cut connections that are idle for a minute or less; a client that does not answer a ping is gone.
PING_SECONDS, PONG_SECONDS = 20, 30
# The first limit counts for what we send too: the snapshot of a very large course. What comes in is an
# acknowledgement in one small frame.
LONGEST_MESSAGE_BYTES, LONGEST_INCOMING_FRAME_BYTES = 16 * 1024 * 1024, 4096
# A full collection stops the whole process: 0.2 to 0.6 s with 1,000 sockets open on a busy machine (measured). So what
# the start leaves behind is not looked at again, and the rest only after many more allocations than Python's default.
COLLECTION_THRESHOLDS = (50_000, 20, 20)
# What pages under way get to finish once the sockets are closed.
LAST_REQUESTS_SECONDS = 3.0


class Protocol(WebSocketProtocol):
    """Daphne's, which writes at once, and may also say "come again": its library keeps that code from applications."""

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Hand `data` to the operating system here and now, as far as that takes it.

        Twisted would first ask the event loop whether the socket is writable: two system calls and a turn of the
        loop for each frame, a sixth of the processor time of a busy feed.
        """
        transport = self.transport
        idle = transport.connected and not (transport.dataBuffer or transport._tempDataBuffer or self.send_queue)
        if idle and not sync and not chopsize and isinstance(sent := transport.writeSomeData(data), int):
            if sent == len(data):
                return
            data = data[sent:]
        super().sendData(data, sync, chopsize)

    def serverClose(self, code: int | None = None) -> None:
        if code == COME_AGAIN and self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code)


class WebServer(Server):
    """Daphne's, which keeps its listening ports in order to close them first."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ports: list[Any] = []
        self.closing: asyncio.Future[None] | None = None

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursehub.settings")
    from coursehub import env
    from coursehub.asgi import application
    from coursehub.backup.restore import refuse_while_unfinished
    from coursehub.checks import refuse_to_start

    refuse_to_start()
    refuse_while_unfinished()
    host, port = env.text("HOST", "127.0.0.1"), env.whole("PORT", 8000, minimum=1)
    server = WebServer(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        signal_handlers=False,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        websocket_timeout=-1,
        websocket_max_message_size=LONGEST_MESSAGE_BYTES,
        websocket_max_frame_size=LONGEST_INCOMING_FRAME_BYTES,
        server_name="CourseHub",
    )
    server.ready_callable = lambda: _prepare(server)
    for number in (signal.SIGTERM, signal.SIGINT):
        twisted_loop.add_signal_handler(number, _stop_soon, server)
    server.run()
    _end_tasks()


def _prepare(server: WebServer) -> None:
    """Just before the first connection."""
    server.ws_factory.protocol = Protocol
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # each socket is a file; 1,024 is usual
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def _stop_soon(server: WebServer) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        twisted_loop.remove_signal_handler(number)  # a second signal ends the process at once
    server.closing = asyncio.ensure_future(_stop(server), loop=twisted_loop)


async def _stop(server: WebServer) -> None:
    from coursehub.live.shutdown import send_everybody_away

    try:
        for port in server.ports:
            port.stopListening()
        await send_everybody_away()
        await _wait_for_requests(server)
    finally:
        server.stop()


async def _wait_for_requests(server: WebServer) -> None:
    """Until no application is at work, sockets included, or the time for it is up."""
    deadline = twisted_loop.time() + LAST_REQUESTS_SECONDS
    while twisted_loop.time() < deadline:
        applications = [details.get("application_instance") for details in server.connections.values()]
        if all(application is None or application.done() for application in applications):
            return
        await asyncio.sleep(0.05)


def _end_tasks() -> None:
    """What is left (change streams, above all) ends in its own order and not in the interpreter's."""
    tasks = asyncio.all_tasks(twisted_loop)
    for task in tasks:
        task.cancel()
    twisted_loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


if __name__ == "__main__":
    main()
