"""The ORM's async methods from consumers: right rows, and no connection left behind by any thread."""

import asyncio
import threading

import pytest
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.testing import WebsocketCommunicator
from django.db.models import F

from coursehub.models import Course
from tests.coursehub.mongo.connecting import connections_to

CONSUMERS = 30


@pytest.fixture
def course(database):
    return Course.objects.create(course_id="1", name="one")


class Asynchronous(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await Course.objects.aupdate(revision=F("revision") + 1)
        course = await Course.objects.aget(course_id=text_data)
        names = [found.name async for found in Course.objects.order_by("pk").aiterator()]
        created, _ = await Course.objects.aget_or_create(course_id=f"{text_data}+", defaults={"name": "two"})
        in_thread = await database_sync_to_async(lambda: Course.objects.count())()
        await self.send(f"{course.name} {names[0]} {created.name} {in_thread}")


class Synchronous(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        Course.objects.update(revision=F("revision") + 1)
        self.send(Course.objects.get(course_id=text_data).name)


async def _talk(consumer) -> str:
    communicator = WebsocketCommunicator(consumer.as_asgi(), "/")
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data="1")
    said = await communicator.receive_from(timeout=20)
    await communicator.disconnect()
    return said


def _all_at_once(consumer) -> list[str]:
    """What consumers say, all in the event loop of a thread that ends afterwards, as a web process's does."""
    result: list[str] = []

    async def run() -> None:
        result.extend(await asyncio.gather(*(_talk(consumer) for _ in range(CONSUMERS))))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return result


@pytest.mark.parametrize(("consumer", "says"), [(Asynchronous, "one one two 2"), (Synchronous, "one")])
def test_consumers_use_the_orm_and_leave_no_connection_behind(course, mongod, consumer, says):
    assert _all_at_once(consumer) == [says] * CONSUMERS  # the pool of the client grows to what is used at once
    before = connections_to(mongod)
    for _ in range(3):
        assert _all_at_once(consumer) == [says] * CONSUMERS
    assert connections_to(mongod) <= before + 2
    course.refresh_from_db()
    assert course.revision == 4 * CONSUMERS
