"""Fixtures that the engine's write tests share: tables of `shop`, and a second alias with transactions on."""

import pytest
from django.db import connection, connections

from tests.support.mongo.shop import MODELS


def drop_tables() -> None:
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.delete_model(model)


@pytest.fixture
def shop(database):
    """Empty tables for the models of `tests.support.mongo.shop`, as a migration would create them."""
    drop_tables()
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    yield
    drop_tables()


@pytest.fixture
def transactions(shop):
    """The alias "transactions": the same database, with `atomic()` as a transaction of the server."""
    alias = "transactions"
    connections.settings[alias] = {**connection.settings_dict, "OPTIONS": {"transactions": True}}
    yield alias
    connections[alias].close()
    del connections[alias]
    del connections.settings[alias]
