"""What an earlier version stored of token sets, as the present one reads it."""

import importlib

import pytest

from coursehub.mongo import outside_transaction
from oauthtokens.models import TokenSet

DOUBT = importlib.import_module("oauthtokens.migrations.0006_access_unproven")


@pytest.mark.parametrize("table", [TokenSet._meta.db_table, "oauthtokens_client"])
def test_a_token_whose_doubt_stood_in_the_sign_of_its_fence_is_in_doubt(database, table):
    sets = outside_transaction(table)
    sets.insert_many([{"id": one, "number": one, "access_fence": fence} for one, fence in ((101, -7), (102, 8))])
    for _ in range(2):  # a migration that died is run again
        DOUBT.say_it_by_a_boolean(None, None)
    wanted = {"number": {"$gt": 100}}
    found = {row["number"]: (row["access_fence"], row["access_unproven"]) for row in sets.find(wanted)}
    assert found == {101: (7, True), 102: (8, False)}
    DOUBT.say_it_by_the_sign(None, None)
    assert [row["access_fence"] for row in sets.find(wanted).sort("number", 1)] == [-7, 8]
    sets.delete_many(wanted)
