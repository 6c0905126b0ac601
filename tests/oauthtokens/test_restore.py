"""What a restore does to the token sets: none is used whose uses nobody knows."""

import pytest

from coursehub.backup import dump, restore
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import revocation, services
from oauthtokens.models import TokenSet
from oauthtokens.regeneration import provider_limit
from oauthtokens.restore import REASON

State = TokenSet.State


@pytest.fixture
def backup(pool, tmp_path):
    """Sets 1 to 3 with tokens, set 2 broken; and a backup of that."""
    pool.obtain(1, 2, 3)
    pool.change(2, state=State.BROKEN)
    dump.take(tmp_path / "backup.zip", actor="test")
    return tmp_path / "backup.zip"


def _kept(pool) -> list[dict]:
    return [pool.row(number) for number in range(1, 8)]


def test_the_present_sets_stay_over_the_database_that_the_backup_is_of(pool, backup):
    services.refresh_set(1, force=True)
    pool.obtain(3)
    services.revoke(number=2, actor="maintenance")
    before, active = _kept(pool), services.status()["active"]
    assert restore.restore(backup, actor="test").settled["token_sets_kept"] == 2
    assert (_kept(pool), services.status()["active"]) == (before, active)
    assert services.access_token()


def test_on_an_empty_database_no_token_lives_on_and_all_uses_count_as_spent(pool, backup, database):
    database.client.drop_database(database.name)
    assert restore.restore(backup, actor="test").settled["token_sets_distrusted"] == 2
    assert pool.states() == [State.EXHAUSTED, State.BROKEN, State.EXHAUSTED, *[State.EMPTY] * 4]
    assert {pool.row(number)["access_token"] for number in range(1, 8)} == {""}
    assert (pool.row(1)["uses"], pool.row(1)["reason"]) == (20, REASON)
    before = pool.refreshes()
    with pytest.raises(TokenUnavailable):
        services.access_token()
    assert pool.refreshes() == before
    pool.obtain(1)
    assert services.access_token()
    assert pool.row(1)["uses"] == 0


def test_without_a_limit_the_sets_go_on_with_new_access_tokens(pool, backup, database, settings):
    settings.TOKEN_MAX_USES = 0
    database.client.drop_database(database.name)
    restore.restore(backup, actor="test")
    before = pool.refreshes()
    assert services.access_token()
    assert pool.refreshes() == before + 1


def test_another_installation_s_sets_do_not_stay(pool, backup, database):
    database["coursehub_auditevent"].delete_many({})
    pool.obtain(4)
    assert "token_sets_distrusted" in restore.restore(backup, actor="test").settled
    assert pool.row(4)["refresh_token"] == ""


def test_what_waits_for_its_revocation_is_what_waits_now(pool, backup, database):
    database[revocation.TABLE].insert_one({"_id": "1:0", "number": 1, "generation": 0})
    database[provider_limit.TABLE].insert_one({"_id": "lost"})
    restore.restore(backup, actor="test")
    assert database[revocation.TABLE].count_documents({"_id": "1:0"}) == 1
    assert database[provider_limit.TABLE].count_documents({"_id": "lost"}) == 1
