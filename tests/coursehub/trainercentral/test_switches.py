"""Each switch of the sandbox, seen through the client: what it changes for those who call."""

import time
from collections.abc import Callable
from dataclasses import asdict, fields
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from coursehub.sandbox.switches import ENVELOPES, FAULTS, INVITED_SHAPES, UNAUTHORISED_STYLES, Switches
from coursehub.trainercentral import Profile, TrainerCentralClient, ZohoAccounts, errors
from coursehub.trainercentral.member_pager import Walk
from tests.coursehub.trainercentral.scripted import Tokens
from tests.support.patience import wait_for

SCOPE = ",".join(f"TrainerCentral.{api}.ALL" for api in ("userapi", "courseapi", "presenterapi", "portalapi"))
COURSE, UNKNOWN_COURSE, NEW = "3000094000002000004", "404404404", "new.learner@example.org"
CALLBACK = "http://127.0.0.1:8000/oauth/callback/"
SHOWN: dict[str, str] = {}


def shows(*names: str) -> Callable:
    """Names the switches whose effect a test shows."""

    def note(test):
        SHOWN.update(dict.fromkeys(names, test.__name__))
        return test

    return note


def accounts_of(sandbox, client_id: str, client_secret: str) -> ZohoAccounts:
    return ZohoAccounts(sandbox.url, client_id, client_secret, read_timeout_seconds=3)


def client_of(sandbox, tokens, **options) -> TrainerCentralClient:
    quick = {"read_timeout_seconds": 3.0, "retry_deadline_seconds": 0.0}
    return TrainerCentralClient(sandbox.url, "700000804", tokens, **{**quick, **options})


@pytest.fixture
def accounts(sandbox) -> ZohoAccounts:
    return accounts_of(sandbox, "1000.SANDBOX", "sandbox-client-secret")


@pytest.fixture
def granted(sandbox, accounts):
    """A refresh token and its first access token, which outlives what the tests let pass."""
    sandbox.switch(access_token_seconds=30 * 86_400)
    return accounts.exchange_code(sandbox.self_client_code(SCOPE))


@pytest.fixture
def client(sandbox, granted) -> TrainerCentralClient:
    return client_of(sandbox, Tokens(granted.access_token))


def invite(client, course_id: str = COURSE, email: str = NEW, last_name: str = "Learner", **more):
    return client.invite(course_id=course_id, email=email, first_name="New", last_name=last_name, **more)


def member(client, email: str = NEW, course_id: str = COURSE):
    return next((one for one in client.iter_course_members(course_id) if one.email == email), None)


def accepted(sandbox, token: str) -> bool:
    """Whether the API takes this access token."""
    try:
        return bool(client_of(sandbox, Tokens(token)).get_course(COURSE))
    except errors.TokenRejected:
        return False


def consent(sandbox, accounts, redirect_uri: str = CALLBACK, code_verifier: str = "") -> dict[str, str]:
    """What a browser that approves brings back; {} if it is not sent back at all."""
    asked = {"redirect_uri": redirect_uri, "scope": SCOPE, "state": "s", "code_verifier": code_verifier}
    address = urlsplit(accounts.consent_url(**asked))
    form = {key: values[0] for key, values in parse_qs(address.query).items()} | {"decision": "approve"}
    answer = requests.post(f"{sandbox.url}{address.path}", data=form, allow_redirects=False, timeout=5)
    sent_back_to = urlsplit(answer.headers.get("Location", ""))
    return {key: values[0] for key, values in parse_qs(sent_back_to.query).items()}


# --- Tokens -------------------------------------------------------------------------------------


@shows("client_id", "client_secret", "another_data_centre")
def test_only_the_registered_client_gets_tokens(sandbox, accounts, granted):
    for changed in ({"client_id": "1000.OTHER"}, {"client_secret": "other"}, {"another_data_centre": True}):
        sandbox.reset("switches")
        sandbox.switch(**changed)
        with pytest.raises(errors.ClientWide):
            accounts.refresh(granted.refresh_token)
    sandbox.reset("switches")
    sandbox.switch(client_id="1000.OTHER", client_secret="other")
    assert accounts_of(sandbox, "1000.OTHER", "other").refresh(granted.refresh_token).access_token


