"""What must hold whatever becomes of an `atomic()` block is written beside it; nothing remote happens inside one."""

import pytest
from django.db import connection
from django.db.transaction import atomic

from coursehub import audit, rate_limit
from coursehub.models import AuditEvent
from invitations.claims import learner_claims
from invitations.models import Claim
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from oauthtokens.pool import refresh, refresh_lease


class Undone(Exception):
    """Ends the block."""


@pytest.fixture(params=["off", "on"])
def transactions_are(request, monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transactions", request.param == "on")
    return request.param


@pytest.fixture
def undone(database, transactions_are):
    """`undone(call)`: what `call` returns inside a block that has read something and is then undone."""

    def run(call):
        result = []
        with pytest.raises(Undone), atomic():  # noqa: PT012
            assert TokenSet.objects.exists()
            result.append(call())
            raise Undone
        return result[0]

    return run


def test_audit_events_stay(undone):
    undone(lambda: audit.record(action="thing.done"))
    assert AuditEvent.objects.get().action == "thing.done"
    assert audit.verify().first_broken is None


def test_slots_of_the_budget_stay_drawn(undone, settings):
    settings.TRAINERCENTRAL_CALLS_PER_MINUTE = 60
    assert undone(lambda: rate_limit.draw_slot(rate_limit.INVITATIONS, within_seconds=5)) == 0
    assert rate_limit.draw_slot(rate_limit.INVITATIONS, within_seconds=5) > 0.5


def test_claims_stay(undone):
    row = {"id": 1, "course_id": "1", "email_folded": "a@example.org", "generation": 1, "attempts": 0}
    assert undone(lambda: learner_claims.win([row])) == [row]
    assert Claim.objects.count() == 1
    assert learner_claims.win([{**row, "id": 2}]) == []


def test_leases_and_uses_stay(undone, academy):
    number = TokenSet.objects.exclude(refresh_token="").first().number
    before = TokenSet.objects.get(number=number)
    lease = undone(lambda: refresh_lease.win(number, force=True))
    after = TokenSet.objects.get(number=number)
    assert (after.uses, after.fence) == (before.uses + 1, lease.fence)
    assert refresh_lease.win(number, force=True) is None


def test_no_call_of_the_academy_inside_a_block(academy, transactions_are):
    before = academy.counters()["by_endpoint"]
    with pytest.raises(RuntimeError, match=r"inside atomic\(\)"), atomic():
        token_services.client().list_courses()
    assert academy.counters()["by_endpoint"] == before


def test_no_call_of_the_accounts_server_inside_a_block_and_no_use_counted_for_it(academy, transactions_are):
    number = TokenSet.objects.exclude(refresh_token="").first().number
    before = (academy.counters()["refreshes"], TokenSet.objects.get(number=number).uses)
    for call in (
        lambda: refresh.refresh(number, force=True),
        lambda: token_services.exchange_code(number=number, code="1000.x", actor="somebody"),
    ):
        with pytest.raises(RuntimeError, match=r"inside atomic\(\)"), atomic():
            call()
    assert (academy.counters()["refreshes"], TokenSet.objects.get(number=number).uses) == before
