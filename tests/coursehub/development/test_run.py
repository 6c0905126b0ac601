"""What `make run` stands on: secrets made once, a mongod that keeps its data, a sentence where there is none."""

import stat
from datetime import datetime

import pymongo
import pytest
from cryptography.fernet import Fernet

from coursehub.development import mongod as embedded
from coursehub.development.secrets import ensure_secrets
from coursehub.models import CourseAccess
from coursehub.mongo import outside_transaction
from tests.support import seeding
from tests.support.commands import run


def test_secrets_are_made_once_for_their_owner_only(tmp_path):
    folder = tmp_path / "secrets"
    ensure_secrets(folder)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    ensure_secrets(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(first["SECRET_KEY"]) > 50
    Fernet(first["TOKEN_ENCRYPTION_KEYS"])


def test_a_mongod_stopped_hard_or_cleanly_starts_again_on_the_same_data(tmp_path):
    for number, hard in enumerate((True, False)):
        # Another port each time: the replica set's only member has moved, and is told so.
        mongod = embedded.Mongod(tmp_path, embedded.free_port())
        mongod.start()
        with pymongo.MongoClient(mongod.uri) as client:
            assert client.test.rows.count_documents({}) == number
            client.test.rows.insert_one({})
        mongod.stop(hard=hard)


def test_without_any_mongod_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(embedded.MongodNotFound, match="or set MONGODB_URI"):
        embedded.find_mongod()


def test_a_port_that_is_taken_is_not_chosen():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert embedded.free_port(taken.getsockname()[1]) != taken.getsockname()[1]


def test_what_tests_begin_with_is_what_seed_demo_makes(academy):
    store = outside_transaction("coursehub").database
    quick = _of_no_moment(store)
    academy.reset()
    seeding.empty(store)
    assert run("seed_demo")[0] == 0
    assert _of_no_moment(store) == quick


def _of_no_moment(store) -> dict[str, list[str]]:
    """All documents, without what differs from one seeding to the next: keys, times, tokens and hashes."""

    def lasting(row: dict) -> str:
        return str({name: it for name, it in row.items() if name not in _VARIES and not isinstance(it, datetime)})

    names = [name for name in store.list_collection_names() if not name.startswith(("__", "system."))]
    found = {name: sorted(map(lasting, store[name].find())) for name in names if name not in _OF_THE_CLOCK}
    access = CourseAccess.objects.values_list("user__username", "course__course_id")
    return found | {"coursehub_courseaccess": sorted(map(str, access))}


_OF_THE_CLOCK = {"coursehub_pacing", "coursehub_callbudget"}
_TOKENS = {"password", "hash", "previous_hash", "refresh_token", "access_token"}
_VARIES = {"_id", "id", "user_id", "email", "demand_at"} | _TOKENS