@shows("location")
def test_consent_names_the_data_centre(sandbox, accounts):
    sandbox.switch(location="in")
    assert consent(sandbox, accounts)["location"] == "in"


@shows("redirect_uris")
def test_only_registered_redirect_addresses_are_sent_back_to(sandbox, accounts):
    sandbox.switch(redirect_uris=[CALLBACK])
    assert accounts.exchange_code(consent(sandbox, accounts)["code"], CALLBACK).refresh_token
    assert consent(sandbox, accounts, "http://127.0.0.1:8000/elsewhere/") == {}


def test_a_code_with_a_challenge_is_for_who_knows_the_verifier(sandbox, accounts):
    code = consent(sandbox, accounts, code_verifier="a" * 43)["code"]
    for guess in ("", "b" * 43):
        with pytest.raises(errors.InvalidCode):
            accounts.exchange_code(code, CALLBACK, guess)
    assert accounts.exchange_code(code, CALLBACK, "a" * 43).refresh_token


@shows("access_token_seconds")
def test_access_token_dies_when_its_life_is_over(sandbox, accounts, client, granted):
    sandbox.switch(access_token_seconds=100)
    short = accounts.refresh(granted.refresh_token)
    assert short.expires_in_seconds == 100
    sandbox.advance(101)
    assert not accepted(sandbox, short.access_token)
    assert accepted(sandbox, granted.access_token)


@shows("expires_in_style")
def test_life_in_milliseconds_is_read_as_seconds(sandbox, accounts, granted):
    sandbox.switch(expires_in_style="legacy", access_token_seconds=1800)
    assert accounts.refresh(granted.refresh_token).expires_in_seconds == 1800


@shows("mints_per_10_minutes", "mint_throttle_status")
@pytest.mark.parametrize("status", ["400", "200"])
def test_one_mint_too_many_is_throttled_until_the_ten_minutes_are_over(sandbox, accounts, granted, status):
    sandbox.switch(mints_per_10_minutes=2, mint_throttle_status=status)
    for _ in range(2):
        accounts.refresh(granted.refresh_token)
    with pytest.raises(errors.MintThrottled) as caught:
        accounts.refresh(granted.refresh_token)
    sandbox.advance(caught.value.wait_seconds)
    assert accounts.refresh(granted.refresh_token)


@shows("client_mints_per_10_minutes")
def test_one_token_of_the_client_itself_too_many_is_throttled(sandbox, accounts):
    sandbox.switch(client_mints_per_10_minutes=1)
    assert accounts.client_credentials(SCOPE).access_token
    with pytest.raises(errors.MintThrottled):
        accounts.client_credentials(SCOPE)


@shows("stored_refresh_tokens")
def test_one_refresh_token_too_many_deletes_the_oldest(sandbox, accounts, client, granted):
    sandbox.switch(stored_refresh_tokens=2)
    for _ in range(2):
        accounts.exchange_code(sandbox.self_client_code(SCOPE))
    with pytest.raises(errors.InvalidCode):
        accounts.refresh(granted.refresh_token)
    assert not accepted(sandbox, granted.access_token)


@shows("one_refresh_token_too_many")
def test_one_refresh_token_too_many_may_be_refused_instead(sandbox, accounts, granted):
    sandbox.switch(stored_refresh_tokens=1, one_refresh_token_too_many="refused")
    with pytest.raises(errors.MintThrottled):
        accounts.exchange_code(sandbox.self_client_code(SCOPE))
    assert accounts.refresh(granted.refresh_token).access_token


