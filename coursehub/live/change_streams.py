"""Following MongoDB's change streams from the event loop that also serves the sockets."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from coursehub.live.connection import connection
from coursehub.mongo.types import Document

logger = logging.getLogger(__name__)

# What is gathered before it is handed over: one frame per key instead of one per document.
COALESCE_SECONDS = 0.03
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.1, 5.0
# CappedPositionLost, InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost
_HISTORY_LOST_CODES = frozenset({136, 260, 280, 286})


class Follower:
    """Follows one collection from `start()` to `stop()` and hands its events over, coalesced per key.

    `key_of(event)` names what a change event is about (None: nothing of interest).
    `on_keys(changed)` gets, per key and in the order of the oplog, the events' full documents (for an
    event without one, its `documentKey`). One hand-over ends before the next begins.
    `on_lost()` is awaited when events may have been missed: read everything anew. It comes after the
    stream is open again, so nothing falls between the two.
    """

    def __init__(
        self,
        collection: str,
        *,
        key_of: Callable[[Document], Hashable | None],
        on_keys: Callable[[dict[Hashable, list[Document]]], Awaitable[None]],
        on_lost: Callable[[], Awaitable[None]],
        stages: Sequence[Document] = (),
        full_document: str | None = None,
    ) -> None:
        self._collection = collection
        self._options = {"pipeline": list(stages), "full_document": full_document}
        self._key_of, self._on_keys, self._on_lost = key_of, on_keys, on_lost
        self._tasks: list[asyncio.Task[None]] = []
        self._forget()

    def _forget(self) -> None:
        self._position: dict[str, Any] | None = None  # where to go on: an argument of `watch`
        self._history_lost = False
        self._pending: dict[Hashable, list[Document]] = {}
        self._something, self._open = asyncio.Event(), asyncio.Event()

    async def start(self) -> None:
        """Return once the stream is open: what a later read does not show, the stream will tell."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._hand_over())]
        await self._open.wait()

    async def stop(self) -> None:
        """Close the stream and forget where it was."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._forget()

    async def _follow(self) -> None:
        """Follow for ever: after a lost connection from the resume token, after lost history from now."""
        delay_seconds = _FIRST_RETRY_SECONDS
        while True:
            try:
                async with await self._opened() as stream:
                    self._open.set()
                    delay_seconds = _FIRST_RETRY_SECONDS
                    await self._read(stream)
                self._lose_history("the collection was dropped or renamed")
            except PyMongoError as error:
                if isinstance(error, OperationFailure) and error.code in _HISTORY_LOST_CODES:
                    self._lose_history("the server no longer has it")
                else:
                    logger.warning("Change stream of %s broke: %s", self._collection, type(error).__name__)
            await asyncio.sleep(delay_seconds * random.uniform(0.5, 1.0))  # noqa: S311  # spreads reconnects
            delay_seconds = min(delay_seconds * 2, _LONGEST_RETRY_SECONDS)

    async def _opened(self) -> AsyncChangeStream[Document]:
        if self._position is None:
            self._position = await connection().position_now()
        stream = await connection().watch(self._collection, **self._options, **self._position)
        if self._history_lost:
            await self._start_over()
        return stream

    async def _read(self, stream: AsyncChangeStream[Document]) -> None:
        try:
            async for event in stream:
                connection().saw(event.get("clusterTime"))
                self._gather(event)
        finally:
            if stream.resume_token:
                self._position = {"resume_after": stream.resume_token}

    def _lose_history(self, reason: str) -> None:
        logger.warning("Change stream of %s lost its history: %s", self._collection, reason)
        self._position, self._history_lost = None, True

    def _gather(self, event: Document) -> None:
        key = self._key_of(event)
        if key is not None:
            self._pending.setdefault(key, []).append(event.get("fullDocument") or event["documentKey"])
            self._something.set()

    async def _hand_over(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            self._something.clear()
            pending, self._pending = self._pending, {}
            try:
                await self._on_keys(pending)
            except Exception:  # whatever it was, these events are gone for the receiver
                logger.exception("Changes of %s could not be handed over", self._collection)
                await self._start_over()

    async def _start_over(self) -> None:
        """Tell the receiver to read everything anew, until it could."""
        while True:
            try:
                await self._on_lost()
            except Exception:
                logger.exception("Live pages of %s could not be read anew", self._collection)
                await asyncio.sleep(_LONGEST_RETRY_SECONDS)
            else:
                self._history_lost = False
                return
