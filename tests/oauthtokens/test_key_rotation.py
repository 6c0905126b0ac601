"""All stored tokens move to the newest key, while others use and replace them; nothing is lost on the way."""

import io
import json
import threading

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from coursehub.mongo import outside_transaction
from oauthtokens import encryption, key_rotation, revocation, services
from oauthtokens.pool import provider
from oauthtokens.regeneration import consents


def new_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def two_keys(pool, settings):
    """A value in every place, under an older key; a newer one was added."""
    settings.TOKEN_GRANT = "client_credentials"
    services.access_token()
    settings.TOKEN_GRANT = "refresh_token"
    pool.obtain(1, 2)
    pool.sandbox.switch(fail_next=[{"path_contains": "/token/revoke", "times": 1, "fault": "500"}])
    pool.obtain(2)
    consents.begin(number=1, user_id=1)
    assert outside_transaction(revocation.TABLE).count_documents({}) == 1
    settings.TOKEN_ENCRYPTION_KEYS = [new_key(), *settings.TOKEN_ENCRYPTION_KEYS]
    return settings


def test_every_place_moves_and_the_old_key_can_go(pool, two_keys):
    before = services.reencrypt(actor="maintenance")
    assert (before.moved, before.by_key, before.undecryptable) == (7, (7, 0), 0)
    two_keys.TOKEN_ENCRYPTION_KEYS = two_keys.TOKEN_ENCRYPTION_KEYS[:1]
    provider.memory.clear()
    assert services.client().list_courses()
    services.refresh_set(2, force=True)
    outside_transaction(revocation.TABLE).update_many({}, {"$set": {"not_before": None}})
    services.refresh_due()
    assert outside_transaction(revocation.TABLE).count_documents({}) == 0
    assert services.reencrypt(actor="maintenance").moved == 0
    assert pool.actions().count("tokens.reencrypted") == 1


def test_places_name_every_field_that_holds_encrypted_text(pool, two_keys):
    places = {
        place if isinstance(place, str) else place._meta.db_table: fields for place, fields in key_rotation.PLACES
    }
    database = outside_transaction("coursehub").database
    holding = {
        (name, field)
        for name in database.list_collection_names()
        for row in database[name].find()
        for field, value in row.items()
        if isinstance(value, str) and encryption.key_position(value) is not None
    }
    assert holding == {(name, field) for name, fields in places.items() for field in fields}


def test_what_no_key_opens_stays_and_is_counted(pool, two_keys):
    pool.change(1, refresh_token="unreadable")
    found = services.reencrypt(actor="maintenance")
    assert (found.moved, found.undecryptable) == (6, 1)
    assert pool.row(1)["refresh_token"] == "unreadable"


def test_value_replaced_meanwhile_is_not_overwritten(pool, two_keys, monkeypatch):
    rotate = encryption.under_newest_key

    def replace_then_rotate(text):
        pool.change(1, refresh_token="replaced")  # by a regeneration, as it were
        return rotate(text)

    monkeypatch.setattr(encryption, "under_newest_key", replace_then_rotate)
    services.reencrypt(actor="maintenance")
    assert pool.row(1)["refresh_token"] == "replaced"


def test_it_runs_while_tokens_are_refreshed_and_handed_out(pool, two_keys):
    ended, errors = threading.Event(), []

    def use():
        while not ended.is_set():
            try:
                services.refresh_set(1, force=True)
                services.access_token()
            except Exception as error:
                errors.append(error)

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    for _ in range(10):
        two_keys.TOKEN_ENCRYPTION_KEYS = [new_key(), *two_keys.TOKEN_ENCRYPTION_KEYS]
        services.reencrypt(actor="maintenance")
    ended.set()
    for user in users:
        user.join()
    found = services.reencrypt(actor="maintenance")
    assert (errors, found.by_key[1:], found.undecryptable) == ([], (0,) * 11, 0)
    assert pool.states()[0] in ("active", "retiring", "exhausted")


def test_command_counts_by_key_and_says_when_an_old_key_is_still_needed(pool, two_keys, settings):
    def run() -> tuple[int, dict]:
        out, code = io.StringIO(), 0
        try:
            call_command("reencrypt_tokens", "--json", stdout=out)
        except SystemExit as left:
            code = left.code
        return code, json.loads(out.getvalue())

    assert run() == (0, {"moved": 7, "by_key": [7, 0], "undecryptable": 0})
    pool.change(1, access_token="unreadable")
    assert run() == (2, {"moved": 0, "by_key": [6, 0], "undecryptable": 1})