@shows("access_token_dies_after_seconds")
def test_access_token_may_die_before_its_time(sandbox, accounts, client, granted):
    sandbox.switch(access_token_dies_after_seconds=10, access_token_seconds=3600)
    short = accounts.refresh(granted.refresh_token)
    assert (short.expires_in_seconds, accepted(sandbox, short.access_token)) == (3600, True)
    sandbox.advance(11)
    assert not accepted(sandbox, short.access_token)


@shows("unauthorised_style")
@pytest.mark.parametrize("style", UNAUTHORISED_STYLES)
def test_token_that_is_not_valid_is_replaced_in_every_style_and_the_invitation_sent_once(sandbox, granted, style):
    sandbox.switch(unauthorised_style=style)
    tokens = Tokens("1000.stale", granted.access_token)
    client = client_of(sandbox, tokens)
    with pytest.raises(errors.TokenRejected):
        invite(client)
    assert invite(client).member_id
    assert tokens.rejections == ["1000.stale"]
    assert sandbox.posts() == {(COURSE, NEW): 1}


@shows("live_access_tokens")
def test_one_access_token_too_many_ends_the_oldest(sandbox, accounts, client, granted):
    sandbox.switch(live_access_tokens=2)
    second, third = (accounts.refresh(granted.refresh_token) for _ in range(2))
    alive = [accepted(sandbox, grant.access_token) for grant in (granted, second, third)]
    assert alive == [False, True, True]


@shows("max_uses_per_refresh_token")
def test_refresh_beyond_the_use_limit_is_an_invalid_code(sandbox, accounts, granted):
    sandbox.switch(max_uses_per_refresh_token=20)
    for _ in range(20):
        assert accounts.refresh(granted.refresh_token)
    with pytest.raises(errors.InvalidCode):
        accounts.refresh(granted.refresh_token)


@shows("codes_per_10_minutes")
def test_one_code_too_many_comes_back_as_a_refusal(sandbox, accounts):
    sandbox.switch(codes_per_10_minutes=1)
    assert "code" in consent(sandbox, accounts)
    assert consent(sandbox, accounts)["error"] == "access_denied"


@shows("web_code_seconds", "self_client_code_seconds")
def test_codes_expire(sandbox, accounts):
    sandbox.switch(web_code_seconds=30, self_client_code_seconds=60)
    web, own, early = consent(sandbox, accounts)["code"], sandbox.self_client_code(SCOPE), consent(sandbox, accounts)
    assert accounts.exchange_code(early["code"], CALLBACK)
    sandbox.advance(40)
    with pytest.raises(errors.InvalidCode):
        accounts.exchange_code(web, CALLBACK)
    assert accounts.exchange_code(own)
    late = sandbox.self_client_code(SCOPE)
    sandbox.advance(61)
    with pytest.raises(errors.InvalidCode):
        accounts.exchange_code(late)


# --- Pace ---------------------------------------------------------------------------------------


@shows("calls_per_minute", "lockout_seconds", "rate_limit_style")
@pytest.mark.parametrize(("style", "wait_seconds"), [("400", 120), ("429", 100)])
def test_one_call_too_many_locks_the_path_and_says_for_how_long(sandbox, client, style, wait_seconds):
    sandbox.switch(calls_per_minute=2, lockout_seconds=100, rate_limit_style=style)
    for _ in range(2):
        client.get_course(COURSE)
    with pytest.raises(errors.Throttled) as caught:
        client.get_course(COURSE)
    assert (caught.value.wait_told, caught.value.wait_seconds) == (True, wait_seconds)  # in words only whole minutes
    assert client.list_courses()
    sandbox.advance(101)
    assert client.get_course(COURSE)


def throttled(client) -> errors.Throttled:
    client.get_course(COURSE)
    with pytest.raises(errors.Throttled) as caught:
        client.get_course(COURSE)
    return caught.value


