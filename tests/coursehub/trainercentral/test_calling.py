"""What is repeated and what is not; time-outs, resets, tokens, pages."""

import socket
import time

import pytest

from coursehub.development.mongod import free_port
from coursehub.trainercentral import TrainerCentralClient, ZohoAccounts, errors
from tests.coursehub.trainercentral.scripted import OTHER_TOKEN, TOKEN, Play, Tokens, client_of
from tests.support.patience import promised

COURSE = "3000094000002000004"
INVITED = {"courseMember": [{"id": "1"}], "portalMember": {"id": "2"}}
EXPIRED = Play(401, {"errors": [{"errorCode": "INVALID_OAUTHTOKEN", "message": "No."}]})
NO_SCOPE = Play(401, {"errors": [{"errorCode": "INVALID_OAUTHSCOPE", "message": "No."}]})
COURSES = Play(body={"courses": [{"id": "1", "courseName": "A"}], "meta": {"totalCourseCount": "1"}})
NO_MEMBERS = Play(body={"courseMembers": []})


def members(*numbers: int) -> Play:
    return Play(body={"courseMembers": [{"id": str(number), "role": "3"} for number in numbers]})


def invite(client: TrainerCentralClient):
    return client.invite(course_id=COURSE, email="a@example.org", first_name="A", last_name="B")


@pytest.mark.parametrize("fault", [Play(reset=True), Play(503), Play(body="<html>"), Play(truncate=True)])
def test_reading_call_is_repeated_until_answered(script, fault):
    script.play(fault, fault, COURSES)
    assert len(client_of(script, retry_deadline_seconds=10).list_courses()) == 1
    assert len(script.received) == 3


def test_reading_call_ends_at_its_deadline(script):
    script.play(Play(500))
    began = time.monotonic()
    with pytest.raises(errors.Unanswered):
        client_of(script, retry_deadline_seconds=1.0).list_courses()
    assert time.monotonic() - began < promised(2)
    assert len(script.received) > 1


@pytest.mark.parametrize(
    "fault",
    [Play(reset=True), Play(503), Play(body="<html>"), Play(body=INVITED, truncate=True), Play(wait_seconds=0.8)],
)
def test_invitation_with_unknown_outcome_is_never_repeated(script, fault):
    script.play(fault)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        invite(client_of(script, retry_deadline_seconds=5))
    assert not caught.value.retry_helps
    assert len(script.received) == 1


def test_refused_connection_is_unreachable_and_repeated_even_for_invitations():
    calls = []
    client = TrainerCentralClient(
        f"http://127.0.0.1:{free_port()}",
        "1",
        Tokens(),
        retry_deadline_seconds=1.0,
        before_call=lambda *call: calls.append(call),
    )
    with pytest.raises(errors.Unreachable) as caught:
        invite(client)
    assert caught.value.retry_helps
    assert len(calls) > 1


@pytest.mark.parametrize(
    "address", ["http://no-such-host.invalid", "http://", "nonsense", "http://[::1", "https://127.0.0.1:x"]
)
def test_address_that_leads_nowhere_is_unreachable(address):
    client = TrainerCentralClient(address, "1", Tokens(), retry_deadline_seconds=0)
    with pytest.raises(errors.Unreachable):
        invite(client)


def test_connect_timeout_is_unreachable():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for queued in waiting:
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        time.sleep(0.1)  # nothing tells when the system has filled the queue of connections
        client = TrainerCentralClient(
            f"http://127.0.0.1:{full.getsockname()[1]}",
            "1",
            Tokens(),
            connect_timeout_seconds=0.3,
            read_timeout_seconds=0.3,
            retry_deadline_seconds=0,
        )
        with pytest.raises(errors.Unreachable):
            invite(client)
        for queued in waiting:
            queued.close()


def test_answer_that_trickles_in_ends_with_the_read_timeout(script):
    script.play(Play(body={"courses": ["x" * 100]}, trickle_seconds=0.05))
    began = time.monotonic()
    with pytest.raises(errors.Unanswered):
        client_of(script).list_courses()
    assert time.monotonic() - began < promised(1.5)


def test_connections_are_reused(script):
    script.play(COURSES)
    client, before = client_of(script), script.connections
    for _ in range(5):
        client.list_courses()
    assert script.connections == before + 1


def test_rejected_token_is_replaced_and_the_invitation_is_left_to_who_looks_first(script):
    script.play(EXPIRED, Play(body=INVITED))
    tokens, calls = Tokens(), []
    client = client_of(script, tokens, before_call=lambda *call: calls.append(call))
    with pytest.raises(errors.TokenRejected):
        invite(client)
    assert (tokens.rejections, len(script.received)) == ([TOKEN], 1)
    assert invite(client).member_id == "1"
    sent = [call.headers["authorization"] for call in script.received]
    assert sent == [f"Zoho-oauthtoken {TOKEN}", f"Zoho-oauthtoken {OTHER_TOKEN}"]
    assert calls == [("addCourseAttendee.json", "POST")] * 2  # each attempt draws a slot of its own


def test_third_rejection_is_final(script):
    script.play(EXPIRED)
    tokens = Tokens()
    with pytest.raises(errors.TokenRejected):
        client_of(script, tokens).list_courses()
    assert tokens.rejections == [TOKEN, OTHER_TOKEN, OTHER_TOKEN]
    assert len(script.received) == 3


def test_missing_scope_is_never_resent(script):
    script.play(NO_SCOPE)
    tokens = Tokens()
    with pytest.raises(errors.ScopeMissing):
        client_of(script, tokens).list_courses()
    assert (tokens.rejections, len(script.received)) == ([], 1)


