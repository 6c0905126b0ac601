"""The live feed of courses: from MongoDB's change streams to the groups of this process's sockets.

Only this module knows the groups. It works while somebody watches, and notes in the courses that
somebody does, which is what makes the workers read them often.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from channels.layers import get_channel_layer

from coursehub.live.change_streams import Follower
from coursehub.live.connection import connection
from coursehub.live.frames import Frame
from coursehub.live.permissions import Viewer
from coursehub.live.single_flight import Shared
from coursehub.models import Course
from coursehub.mongo.types import Document
from progress import serializers
from progress.live.change_buffer import Tail
from progress.models import IN_COURSE, Member
from progress.polling import schedule

logger = logging.getLogger(__name__)

WATCH_AGAIN_SECONDS = 10
# The rows of a revision come by another stream than the revision itself; later than this they are lost.
LATE_ROWS_SECONDS = 1.0
_COURSES, _MEMBERS = Course._meta.db_table, Member._meta.db_table
# Rows are replaced whole; an update is only a note on a row (see `member_store.store_absent`).
_ROW_EVENTS = [{"$match": {"operationType": {"$in": ["insert", "replace"]}}}]
_TOLD_FIELDS = ("polled_at", "poll_error", "unreadable", "revision")
_COURSE_EVENTS = [
    {"$match": {"$or": [{f"updateDescription.updatedFields.{name}": {"$exists": True}} for name in _TOLD_FIELDS]}}
]


class Snapshot(NamedTuple):
    """A course with its rows at one moment, and the frame that tells them."""

    course: dict[str, Any]
    frame: Frame


@dataclass
class Watched:
    """One course that sockets of this process watch."""

    tail: Tail
    snapshot: Shared[Snapshot]
    channels: set[str] = field(default_factory=set)
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def course(cls, course_id: str) -> "Watched":
        return cls(Tail(course_id), Shared(lambda: _read_snapshot(course_id)))


class CourseFeed:
    """All watched courses of one process. Implements `coursehub.live.consumer.Feed`."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}
        self._switching = asyncio.Lock()
        self._looking_after: asyncio.Task[None] | None = None
        self._followers = [
            Follower(_MEMBERS, stages=_ROW_EVENTS, key_of=_course_of, on_keys=self._take_rows, on_lost=self._read_anew),
            Follower(
                _COURSES,
                stages=_COURSE_EVENTS,
                full_document="updateLookup",
                key_of=_course_of,
                on_keys=self._take_courses,
                on_lost=self._read_anew,
            ),
        ]

    # --- What sockets ask for -------------------------------------------------------------------

    async def join(self, viewer: Viewer, channel_name: str) -> None:
        course_id = viewer.subject
        watched = self._watched.setdefault(course_id, Watched.course(course_id))
        watched.channels.add(channel_name)
        await enter(_group(course_id), channel_name)
        async with self._switching:
            await asyncio.gather(*(follower.start() for follower in self._followers))
            if self._looking_after is None:
                self._looking_after = asyncio.create_task(self._look_after())
        async with watched.telling:
            if not watched.tail.is_ready:
                async with connection().reading() as session:
                    watched.tail.begin(await _read_course(course_id, session))
        await _note_viewers([course_id])

    async def leave(self, viewer: Viewer, channel_name: str) -> None:
        course_id = viewer.subject
        await leave(_group(course_id), channel_name)
        watched = self._watched.get(course_id)
        if watched:
            watched.channels.discard(channel_name)
            if not watched.channels:
                del self._watched[course_id]
        async with self._switching:
            if not self._watched and self._looking_after:
                self._looking_after.cancel()
                self._looking_after = None
                await asyncio.gather(*(follower.stop() for follower in self._followers))

    async def snapshot(self, viewer: Viewer) -> Frame:
        return (await self._watched[viewer.subject].snapshot()).frame

    # --- What the streams tell ------------------------------------------------------------------

    async def _take_rows(self, changed: dict[Any, list[Document]]) -> None:
        for course_id, rows in changed.items():
            if watched := self._watched.get(course_id):
                async with watched.telling:
                    if not watched.tail.take_rows(rows):
                        await self._tell_anew(watched)
                    await self._tell(watched.tail)

    async def _take_courses(self, changed: dict[Any, list[Document]]) -> None:
        for course_id, documents in changed.items():
            if watched := self._watched.get(course_id):
                async with watched.telling:
                    watched.tail.take_course(documents[-1])
                    await self._tell(watched.tail)

    async def _read_anew(self) -> None:
        for watched in list(self._watched.values()):
            async with watched.telling:
                await self._tell_anew(watched)

    async def _tell(self, tail: Tail) -> None:
        frame = tail.next_frame()
        if frame:
            await tell(_group(tail.course_id), frame.message())

    async def _tell_anew(self, watched: Watched) -> None:
        """Something was missed: everybody gets a snapshot, read once, and what comes after it."""
        watched.tail.forget()
        course, frame = await watched.snapshot()
        watched.tail.begin(course)
        await tell(_group(watched.tail.course_id), frame.message("live.snapshot"))

    # --- While somebody watches -----------------------------------------------------------------

    async def _look_after(self) -> None:
        """Renew the viewers' interest, and find courses whose rows and revision do not come together."""
        for seconds in count(1):
            mismatches = [(watched, watched.tail.mismatch) for watched in self._watched.values()]
            await asyncio.sleep(LATE_ROWS_SECONDS)
            try:
                for watched, mismatch in mismatches:
                    if mismatch and watched.tail.lasts(mismatch):
                        async with watched.telling:
                            await self._tell_anew(watched)
                if seconds % WATCH_AGAIN_SECONDS == 0:
                    await _note_viewers(list(self._watched))
            except Exception:
                logger.exception("Watched courses could not be looked after")


async def enter(group: str, channel_name: str) -> None:
    await get_channel_layer().group_add(group, channel_name)


async def leave(group: str, channel_name: str) -> None:
    await get_channel_layer().group_discard(group, channel_name)


async def tell(group: str, message: dict[str, Any]) -> None:
    """Hand a message of the live consumers to everybody in the group, in this process."""
    await get_channel_layer().group_send(group, message)


async def _note_viewers(course_ids: list[str]) -> None:
    await connection().collection(_COURSES).update_many(*schedule.watching(course_ids))


async def _read_snapshot(course_id: str) -> Snapshot:
    """The course first, its rows after: the revision may be older than the rows, never newer."""
    async with connection().reading() as session:
        course = await _read_course(course_id, session)
        here = {"course_id": course_id, **IN_COURSE}
        found = connection().collection(_MEMBERS).find(here, serializers.FIELDS, session=session)
        rows = await found.to_list()
    # Aside, since a large course would hold up the frames of all others.
    return Snapshot(course, await asyncio.to_thread(_snapshot_frame, course, rows))


async def _read_course(course_id: str, session: Any) -> Document:
    """Courses are never deleted, and a viewer is not let in to one that does not exist."""
    course: Document | None = (
        await connection().collection(_COURSES).find_one({"course_id": course_id}, session=session)
    )
    if course is None:
        raise LookupError(f"there is no course {course_id}")
    return course


def _snapshot_frame(course: Document, rows: list[Document]) -> Frame:
    state = serializers.course_state(course)
    head: dict[str, Any] = {name: value for name, value in state.items() if name != "revision"}
    members = [serializers.member(row) for row in rows]
    return Frame.of("snapshot", state["revision"], **head, members=members)


def _group(course_id: str) -> str:
    return f"progress.{course_id}"


def _course_of(event: Document) -> str | None:
    return (event.get("fullDocument") or {}).get("course_id")


feed = CourseFeed()