@shows("retry_after_style", "date_skew_seconds")
@pytest.mark.parametrize("skew_seconds", [0, -7200, 90_000])
@pytest.mark.parametrize(
    ("style", "wait_seconds"),
    # What makes no sense gives way to the words, which round up to whole minutes.
    [("seconds", 100), ("date", 100), ("past", 120), ("absurd", 120), ("constant", 1), ("none", 120)],
)
def test_wait_is_read_whatever_the_servers_clock_says(sandbox, client, style, skew_seconds, wait_seconds):
    sandbox.switch(calls_per_minute=1, lockout_seconds=100, rate_limit_style="429")
    sandbox.switch(retry_after_style=style, date_skew_seconds=skew_seconds)
    error = throttled(client)
    assert error.wait_told
    assert abs(error.wait_seconds - wait_seconds) <= 1  # dates are of whole seconds


@shows("lockout_prolongs")
@pytest.mark.parametrize("prolongs", [False, True])
def test_calls_during_a_lock_may_prolong_it(sandbox, client, prolongs):
    sandbox.switch(calls_per_minute=1, lockout_seconds=60, lockout_prolongs=prolongs)
    client.get_course(COURSE)
    for seconds in (0, 50):
        sandbox.advance(seconds)
        with pytest.raises(errors.Throttled):
            client.get_course(COURSE)
    sandbox.advance(11)
    if not prolongs:
        assert client.get_course(COURSE)
        return
    with pytest.raises(errors.Throttled):
        client.get_course(COURSE)


# --- Answers nobody has documented ----------------------------------------------------------------


@shows("error_envelope")
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_errors_are_understood_in_each_envelope(sandbox, client, envelope):
    sandbox.switch(error_envelope=envelope)
    with pytest.raises(errors.NotFound):
        client.get_course(UNKNOWN_COURSE)
    with pytest.raises(errors.TokenRejected):
        client_of(sandbox, Tokens("1000.stale")).list_courses()


@shows("error_status_style")
@pytest.mark.parametrize("style", ["filter", "showtime500"])
def test_refusal_is_one_whatever_its_status(sandbox, client, style):
    sandbox.switch(error_status_style=style, learner_limit=1)
    with pytest.raises(errors.Refused) as caught:
        invite(client)
    assert caught.value.sentence == "The academy has no seat left."
    with pytest.raises(errors.NotFound):
        client.get_course(UNKNOWN_COURSE)


SHAPES = {  # shape: the client's error, or None for a success
    **dict.fromkeys(("standard", "list", "object", "data", "courseMembers", "address")),
    **dict.fromkeys(INVITED_SHAPES[6:], errors.Unclear),
    "known_code_500": errors.Refused,
}


@shows("invited_shape", "invited_acts")
@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize(("shape", "kind"), SHAPES.items())
def test_answer_of_every_shape_is_a_success_or_leaves_it_open(sandbox, client, shape, kind, acts):
    sandbox.switch(invited_shape=shape, invited_acts=acts)
    if kind is None:
        assert bool(invite(client).member_id) is (shape != "address")
    else:
        with pytest.raises(errors.TrainerCentralError) as caught:
            invite(client)
        assert type(caught.value) is kind
    assert sandbox.posts() == {(COURSE, NEW): 1}
    assert bool(sandbox.invitations()) is acts


def test_every_shape_is_tried():
    assert set(SHAPES) == set(INVITED_SHAPES)


