"""The page of the token sets: who may see it, and that it shows no token."""

import pytest

from oauthtokens import leases, services
from oauthtokens.models import TokenSet

LIST = "/admin/oauthtokens/tokenset/"


@pytest.mark.parametrize(
    ("role", "status"),
    [("administrator", 200), ("maintenance", 200), ("trainer", 403), ("stranger", 403), ("anonymous", 302)],
)
def test_who_may_open_the_token_sets(pool, client_for, role, status):
    assert client_for(role).get(LIST).status_code == status


@pytest.mark.parametrize("role", ["administrator", "maintenance"])
def test_pages_are_read_only_and_hold_no_token(pool, client_for, role):
    pool.obtain(1)
    secrets = [services.access_token().token, leases.win(1, force=True).refresh_token]
    secrets += [pool.row(1)["refresh_token"], pool.row(1)["access_token"]]
    client, pk = client_for(role), TokenSet.objects.get(number=1).pk
    pages = [client.get(LIST), client.get(f"{LIST}{pk}/change/"), client.get(f"{LIST}{pk}/history/")]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert not any(secret in page.content.decode() for secret in secrets for page in pages)
    assert "Active" in pages[0].content.decode()
    assert "1 of 20" in pages[0].content.decode()
    assert client.post(f"{LIST}{pk}/change/", {"uses": 0}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{pk}/delete/").status_code == 403


def test_list_is_one_query_for_all_sets(pool, client_for, django_assert_max_num_queries):
    client = client_for("maintenance")
    client.get(LIST)
    with django_assert_max_num_queries(10):
        client.get(LIST)
