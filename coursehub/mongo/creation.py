"""Test databases: MongoDB creates a database with its first collection, so only dropping is work."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.creation import BaseDatabaseCreation

from coursehub.mongo.client import shared_client
from coursehub.mongo.errors import translated


class DatabaseCreation(BaseDatabaseCreation):
    """Djongo's would call mongodump and run SQL; nothing of it is kept."""

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name: str = self._get_test_db_name()
        if not keepdb:
            self._drop(name)
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        self._drop(test_database_name)

    def _drop(self, name: str) -> None:
        client = shared_client(self.connection.get_connection_params())
        with translated():
            client.drop_database(name)

    def test_db_signature(self) -> tuple[Any, ...]:
        """Two aliases share a test database only if their clients reach the same server."""
        client: Any = self.connection.settings_dict.get("CLIENT") or {}
        return (*super().test_db_signature(), str(client.get("host", "")), str(client.get("port", "")))