@shows("invitation_answers")
def test_answers_are_scripted_for_some_learners_and_for_some_times(sandbox, client):
    script = [
        {
            "for": "a@*",
            "status": 202,
            "body": {"who": "{email}", "member": {"courseMembersId": "{member_id}"}},
            "acts": True,
        },
        {"for": "b@*", "status": 400, "body": "ST_41 ALREADY_REGISTERED", "headers": {"X-Of": "us"}, "times": 1},
        {"for": "c@*", "fault": "reset", "acts": True, "times": 2},
    ]
    sandbox.switch(invitation_answers=script)
    a, b, c = (f"{name}@example.org" for name in "abc")
    assert invite(client, email=a).member_id == member(client, a).member_id
    with pytest.raises(errors.Unclear) as caught:
        invite(client, email=b)
    assert caught.value.code == "ST_41 ALREADY_REGISTERED"
    assert invite(client, email=b).member_id
    for _ in range(2):
        with pytest.raises(errors.OutcomeUnknown):
            invite(client, email=c)
    assert sandbox.invitations() == {(COURSE, a): 1, (COURSE, b): 1, (COURSE, c): 2}
    assert sandbox.posts() == {(COURSE, a): 1, (COURSE, b): 2, (COURSE, c): 2}
    assert sandbox.switch()["invitation_answers"] == script[:1]


@shows("forbidden_learners")
def test_one_learner_may_be_forbidden_while_others_are_taken(sandbox, client):
    sandbox.switch(forbidden_learners=["barred@*"])
    with pytest.raises(errors.Forbidden):
        invite(client, email="Barred@example.org")
    assert invite(client).member_id


@shows("invited_status")
def test_invitation_may_be_answered_with_201(sandbox, client):
    sandbox.switch(invited_status="201")
    assert invite(client).member_id == member(client).member_id


@shows("pending_status")
def test_status_of_who_has_not_accepted_is_passed_on(sandbox, client):
    sandbox.switch(pending_status="49")
    invite(client)
    assert (member(client).status, member(client).last_login_at) == ("49", None)


@shows("already_enrolled")
@pytest.mark.parametrize(("answer", "already_enrolled"), [("ok", None), ("error", True)])
def test_second_invitation_is_a_success_or_says_why_not(sandbox, client, answer, already_enrolled):
    sandbox.switch(already_enrolled=answer)
    invite(client)
    assert invite(client).already_enrolled is already_enrolled


@shows("revoked_reinvited")
def test_invitation_after_a_revocation_gives_access_back_or_is_refused(sandbox, client):
    invited = invite(client)
    client.revoke_access(invited.member_id)
    sandbox.switch(revoked_reinvited="error")
    with pytest.raises(errors.Refused) as caught:
        invite(client)
    assert caught.value.sentence == "The learner's access to this course was revoked."
    sandbox.switch(revoked_reinvited="ok")
    assert invite(client).member_id == invited.member_id
    assert not member(client).is_revoked


@shows("unknown_course")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        *(("404", errors.NotFound), ("400", errors.Refused), ("showtime500", errors.Refused)),
        ("silent", errors.Unclear),  # it acted: the learner is in the academy now
    ],
)
def test_invitation_to_an_unknown_course_is_never_a_success(sandbox, client, answer, kind):
    sandbox.switch(unknown_course=answer)
    with pytest.raises(errors.TrainerCentralError) as caught:
        invite(client, UNKNOWN_COURSE)
    assert (type(caught.value), caught.value.retry_helps) == (kind, False)


@shows("invalid_email")
@pytest.mark.parametrize(("answer", "code"), [("code", "INVALID_EMAIL"), ("pattern", "PATTERN_NOT_MATCHED")])
def test_malformed_address_is_refused(sandbox, client, answer, code):
    sandbox.switch(invalid_email=answer)
    with pytest.raises(errors.Refused) as caught:
        invite(client, email="nonsense@")
    assert caught.value.code == code


@shows("unknown_learner")
@pytest.mark.parametrize("answer", ["empty", "404"])
def test_address_that_no_learner_has_is_none(sandbox, client, answer):
    sandbox.switch(unknown_learner=answer)
    assert client.find_learner("nobody@example.org") is None


@shows("learner_wrapper")
def test_learner_is_found_in_any_wrapper(sandbox, client):
    sandbox.switch(learner_wrapper="somethingElse")
    invite(client)
    assert client.find_learner(NEW).email == NEW


