"""Refuses what CourseHub cannot run on: a stand-alone server, and writes that a fail-over may lose."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db.backends.base.validation import BaseDatabaseValidation
from pymongo.errors import PyMongoError

WRITE_CONCERN, STANDALONE, UNREACHABLE = "coursehub.mongo.E001", "coursehub.mongo.E002", "coursehub.mongo.E003"


def check_write_concern(connection: Any) -> list[checks.CheckMessage]:
    """An error unless the client asks for a majority; needs no server, as ours names it in the settings."""
    asked = connection.plain_database().client.write_concern.document.get("w")
    if asked == "majority":
        return []
    stated = "not set" if asked is None else repr(asked)
    return [
        checks.Error(
            f"The write concern of database {connection.alias!r} is {stated}: a fail-over can lose what was written.",
            hint='Set "w": "majority" in DATABASES[...]["CLIENT"], or w=majority in the connection string.',
            id=WRITE_CONCERN,
        )
    ]


def check_replica_set(connection: Any) -> list[checks.CheckMessage]:
    """An error unless the server is a member of a replica set (or a router in front of some); asks the server."""
    try:
        hello = connection.plain_database().client.admin.command("hello")
    except PyMongoError as error:
        return [
            checks.Error(
                f"The server of database {connection.alias!r} does not answer ({type(error).__name__}).",
                hint="Check MONGODB_URI, and that the server runs.",
                id=UNREACHABLE,
            )
        ]
    if "setName" in hello or hello.get("msg") == "isdbgrid":
        return []
    return [
        checks.Error(
            f"The server of database {connection.alias!r} stands alone: it has no transactions and no change streams.",
            hint="Start it with --replSet, name the set in MONGODB_URI (?replicaSet=...) and run setup_coursehub.",
            id=STANDALONE,
        )
    ]


class DatabaseValidation(BaseDatabaseValidation):
    """Runs with `check --database` and before every `migrate`."""

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*check_write_concern(self.connection), *check_replica_set(self.connection)]