def test_no_token_means_no_call_and_no_slot(script):
    class NoTokens(Tokens):
        def current(self):
            raise errors.TokenUnavailable("none", "All sets are used up.")

    calls = []
    with pytest.raises(errors.TokenUnavailable):
        client_of(script, NoTokens(), before_call=lambda *call: calls.append(call)).list_courses()
    assert (calls, script.received) == ([], [])


def test_token_is_asked_for_again_after_a_long_wait(script):
    script.play(COURSES)
    tokens = Tokens()

    def wait(endpoint, method):
        time.sleep(1.1)  # longer than a token is taken for current without being asked for again
        tokens.tokens.pop(0)  # expired meanwhile

    client_of(script, tokens, before_call=wait).list_courses()
    assert script.received[0].headers["authorization"] == f"Zoho-oauthtoken {OTHER_TOKEN}"


def test_proxy_of_the_environment_is_used(script, monkeypatch):
    script.play(COURSES)
    monkeypatch.setenv("HTTP_PROXY", script.url)
    client = TrainerCentralClient("http://academy.invalid", "1", Tokens(), retry_deadline_seconds=0)
    assert client.list_courses()


def test_already_enrolled_by_refusal(script):
    script.play(Play(400, {"errors": [{"errorCode": "ALREADY_ENROLLED", "message": "The learner is enrolled."}]}))
    assert invite(client_of(script)).already_enrolled is True


def test_enrolment_with_progress_was_there_before(script):
    script.play(Play(body={"courseMember": [{"id": "1", "completionPercentage": "5"}], "portalMember": {"id": "2"}}))
    assert invite(client_of(script)).already_enrolled is True


def test_short_page_is_no_end(script):
    script.play(members(1, 2), members(3), members(4, 5), NO_MEMBERS)
    pages = list(client_of(script).iter_member_pages(COURSE, page_size=100))
    assert [[member.member_id for member in page] for page in pages] == [["1", "2"], ["3"], ["4", "5"]]
    assert [call.query["si"] for call in script.received] == ["0", "2", "3", "5"]


def test_pages_are_fetched_only_when_asked_for(script):
    script.play(members(1), members(2), NO_MEMBERS)
    next(client_of(script).iter_course_members(COURSE))
    assert len(script.received) == 1


def test_server_without_paging_does_not_loop_for_ever(script):
    script.play(members(1, 2))
    with pytest.raises(errors.Unexpected, match="repeats"):
        list(client_of(script).iter_course_members(COURSE))


def test_people_who_are_no_learners_are_left_out(script):
    trainer = Play(body={"courseMembers": [{"id": "1", "role": "2"}, {"id": "2", "role": 3}, {"id": "3"}, {"x": 1}]})
    script.play(trainer, NO_MEMBERS)
    assert [member.member_id for member in client_of(script).iter_course_members(COURSE)] == ["2", "3"]


def test_numbers_and_odd_values_are_read_leniently(script):
    row = {
        "id": 3000094000002000004,
        "completionPercentage": 12.5,
        "time": 1700714266048,
        "lastLogin": "-1",
        "enrolledTime": "99999999999999999999",
        "completedLesson": True,
        "totalLesson": "3.0",
        "email": None,
        "role": "3",
    }
    script.play(Play(body={"courseMembers": [row, "odd", None]}), NO_MEMBERS)
    (member,) = client_of(script).iter_course_members(COURSE)
    assert (member.member_id, member.percent, member.time_ms) == ("3000094000002000004", 12.5, 1700714266048)
    assert (member.last_login_at, member.enrolled_at, member.completed_lessons) == (None, None, None)
    assert (member.total_lessons, member.email) == (3, "")


@pytest.mark.parametrize("identifier", ["../portals", "a/b", "1?x=2", "1#2", "ü", "\ud800"])
def test_id_stays_one_part_of_the_path(script, identifier):
    script.play(Play(body={"course": {"id": "1"}}))
    client_of(script).get_course(identifier)
    assert script.received[0].path.startswith("/api/v4/700000804/courses/")
    assert script.received[0].path.count("/") == 5
    assert script.received[0].query == {}


@pytest.mark.parametrize("identifier", ["", ".", ".."])
def test_empty_id_is_refused_before_any_call(script, identifier):
    with pytest.raises(errors.Refused):
        client_of(script).get_course(identifier)
    assert script.received == []


def test_redirects_are_not_followed_and_cookies_not_kept(script):
    script.play(Play(302, headers={"Location": "https://example.org/", "Set-Cookie": "a=b; Path=/"}), COURSES)
    client = client_of(script)
    with pytest.raises(errors.Unexpected):
        client.list_courses()
    client.list_courses()
    assert "cookie" not in script.received[1].headers


def test_netrc_does_not_replace_the_token(script, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    script.play(COURSES)
    client_of(script).list_courses()
    assert script.received[0].headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
    script.play(Play(body={"access_token": "1000.x"}))
    ZohoAccounts(script.url, "id", "secret").refresh("1000.r")
    assert "authorization" not in script.received[0].headers


@pytest.mark.parametrize("total", ["-1", "0", "", "many", None, [2]])
def test_a_total_that_is_no_length_ends_no_list(script, total):
    pages = [[{"id": "1", "courseName": "A"}], [{"id": "2", "courseName": "B"}], []]
    script.play(*(Play(body={"courses": page, "meta": {"totalCourseCount": total}}) for page in pages))
    assert [course.course_id for course in client_of(script).list_courses(page_size=1)] == ["1", "2"]