@shows("last_name_required")
def test_an_empty_last_name_counts_as_missing(sandbox, client, granted):
    attendee = {"email": NEW, "firstName": "New", "lastName": "", "courseId": COURSE}
    answers = []
    for required in (True, False):
        sandbox.switch(last_name_required=required)
        headers = {"Authorization": f"Zoho-oauthtoken {granted.access_token}"}
        address = f"{sandbox.url}/api/v4/700000804/addCourseAttendee.json"
        answers.append(
            requests.post(address, json={"courseAttendee": attendee}, headers=headers, timeout=5).status_code
        )
    assert answers == [400, 200]
    with pytest.raises(errors.Refused):
        invite(client, email="other@example.org", last_name="")
    assert sandbox.invitations() == {(COURSE, NEW): 1}


@shows("learner_limit")
def test_academy_may_have_no_seat_left(sandbox, client):
    sandbox.switch(learner_limit=1)
    with pytest.raises(errors.Refused) as caught:
        invite(client)
    assert (caught.value.code, caught.value.sentence) == ("LIMIT_EXCEEDED", "The academy has no seat left.")


# --- Lists --------------------------------------------------------------------------------------


@shows("bundles", "unpublished_courses")
def test_bundles_and_unpublished_courses_are_listed_among_the_courses(sandbox, client):
    assert all(course.is_published and not course.is_bundle for course in client.list_courses())
    sandbox.switch(bundles=2, unpublished_courses=1)
    listed = client.list_courses()
    assert [course.is_bundle for course in listed] == [False] * 5 + [True] * 2
    assert [course.is_published for course in listed[:5]] == [True] * 4 + [False]


@shows("limit_cap")
def test_everybody_is_read_although_pages_are_capped_silently(sandbox, client):
    everybody = [one.member_id for one in client.iter_course_members(COURSE, page_size=1000)]
    sandbox.switch(limit_cap=5)
    pages = list(client.iter_member_pages(COURSE, page_size=100))
    assert {len(page) for page in pages[:-1]} == {5}
    assert [one.member_id for page in pages for one in page] == everybody


@shows("pending_listed")
def test_learners_who_have_not_accepted_may_be_missing(sandbox, client):
    invite(client)
    assert member(client)
    sandbox.switch(pending_listed=False)
    assert member(client) is None


@shows("revoked_listed")
def test_learners_whose_access_was_revoked_may_be_missing(sandbox, client):
    client.revoke_access(invite(client).member_id)
    assert member(client).is_revoked
    sandbox.switch(revoked_listed=False)
    assert member(client) is None


@shows("percent_style")
@pytest.mark.parametrize("style", ["number", "decimal", "comma", "sign", "fraction"])
def test_percentages_are_read_in_every_spelling(sandbox, client, granted, style):
    sandbox.switch(progress_speed=0)
    as_documented = {one.member_id: one.percent for one in client.iter_course_members(COURSE)}
    assert len(set(as_documented.values())) > 3
    sandbox.switch(percent_style=style)
    another = client_of(sandbox, Tokens(granted.access_token))  # one academy does not change its spelling
    read = {one.member_id: one.percent for one in another.iter_course_members(COURSE)}
    assert read == pytest.approx(as_documented)


@pytest.mark.parametrize(("style", "unreadable"), [("null", ()), ("words", ("percent",))])
def test_percentage_that_is_none_is_not_zero(sandbox, client, style, unreadable):
    sandbox.switch(percent_style=style)
    assert {(one.percent, one.unreadable) for one in client.iter_course_members(COURSE)} == {(None, unreadable)}


@shows("time_style")
@pytest.mark.parametrize(("style", "lost_ms"), [("number", 0), ("seconds", 999), ("iso", 0)])
def test_times_are_read_in_every_spelling(sandbox, client, style, lost_ms):
    sandbox.switch(progress_speed=0)
    as_documented = [one.time_ms for one in client.iter_course_members(COURSE)]
    sandbox.switch(time_style=style)
    read = [one.time_ms for one in client.iter_course_members(COURSE)]
    assert all(0 <= before - now <= lost_ms for before, now in zip(as_documented, read, strict=True))
    sandbox.switch(time_style="words")
    assert "time_ms" in next(client.iter_course_members(COURSE)).unreadable


