"""The one asynchronous connection to MongoDB of a web process's event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from weakref import WeakKeyDictionary

from bson import CodecOptions, Timestamp
from django.conf import settings
from django.db import connection as django_connection
from pymongo import AsyncMongoClient
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.read_concern import ReadConcern

from coursehub.mongo.types import Document


class Connection:
    """The loop's client, and how far its change streams have told.

    All reads of live pages go through it, so that none sees less than what a stream has told.
    """

    def __init__(self) -> None:
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(settings.MONGODB_URI, serverSelectionTimeoutMS=5_000)
        self._database = self.client.get_database(
            str(django_connection.settings_dict["NAME"]), CodecOptions(tz_aware=True, tzinfo=UTC)
        )
        self._seen_at: Timestamp | None = None

    def collection(self, name: str) -> AsyncCollection[Document]:
        """Reads see what a majority has: such a document cannot be rolled back after it was shown."""
        return self._database.get_collection(name, read_concern=ReadConcern("majority"))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncClientSession]:
        """A session whose reads see at least everything that was passed to `saw`."""
        async with self.client.start_session(causal_consistency=True) as session:
            if self._seen_at:
                session.advance_operation_time(self._seen_at)
            yield session

    def saw(self, moment: Timestamp | None) -> None:
        """An event of this moment (MongoDB's cluster time) has been told."""
        if moment and (self._seen_at is None or moment > self._seen_at):
            self._seen_at = moment

    async def position_now(self) -> dict[str, Any]:
        """Just after the server's present moment, as an argument of `watch`: what is before it, a read shows."""
        async with self.client.start_session(causal_consistency=True) as session:
            await self._database.command("ping", session=session)
            now = session.operation_time or Timestamp(0, 0)  # a server without one has no change streams either
            self.saw(now)
            return {"start_at_operation_time": Timestamp(now.time, now.inc + 1)}

    async def watch(self, collection: str, **options: Any) -> AsyncChangeStream[Document]:
        return await self._database[collection].watch(**options)


_connections: WeakKeyDictionary[asyncio.AbstractEventLoop, Connection] = WeakKeyDictionary()


def connection() -> Connection:
    """The one Connection of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _connections:
        _connections[loop] = Connection()
    return _connections[loop]
