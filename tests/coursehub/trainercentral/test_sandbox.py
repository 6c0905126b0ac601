"""The client and the sandbox, each written from the same contract, understand each other."""

import pytest

from coursehub.trainercentral import TrainerCentralClient, ZohoAccounts, errors
from tests.coursehub.trainercentral.scripted import Tokens

SCOPE = ",".join(
    f"TrainerCentral.{name}"
    for name in (
        "userapi.CREATE",
        "userapi.READ",
        "courseapi.READ",
        "courseapi.UPDATE",
        "presenterapi.READ",
        "portalapi.READ",
    )
)
NEW = "new.learner@example.org"


@pytest.fixture
def accounts(sandbox) -> ZohoAccounts:
    return ZohoAccounts(sandbox.url, "1000.SANDBOX", "sandbox-client-secret")


@pytest.fixture
def token(sandbox, accounts) -> str:
    return accounts.exchange_code(sandbox.self_client_code(SCOPE)).access_token


@pytest.fixture
def org_id(sandbox, token) -> str:
    return TrainerCentralClient(sandbox.url, "1", Tokens(token)).list_portals()[0].org_id


@pytest.fixture
def client(sandbox, org_id, token) -> TrainerCentralClient:
    return TrainerCentralClient(sandbox.url, org_id, Tokens(token), read_timeout_seconds=2, retry_deadline_seconds=3)


@pytest.fixture
def course_id(client) -> str:
    return client.list_courses()[0].course_id


def invite(client, course_id: str, email: str = NEW):
    return client.invite(course_id=course_id, email=email, first_name="New", last_name="Learner")


def test_courses(client, course_id):
    assert client.get_course(course_id) in client.list_courses(page_size=1)
    with pytest.raises(errors.NotFound):
        client.get_course("404404404")


def test_invited_learner_is_found_among_the_members(client, course_id):
    invited = invite(client, course_id)
    (member,) = [member for member in client.iter_course_members(course_id) if member.email == NEW]
    assert (member.member_id, member.percent, member.is_revoked) == (invited.member_id, 0, False)
    assert NEW in {learner.email for learner in client.list_portal_members(page_size=7)}
    learner = client.find_learner(NEW.upper())
    assert learner is not None
    assert (learner.org_member_id, learner.name) == (invited.org_member_id, "New Learner")
    assert client.find_learner("nobody@example.org") is None


def test_access_is_revoked(client, course_id):
    invited = invite(client, course_id)
    client.revoke_access(invited.member_id)
    (member,) = [member for member in client.iter_course_members(course_id) if member.email == NEW]
    assert member.is_revoked


def test_reports(client, course_id):
    member = next(client.iter_course_members(course_id))
    assert "courseEngagement" in client.course_engagement(course_id, member.member_id).raw
    assert "testReport" in client.test_report(course_id, member.member_id).raw


@pytest.mark.parametrize("cap", [0, 3])
def test_all_members_are_read_whatever_the_page_size_and_cap(sandbox, client, course_id, cap):
    sandbox.add_learners(course_id, 11)
    everybody = {member.member_id for member in client.iter_course_members(course_id, page_size=1000)}
    sandbox.switch(limit_cap=cap)
    read = [member.member_id for member in client.iter_course_members(course_id, page_size=10)]
    assert len(read) == len(set(read))
    assert set(read) == everybody


@pytest.mark.parametrize("envelope", ["default", "ok200"])
def test_missing_scope_and_stale_token_are_told_apart(sandbox, client, accounts, org_id, token, course_id, envelope):
    sandbox.switch(error_envelope=envelope)
    with pytest.raises(errors.NotFound):
        client.get_course("404404404")
    narrow = accounts.exchange_code(sandbox.self_client_code("TrainerCentral.userapi.READ"))
    poor = TrainerCentralClient(sandbox.url, org_id, Tokens(narrow.access_token))
    with pytest.raises(errors.ScopeMissing):
        poor.list_courses()
    stale = Tokens("1000.stale", token)
    assert TrainerCentralClient(sandbox.url, org_id, stale).list_courses()
    assert stale.rejections == ["1000.stale"]


@pytest.mark.parametrize("fault", ["500", "502", "503", "html", "empty", "truncated", "reset"])
def test_reading_survives_faults(sandbox, client, fault):
    sandbox.switch(fail_next=[{"path_contains": "courses.json", "times": 2, "fault": fault}])
    assert client.list_courses()


def test_dead_server_is_unreachable(sandbox, client, course_id):
    sandbox.kill()
    with pytest.raises(errors.Unreachable):
        invite(client, course_id)
    sandbox.start()
    invite(client, course_id)
    assert sandbox.invitations()[(course_id, NEW)] == 1


def test_errors_of_the_accounts_server(sandbox, accounts):
    grant = accounts.exchange_code(sandbox.self_client_code(SCOPE))
    sandbox.switch(mints_per_10_minutes=1)
    accounts.refresh(grant.refresh_token)
    with pytest.raises(errors.MintThrottled):
        accounts.refresh(grant.refresh_token)
    sandbox.switch(another_data_centre=True)
    with pytest.raises(errors.ClientWide):
        accounts.refresh(grant.refresh_token)
    sandbox.switch(another_data_centre=False, client_secret="changed")
    with pytest.raises(errors.ClientWide):
        accounts.refresh(grant.refresh_token)
    sandbox.switch(client_secret="sandbox-client-secret")
    accounts.revoke(grant.refresh_token)
    accounts.revoke(grant.refresh_token)
    with pytest.raises(errors.InvalidCode):
        accounts.refresh(grant.refresh_token)


def test_client_credentials(sandbox, accounts):
    grant = accounts.client_credentials(SCOPE)
    assert (bool(grant.access_token), grant.refresh_token) == (True, "")