@shows("id_style")
def test_ids_given_as_numbers_keep_all_their_digits(sandbox, client):
    sandbox.switch(progress_speed=0)
    as_documented = list(client.iter_course_members(COURSE))
    sandbox.switch(id_style="number")
    assert list(client.iter_course_members(COURSE)) == as_documented
    assert int(as_documented[0].member_id) > 2**53


def test_sandbox_follows_what_was_learnt_about_an_academy(sandbox, client):
    learnt = Profile(
        page_cap=5, newest_first=False, pending_listed=False, pending_status="49", throttled_at_per_minute=2
    )
    switches = sandbox.follow({key: value for key, value in asdict(learnt).items() if key != "meanings"})
    assert (switches["limit_cap"], switches["pending_status"]) == (5, "49")
    page = client.member_page(COURSE, newest_first=True)
    times = [one.time_ms for one in page.members]
    assert (len(times), times) == (5, sorted(times))
    client.member_page(COURSE)
    with pytest.raises(errors.Throttled):
        client.member_page(COURSE)
    sandbox.reset("switches")
    assert sandbox.follow({}) == sandbox.switch()


@shows("sort_1_order")
@pytest.mark.parametrize(("order", "reverse"), [("newest", True), ("oldest", False)])
def test_order_by_time_has_either_direction(sandbox, client, order, reverse):
    sandbox.switch(sort_1_order=order)
    times = [one.time_ms for one in client.iter_course_members(COURSE, newest_first=True)]
    assert times == sorted(times, reverse=reverse)


@shows("time_moves_with_progress")
@pytest.mark.parametrize("moves", [True, False])
def test_time_of_a_member_moves_with_progress_or_stands_still(sandbox, client, moves):
    sandbox.switch(time_moves_with_progress=moves)
    before = {one.member_id: one for one in client.iter_course_members(COURSE)}
    sandbox.advance(3 * 86_400)
    after = list(client.iter_course_members(COURSE))
    advanced = [one for one in after if 0 < before[one.member_id].percent < one.percent]
    assert advanced
    assert {one.time_ms > before[one.member_id].time_ms for one in advanced} == {moves}


@shows("page_shift")
@pytest.mark.parametrize(("shift", "doubled", "missed"), [(-1, True, False), (1, False, True)])
def test_rows_that_move_while_they_are_read_come_twice_or_not_at_all(sandbox, client, shift, doubled, missed):
    everybody = {one.member_id for one in client.iter_course_members(COURSE, page_size=1000)}
    sandbox.switch(page_shift=shift)
    read = [one.member_id for one in client.iter_course_members(COURSE, page_size=5)]
    assert (len(read) > len(set(read)), set(read) < everybody) == (doubled, missed)


@shows("si_ignored")
def test_a_list_that_repeats_itself_is_noticed(sandbox, client):
    walk = Walk(lambda start: client.member_page(COURSE, page_size=8, start=start))
    sandbox.switch(si_ignored=True)
    with pytest.raises(errors.NotPaged):
        list(iter(walk.next_page, None))


@shows("clock_skew_seconds")
def test_times_are_the_servers_own(sandbox, client):
    sandbox.switch(clock_skew_seconds=-3600)
    invite(client)
    assert 3590 < time.time() - member(client).time_ms / 1000 < 3660


# --- Weather ------------------------------------------------------------------------------------


@shows("latency_ms")
def test_slow_answers_are_waited_for_up_to_the_time_out(sandbox, client, granted):
    sandbox.switch(latency_ms=[120, 150])
    begun = time.monotonic()
    client.get_course(COURSE)
    assert time.monotonic() - begun >= 0.12
    hasty = client_of(sandbox, Tokens(granted.access_token), read_timeout_seconds=0.05)
    with pytest.raises(errors.OutcomeUnknown):
        invite(hasty)


