"""The consumer that every live page's socket derives from."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from coursehub.live.codes import COME_AGAIN, NOT_UNDERSTOOD, SIGNED_OUT
from coursehub.live.flow_control import Outstanding
from coursehub.live.frames import Frame
from coursehub.live.permissions import Viewer, guard

logger = logging.getLogger(__name__)

MAX_CLIENT_BYTES = 256
# How long a new socket waits for its change stream when MongoDB is away.
JOIN_SECONDS = 10.0
_UNAVAILABLE = (PyMongoError, DatabaseError, TimeoutError)


class Feed(Protocol):
    """An app's feed module: the only place that knows its groups in the channel layer."""

    async def join(self, viewer: Viewer, channel_name: str) -> None:
        """From now on the channel gets the viewer's frames; what happened before is in a snapshot read later."""

    async def leave(self, viewer: Viewer, channel_name: str) -> None:
        """The channel gets no more frames. Also safe after a `join` that failed."""

    async def snapshot(self, viewer: Viewer) -> Frame:
        """The state now, or newer than anything the group was told so far."""


class LiveConsumer(AsyncWebsocketConsumer):
    """Snapshot on connect, then the feed's frames; takes nothing but acknowledgements.

    Frames must follow one another by revision; a gap ends in a snapshot.
    """

    feed: ClassVar[Feed]
    viewer: Viewer  # from `connect` on, for those who are signed in

    @classmethod
    def permitted(cls, viewers: Sequence[Viewer]) -> set[Viewer]:
        """Those who may watch their subject. Synchronous, one query for all."""
        raise NotImplementedError

    def subject(self) -> str:
        """The id in the socket's address; '' for a list."""
        return ""

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        self.outstanding = Outstanding()
        self._revision = -1
        self._missed = self._joined = self._ended = False
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Here and not in `disconnect`: the server also cancels, without a word.
            guard.forget(self)
            if self._joined:
                await asyncio.shield(self.feed.leave(self.viewer, self.channel_name))

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As the base class does, but without a visit to the database thread for each message."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        # Accepted before it is refused: a browser is not told the code of a refused handshake.
        await self.accept()
        guard.open.add(self)
        if not self.scope["user"].is_authenticated:
            await self.end(SIGNED_OUT)
            return
        self.viewer = Viewer.of(self.scope, self.subject())
        code = await guard.admit(self)
        if code is not None:
            await self.end(code)
            return
        guard.watch(self)
        self._joined = True
        try:
            await asyncio.wait_for(self.feed.join(self.viewer, self.channel_name), JOIN_SECONDS)
        except _UNAVAILABLE:
            await self._send_away()
        else:
            await self._send_snapshot()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        revision = _acknowledged_revision(text_data)
        if revision is None:
            await self.end(NOT_UNDERSTOOD)
            return
        self.outstanding.acknowledged(revision)
        if self._missed and not self.outstanding.is_slow(time.monotonic()):
            await self._send_snapshot()

    async def live_frame(self, message: dict[str, Any]) -> None:
        """A frame of the group, unless this client knows it already or lacks what comes before it."""
        frame = Frame.from_message(message)
        if self._ended or self._missed or frame.revision < self._revision:
            return
        if frame.previous is not None and frame.previous > self._revision:
            await self._send_snapshot()
        else:
            await self._send_frame(frame)

    async def live_snapshot(self, message: dict[str, Any]) -> None:
        """A snapshot for the whole group: valid whatever this client knows."""
        if not self._ended:
            await self._send_frame(Frame.from_message(message))

    async def live_gap(self, message: dict[str, Any]) -> None:
        """Frames may have been missed: this client gets a snapshot of its own."""
        if not self._ended:
            await self._send_snapshot()

    async def end(self, code: int) -> None:
        """Close the socket; nothing is sent after."""
        if not self._ended:
            self._ended = True
            guard.forget(self)
            await self.close(code)

    async def _send_snapshot(self) -> None:
        if self.outstanding.is_slow(time.monotonic()):
            self._missed = True
            return
        try:
            frame = await self.feed.snapshot(self.viewer)
        except _UNAVAILABLE:
            await self._send_away()
            return
        if not self._ended:
            self._missed = False
            await self._send_frame(frame)

    async def _send_away(self) -> None:
        logger.warning("A socket was sent away because MongoDB does not answer")
        await self.end(COME_AGAIN)

    async def _send_frame(self, frame: Frame) -> None:
        now = time.monotonic()
        if self.outstanding.is_slow(now):
            # Written into a full socket it would only grow our memory; a snapshot follows the next acknowledgement.
            self._missed = True
            return
        self.outstanding.sent(frame.revision, now, len(frame.text))
        self._revision = frame.revision
        await self.send(text_data=frame.text)


def _acknowledged_revision(text: str | None) -> int | None:
    """The revision of an acknowledgement; None for anything else."""
    if not text or len(text.encode()) > MAX_CLIENT_BYTES:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.keys() != {"type", "revision"} or message["type"] != "ack":
        return None
    revision = message["revision"]
    return revision if type(revision) is int and revision >= 0 else None
