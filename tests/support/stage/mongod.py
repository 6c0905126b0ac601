"""A step's own mongod, or three of them, and Django set up on it: the environment of the tests."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pymongo import MongoClient

from coursehub.development.mongod import REPLICA_SET, Mongod, free_port
from coursehub.mongo.replica_set import ensure_replica_set


class Server(Protocol):
    """What Django's database is on."""

    uri: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


class SetOfThree:
    """A replica set of three members, which elects a new primary within a few seconds."""

    def __init__(self, folder: Path) -> None:
        self.members = [Mongod(folder / str(number), free_port()) for number in range(3)]
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        self.uri = f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        for member in self.members:
            member.launch()
            with MongoClient(
                "127.0.0.1", member.port, directConnection=True, serverSelectionTimeoutMS=60_000
            ) as client:
                client.admin.command("ping")  # a set cannot be initiated before all its members listen
        ensure_replica_set(self.uri)
        with MongoClient(self.uri) as client:
            config = client.admin.command("replSetGetConfig")["config"]
            config["settings"]["electionTimeoutMillis"] = 2000
            config["version"] += 1
            client.admin.command("replSetReconfig", config)

    def primary(self) -> Mongod:
        """The member that takes writes now."""
        with MongoClient(self.uri) as client:
            client.admin.command("ping")  # waits until there is one
            address = client.primary
        return next(member for member in self.members if address and member.port == address[1])

    def stop(self) -> None:
        for member in self.members:
            member.stop(hard=True)


@contextmanager
def own_database(server: Server | None = None) -> Iterator[Server]:
    """Context: Django is set up, and its database has its tables and roles. Before any model is imported."""
    import django
    from django.core.management import call_command

    from tests.support.environment import MONGOD  # sets what Django's settings read

    server = server or MONGOD
    os.environ |= {"DJANGO_SETTINGS_MODULE": "coursehub.settings", "MONGODB_URI": server.uri}
    try:
        server.start()
        django.setup()
        call_command("setup_coursehub", stdout=io.StringIO())
        yield server
    finally:
        server.stop()
