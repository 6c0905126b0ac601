"""Following a change stream through what a server can do to it."""

import asyncio
import time
from collections.abc import Callable

import pytest

from coursehub.development.mongod import running_mongod
from coursehub.live import connection as connections
from coursehub.live.change_streams import Follower


@pytest.fixture
def own_mongod(tmp_path, settings):
    """A server of its own, since these tests restart it."""
    with running_mongod(tmp_path) as mongod:
        settings.MONGODB_URI = mongod.uri
        yield mongod


class Heard:
    """What a follower was told."""

    def __init__(self, **options) -> None:
        self.batches: list[dict] = []
        self.lost = 0
        self.fails = False
        self.follower = Follower(
            "things",
            key_of=lambda event: (event.get("fullDocument") or {}).get("key"),
            on_keys=self.on_keys,
            on_lost=self.on_lost,
            **options,
        )

    async def on_keys(self, changed) -> None:
        if self.fails:
            raise RuntimeError("broken")
        self.batches.append(changed)

    async def on_lost(self) -> None:
        self.lost += 1

    @property
    def numbers(self) -> list[int]:
        return [document["number"] for batch in self.batches for documents in batch.values() for document in documents]

    async def hear(self, *numbers: int, seconds: float = 20) -> None:
        await self.until(lambda: self.numbers == list(numbers), seconds)

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"heard {self.numbers}, lost {self.lost}"
            await asyncio.sleep(0.02)


def _run(story) -> None:
    async def told() -> None:
        heard = Heard()
        await heard.follower.start()
        things = connections.connection().collection("things")
        try:
            await story(heard, things)
        finally:
            await heard.follower.stop()
            await connections.connection().client.close()

    asyncio.run(told())


def test_what_comes_together_is_handed_over_once_per_key(own_mongod):
    async def story(heard, things):
        await things.insert_many([{"key": number % 2, "number": number} for number in range(20)])
        await heard.until(lambda: len(heard.numbers) == 20)
        assert len(heard.batches) <= 2
        assert [one["number"] for batch in heard.batches for one in batch[0]] == list(range(0, 20, 2))

    _run(story)


def test_after_a_restart_of_the_server_nothing_is_missing_and_nothing_doubled(own_mongod):
    async def story(heard, things):
        await things.insert_one({"key": 1, "number": 1})
        await heard.hear(1)
        own_mongod.stop(hard=True)
        own_mongod.start()
        await things.insert_one({"key": 1, "number": 2})
        await heard.hear(1, 2)
        assert heard.lost == 0

    _run(story)


def test_what_was_written_while_the_follower_was_cut_off_is_told(own_mongod):
    async def story(heard, things):
        await things.insert_one({"key": 1, "number": 1})
        await heard.hear(1)
        admin = connections.connection().client.admin
        for number in (2, 3):
            await _kill_streams(admin)
            await things.insert_one({"key": 1, "number": number})
            await heard.hear(*range(1, number + 1))
        assert heard.lost == 0

    _run(story)


def test_lost_history_is_told_once_the_stream_is_open_again(own_mongod):
    async def story(heard, things):
        await things.insert_one({"key": 1, "number": 1})
        await heard.hear(1)
        await things.drop()
        await heard.until(lambda: heard.lost)
        await things.insert_one({"key": 1, "number": 2})
        await heard.hear(1, 2)
        assert heard.lost == 1

    _run(story)


def test_a_receiver_that_fails_is_told_to_read_anew(own_mongod):
    async def story(heard, things):
        heard.fails = True
        await things.insert_one({"key": 1, "number": 1})
        await heard.until(lambda: heard.lost)

    _run(story)


async def _kill_streams(admin) -> None:
    """End the server's side of every change stream, as a step-down would."""
    operations = admin.aggregate([{"$currentOp": {"idleCursors": True}}, {"$match": {"cursor.tailable": True}}])
    cursors = [(one["ns"], one["cursor"]["cursorId"]) async for one in await operations]
    assert cursors
    for namespace, cursor_id in cursors:
        database, _, collection = namespace.partition(".")
        await admin.client[database].command("killCursors", collection, cursors=[cursor_id])
