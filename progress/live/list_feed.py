"""The live feed of lists of courses: each course's figures, whenever a poll has moved them."""

import asyncio
from collections import defaultdict
from typing import Any

from channels.db import database_sync_to_async

from coursehub.live.change_streams import Follower
from coursehub.live.frames import Frame
from coursehub.live.permissions import Viewer
from coursehub.models import Course
from coursehub.mongo.types import Document
from progress import selectors
from progress.live import course_feed

# Figures are reckoned from all rows of a course, so polls that come close together are told together.
SECONDS_BETWEEN_FRAMES = 1.0
_EVERYTHING = "progress.list.all"
_NEW_OR_READ = [
    {
        "$match": {
            "$or": [
                {"operationType": "insert"},
                {"updateDescription.updatedFields.polled_at": {"$exists": True}},
                {"updateDescription.updatedFields.name": {"$exists": True}},
            ]
        }
    }
]


class ListFeed:
    """The lists that sockets of this process show. Implements `coursehub.live.consumer.Feed`.

    Every frame holds complete courses, so none needs the one before; the revision counts them.
    """

    def __init__(self) -> None:
        self._channels: defaultdict[str, set[str]] = defaultdict(set)  # by group
        self._users: dict[str, Any] = {}  # of the groups of trainers
        self._revision = 0
        self._switching = asyncio.Lock()
        self._follower = Follower(
            Course._meta.db_table,
            stages=_NEW_OR_READ,
            full_document="updateLookup",
            key_of=lambda event: (event.get("fullDocument") or {}).get("course_id"),
            on_keys=self._take_courses,
            on_lost=self._read_anew,
        )

    async def join(self, viewer: Viewer, channel_name: str) -> None:
        group = _group_of(viewer)
        self._channels[group].add(channel_name)
        if group != _EVERYTHING:
            self._users[group] = viewer.user_id
        await course_feed.enter(group, channel_name)
        async with self._switching:
            await self._follower.start()

    async def leave(self, viewer: Viewer, channel_name: str) -> None:
        group = _group_of(viewer)
        await course_feed.leave(group, channel_name)
        self._channels[group].discard(channel_name)
        if not self._channels[group]:
            del self._channels[group]
            self._users.pop(group, None)
        async with self._switching:
            if not self._channels:
                await self._follower.stop()

    async def snapshot(self, viewer: Viewer) -> Frame:
        courses = await database_sync_to_async(_visible_to)(viewer)
        return Frame.of("snapshot", self._revision, courses=courses)

    async def _take_courses(self, changed: dict[Any, list[Document]]) -> None:
        visible = await database_sync_to_async(_visible_in)(self._users, set(changed))
        for group in self._channels.keys() & visible.keys():
            self._revision += 1
            await course_feed.tell(group, Frame.of("change", self._revision, courses=visible[group]).message())
        await asyncio.sleep(SECONDS_BETWEEN_FRAMES)

    async def _read_anew(self) -> None:
        for group in list(self._channels):
            await course_feed.tell(group, {"type": "live.gap"})


def _visible_to(viewer: Viewer) -> list[dict[str, Any]]:
    if viewer.is_administrator:
        return selectors.outlines(Course.objects.values_list("course_id", flat=True))
    return selectors.outlines([course_id for _, course_id in selectors.granted({viewer.user_id})])


def _visible_in(users: dict[str, Any], course_ids: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Per group, those of the courses that its viewers may see."""
    courses = selectors.outlines(course_ids)
    granted = selectors.granted(set(users.values()))
    visible = {
        group: [course for course in courses if (user_id, course["id"]) in granted] for group, user_id in users.items()
    }
    return {group: seen for group, seen in [*visible.items(), (_EVERYTHING, courses)] if seen}


def _group_of(viewer: Viewer) -> str:
    return _EVERYTHING if viewer.is_administrator else f"progress.list.{viewer.user_id}"


list_feed = ListFeed()
