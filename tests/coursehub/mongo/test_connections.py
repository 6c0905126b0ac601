"""Clients shared by threads, kept apart by processes; async use; what the system checks refuse."""

import asyncio
import os
import socket
import subprocess
import threading
import time

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, connections
from pymongo import MongoClient

from coursehub.development.mongod import find_mongod, free_port
from coursehub.models import Course
from coursehub.mongo import checks, client_for, outside_transaction
from coursehub.mongo.client import shared_client
from tests.coursehub.mongo.connecting import connections_to

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def alias():
    """`alias(uri, **client)`: a connection alias with other parameters."""
    made = []

    def make(host: str, **client):
        name = f"other{len(made)}"
        connections.settings[name] = {**connection.settings_dict, "CLIENT": {"host": host, **client}}
        made.append(name)
        return connections[name]

    yield make
    for name in made:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


def test_threads_share_one_client_and_leave_no_connection_behind(mongod):
    Course.objects.create(course_id="1", name="one")
    clients, before = set(), connections_to(mongod)

    def read() -> None:
        assert Course.objects.get().name == "one"
        clients.add(id(client_for()))
        connection.close()

    for _ in range(30):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert clients == {id(client_for())}
    assert connections_to(mongod) <= before + 2


def test_closing_a_connection_takes_nothing_from_other_threads():
    rows = outside_transaction(Course)
    Course.objects.count()
    connection.close()
    assert rows.count_documents({}) == 0
    assert Course.objects.count() == 0


def test_clients_differ_by_every_parameter_but_not_by_database(mongod, alias):
    same = shared_client({"host": mongod.uri, "w": "majority"})
    assert same is shared_client({"w": "majority", "host": mongod.uri})
    assert same is not shared_client({"host": mongod.uri, "w": "majority", "appname": "x"})
    assert alias(mongod.uri, w="majority").plain_database().client is client_for()


def test_options_of_the_connection_string_and_of_the_settings_reach_the_client(mongod, alias):
    database = alias(f"{mongod.uri}&appname=ours&maxPoolSize=3", w="majority", retryWrites=False).plain_database()
    options = database.client.options
    assert (options.pool_options.max_pool_size, options.pool_options.appname) == (3, "ours")
    assert (options.retry_writes, options.write_concern.document) == (False, {"w": "majority"})


def test_documents_are_plain_dicts(database):
    database["plain"].insert_one({"a": {"b": 1}})
    assert type(database["plain"].find_one()["a"]) is dict
    database.drop_collection("plain")


def test_a_forked_child_works_with_its_own_client_and_leaves_the_parents_alone():
    Course.objects.create(course_id="1", name="one")
    before = client_for()
    child = os.fork()
    if child == 0:
        try:
            Course.objects.create(course_id="2", name="two")
            os._exit(0 if client_for() is not before else 3)
        except BaseException:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client_for() is before
    assert Course.objects.count() == 2


def test_async_methods_of_the_orm_work_and_the_plain_ones_refuse_a_running_loop():
    async def use() -> int:
        await Course.objects.acreate(course_id="1", name="one")
        with pytest.raises(SynchronousOnlyOperation):
            Course.objects.count()
        assert [course.name async for course in Course.objects.all()] == ["one"]
        await sync_to_async(lambda: connection.close())()
        return await Course.objects.acount()

    assert async_to_sync(use)() == 1


def test_collections_may_be_asked_for_in_an_event_loop_before_the_orm_is_used_from_it():
    async def use() -> int:
        outside_transaction(Course)
        return await Course.objects.acount()

    thread_result = []
    thread = threading.Thread(target=lambda: thread_result.append(asyncio.run(use())))
    thread.start()
    thread.join()
    assert thread_result == [0]


def test_managers_and_the_orm_see_the_same_rows():
    Course.objects.create(course_id="1", name="one")
    assert Course.objects.mongo_count_documents({"name": "one"}) == 1
    assert outside_transaction("coursehub_course").count_documents({"name": "one"}) == 1


@pytest.mark.parametrize("client", [{}, {"w": 1}, {"w": 0}, {"w": 2}])
def test_a_write_concern_below_majority_is_refused(mongod, alias, client):
    (error,) = checks.check_write_concern(alias(mongod.uri, **client))
    assert (error.id, bool(error.hint)) == (checks.WRITE_CONCERN, True)


@pytest.mark.parametrize("suffix", ["&w=majority", "&w=1"])
def test_a_majority_is_accepted_and_the_settings_beat_the_connection_string(mongod, alias, suffix):
    assert checks.check_write_concern(alias(mongod.uri + suffix, w="majority")) == []


def test_a_replica_set_passes_and_a_stand_alone_server_is_refused(alias, tmp_path):
    assert checks.check_replica_set(connection) == []
    port = free_port()
    command = [find_mongod(), "--dbpath", tmp_path, "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        (error,) = checks.check_replica_set(alias(f"mongodb://127.0.0.1:{port}/"))
    finally:
        server.terminate()
        server.wait()
    assert (error.id, bool(error.hint)) == (checks.STANDALONE, True)


def test_a_server_that_does_not_answer_is_named_without_its_credentials(alias):
    dead = alias(f"mongodb://user:hidden@127.0.0.1:{free_port()}/", serverSelectionTimeoutMS=100)
    (error,) = checks.check_replica_set(dead)
    assert error.id == checks.UNREACHABLE
    assert "hidden" not in f"{error.msg}{error.hint}"


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                with MongoClient(port=port) as client:
                    client.admin.command("ping")
                return
        time.sleep(0.1)
    raise TimeoutError(port)