@shows("error_5xx_ratio", "reset_ratio")
@pytest.mark.parametrize("switch", ["error_5xx_ratio", "reset_ratio"])
def test_calls_that_fail_by_chance_did_not_act_and_reading_is_repeated(sandbox, client, granted, switch):
    sandbox.switch(**{switch: 1.0})
    with pytest.raises(errors.OutcomeUnknown):
        invite(client)
    assert sandbox.invitations() == {}
    sandbox.switch(**{switch: 0.2})  # five failures in a row: once in 3,000 times
    patient = client_of(sandbox, Tokens(granted.access_token), retry_deadline_seconds=20)
    assert [patient.get_course(COURSE).course_id for _ in range(3)] == [COURSE] * 3


@shows("lost_answer_ratio")
def test_lost_answer_leaves_the_outcome_unknown_and_the_learner_invited(sandbox, client):
    sandbox.switch(lost_answer_ratio=1.0)
    with pytest.raises(errors.OutcomeUnknown):
        invite(client)
    assert sandbox.invitations() == {(COURSE, NEW): 1}


FAULTY = {  # fault: did the invitation act by the time the client gave up?
    **dict.fromkeys(("500", "502", "503", "html", "empty", "reset", "timeout", "late"), False),
    **dict.fromkeys(("truncated", "reset_after_acting", "timeout_after_acting"), True),
}


@shows("fail_next", "hold_seconds")
@pytest.mark.parametrize(("fault", "acted"), FAULTY.items())
def test_faulty_invitation_is_an_unknown_outcome_and_sent_once(sandbox, granted, fault, acted):
    script = [{"path_contains": "addCourseAttendee", "times": 1, "fault": fault}]
    sandbox.switch(fail_next=script, hold_seconds=0.2, late_seconds=1.0)
    client = client_of(sandbox, Tokens(granted.access_token), read_timeout_seconds=0.5, retry_deadline_seconds=1)
    with pytest.raises(errors.OutcomeUnknown):
        invite(client)
    assert sandbox.invitations() == ({(COURSE, NEW): 1} if acted else {})


def test_every_fault_is_tried():
    assert set(FAULTY) == set(FAULTS)


@shows("late_seconds")
def test_late_server_acts_after_the_client_has_given_up(sandbox, granted):
    sandbox.switch(fail_next=[{"fault": "late"}], late_seconds=0.4)
    hasty = client_of(sandbox, Tokens(granted.access_token), read_timeout_seconds=0.1)
    with pytest.raises(errors.OutcomeUnknown):
        invite(hasty)
    assert sandbox.invitations() == {}
    wait_for(sandbox.invitations, 30, "the late call acts")
    assert sandbox.invitations() == {(COURSE, NEW): 1}


# --- Learners -----------------------------------------------------------------------------------


@shows("progress_speed")
def test_learners_rest_at_speed_0_and_move_on_at_a_higher_one(sandbox, client):
    sandbox.switch(progress_speed=0)
    before = list(client.iter_course_members(COURSE))
    sandbox.advance(7 * 86_400)
    assert list(client.iter_course_members(COURSE)) == before
    sandbox.switch(progress_speed=100)
    sandbox.advance(3600)
    assert list(client.iter_course_members(COURSE)) != before


def test_access_ends_with_the_invitations_own_expiry(sandbox, client):
    ends_ms = int(time.time() * 1000) + 3_600_000
    member_id = invite(client, expires_at_ms=ends_ms).member_id
    assert not member(client).is_revoked
    sandbox.advance(3601)
    assert member(client).is_revoked
    assert invite(client).member_id == member_id
    assert not member(client).is_revoked


def test_every_switch_is_shown_through_the_client():
    assert set(SHOWN) == {row.name for row in fields(Switches)}
