"""One read for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """`await shared()` gives the result of a read that began after the call; callers who wait share it."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        # A caller that goes away must not take the read from the others.
        return await asyncio.shield(self._next)

    async def _after(self, running: "asyncio.Task[T] | None") -> T:
        if running:
            await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._read()
