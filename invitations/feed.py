"""The live feed of batches: from MongoDB's change streams to the groups of this process's sockets.

A changed row or batch only says that the batch's status must be reckoned anew, which happens at most
four times a second per batch. Every frame is a complete state, so a lost one is made up for by the next.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from coursehub.live.change_streams import Follower
from coursehub.live.connection import connection
from coursehub.live.frames import Frame
from coursehub.live.permissions import Viewer
from coursehub.mongo.types import Document
from invitations.models import Batch, Invitation
from invitations.selectors import batch_status
from invitations.selectors.batch_status import BatchStatus

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_FRAMES = 0.25
LIST_LENGTH = 50
_BATCHES, _ROWS = Batch._meta.db_table, Invitation._meta.db_table
# Rows come into being before anybody can watch their batch; only their state is counted.
_ROW_EVENTS = [{"$match": {"updateDescription.updatedFields.state": {"$exists": True}}}]
_BATCH_EVENTS = [{"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}}]
_EVERY_LIST = "invitations.list.all"


class BatchFeed:
    """All watched batches of one process. Implements `coursehub.live.consumer.Feed`."""

    def __init__(self) -> None:
        self._channels: defaultdict[str, set[str]] = defaultdict(set)  # by group
        self._owners: dict[str, Any] = {}
        self._changed: set[str] = set()
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._list_revision = 0
        self._switching = asyncio.Lock()
        self._followers = [
            Follower(
                _ROWS,
                stages=_ROW_EVENTS,
                key_of=lambda event: event["documentKey"]["_id"],
                on_keys=self._take_rows,
                on_lost=self._read_anew,
            ),
            Follower(
                _BATCHES,
                stages=_BATCH_EVENTS,
                full_document="updateLookup",
                key_of=lambda event: (event.get("fullDocument") or {}).get("id"),
                on_keys=self._take_batches,
                on_lost=self._read_anew,
            ),
        ]

    # --- What sockets ask for -------------------------------------------------------------------

    async def join(self, viewer: Viewer, channel_name: str) -> None:
        group = _group_of(viewer)
        self._channels[group].add(channel_name)
        await get_channel_layer().group_add(group, channel_name)
        async with self._switching:
            await asyncio.gather(*(follower.start() for follower in self._followers))

    async def leave(self, viewer: Viewer, channel_name: str) -> None:
        group = _group_of(viewer)
        await get_channel_layer().group_discard(group, channel_name)
        self._channels[group].discard(channel_name)
        if not self._channels[group]:
            del self._channels[group]
        async with self._switching:
            if not self._channels:
                await asyncio.gather(*(follower.stop() for follower in self._followers))
                self._owners.clear()

    async def snapshot(self, viewer: Viewer) -> Frame:
        if viewer.subject:
            return _frame("snapshot", await _status(viewer.subject) or {"revision": 0})
        listed = await database_sync_to_async(_listed)(viewer)
        self._list_revision = max([self._list_revision, *(status["revision"] for status in listed)])
        return Frame.of("snapshot", self._list_revision, batches=listed)

    # --- What the streams tell ------------------------------------------------------------------

    async def _take_rows(self, changed: dict[Any, list[Document]]) -> None:
        """Whose rows these are is asked once for all of them: updates do not say it."""
        rows = connection().collection(_ROWS).find({"_id": {"$in": list(changed)}}, {"batch_id": 1})
        await self._touch({row["batch_id"] async for row in rows})

    async def _take_batches(self, changed: dict[Any, list[Document]]) -> None:
        self._owners.update({batch_id: batches[-1]["uploaded_by_id"] for batch_id, batches in changed.items()})
        await self._touch(set(changed))

    async def _read_anew(self) -> None:
        for group in list(self._channels):
            await get_channel_layer().group_send(group, {"type": "live.gap"})

    async def _touch(self, batch_ids: set[str]) -> None:
        for batch_id in batch_ids:
            if batch_id not in self._owners:
                batch = await connection().collection(_BATCHES).find_one({"id": batch_id}, ["uploaded_by_id"])
                self._owners[batch_id] = batch and batch["uploaded_by_id"]
            if self._watched_in(batch_id):
                self._changed.add(batch_id)
                if batch_id not in self._refreshing:
                    self._refreshing[batch_id] = asyncio.create_task(self._refresh(batch_id))

    def _watched_in(self, batch_id: str) -> list[str]:
        groups = (f"invitations.batch.{batch_id}", _EVERY_LIST, f"invitations.list.{self._owners.get(batch_id)}")
        return [group for group in groups if group in self._channels]

    async def _refresh(self, batch_id: str) -> None:
        """Tell the batch's status until it has not changed for SECONDS_BETWEEN_FRAMES."""
        try:
            while batch_id in self._changed:
                self._changed.discard(batch_id)
                await self._tell(batch_id)
                await asyncio.sleep(SECONDS_BETWEEN_FRAMES)
        except Exception:
            logger.exception("The status of batch %s could not be told", batch_id)
            await self._read_anew()
        finally:
            self._refreshing.pop(batch_id, None)

    async def _tell(self, batch_id: str) -> None:
        status = await _status(batch_id)
        if status is None:
            return
        for group in self._watched_in(batch_id):
            if group.startswith("invitations.batch."):
                frame = _frame("counts", status)
            else:
                # Each batch in a list has a revision of its own; the list's only ever grows.
                self._list_revision = max(self._list_revision, status["revision"])
                frame = Frame.of("change", self._list_revision, batches=[status])
            await get_channel_layer().group_send(group, frame.message())


def _listed(viewer: Viewer) -> list[BatchStatus]:
    """The status of the newest batches in the viewer's list, newest first."""
    batches = Batch.objects.all()
    if not viewer.is_administrator:
        batches = batches.filter(uploaded_by_id=viewer.user_id)
    found = (batch_status.status(batch_id) for batch_id in batches.values_list("pk", flat=True)[:LIST_LENGTH])
    return [status for status in found if status]


async def _status(batch_id: str) -> BatchStatus | None:
    status: BatchStatus | None = await database_sync_to_async(batch_status.status)(UUID(batch_id))
    return status


def _frame(kind: str, status: Mapping[str, Any]) -> Frame:
    return Frame.of(kind, status["revision"], **{name: value for name, value in status.items() if name != "revision"})


def _group_of(viewer: Viewer) -> str:
    if viewer.subject:
        return f"invitations.batch.{viewer.subject}"
    return _EVERY_LIST if viewer.is_administrator else f"invitations.list.{viewer.user_id}"


feed = BatchFeed()
