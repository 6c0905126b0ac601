"""What the client makes of answers to an invitation: of documented ones, of odd ones, and of those learnt."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursehub.trainercentral import AnswerKind, Meaning, Profile, errors
from tests.coursehub.trainercentral.scripted import OTHER_TOKEN, TOKEN, Play, Tokens, client_of
from tests.coursehub.trainercentral.test_any_answer import BODIES, HEADERS

COURSE, EMAIL = "3000094000002000004", "ada.lovelace@example.org"
MEMBER = {"id": "7", "courseMembersId": "7", "courseId": COURSE, "orgMemberId": "9", "completionPercentage": "0"}
PERSON = {"id": "9", "orgMemberId": "9", "email": EMAIL, "name": "Ada Lovelace", "status": "1"}
SECRET_WORDS = (EMAIL, "ada.lovelace", "Ada", "Lovelace", COURSE, TOKEN, "3000094000003000001")


def invite(script, *plays: Play, **options):
    script.play(*plays)
    return client_of(script, options.pop("tokens", None), **options).invite(
        course_id=COURSE, email=EMAIL, first_name="Ada", last_name="Lovelace"
    )


def kind_seen(script, play: Play) -> AnswerKind:
    told: list[AnswerKind] = []
    with pytest.raises(errors.TrainerCentralError):
        invite(script, play, on_answer=lambda kind, sample: told.append(kind))
    return told[0]


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body",
    [
        {"courseMember": [MEMBER], "portalMember": PERSON},
        {"courseMember": MEMBER},
        {"courseMembers": [MEMBER]},
        {"data": {"courseMember": [MEMBER], "portalMember": PERSON}},
        {"data": [{"code": "SUCCESS", "details": MEMBER, "message": "added", "status": "success"}]},
        [MEMBER],
        MEMBER,
        [[MEMBER]],
        {"response": {"result": {"courseMembersId": 7}}},
    ],
)
def test_course_member_anywhere_is_a_success(script, status, body):
    assert invite(script, Play(status, body)).member_id == "7"


@pytest.mark.parametrize(
    "body",
    [
        {"orgMemberId": "9"},
        {"learner": {"email": EMAIL.upper(), "courseId": COURSE}},
        {"status": "success", "invited": [EMAIL]},
        {"code": 3000, "users": [{"emailId": EMAIL}]},
    ],
)
def test_learner_anywhere_is_a_success_without_a_member_id(script, body):
    invited = invite(script, Play(200, body))
    assert (invited.member_id, invited.already_enrolled) == ("", None)


@pytest.mark.parametrize(
    "play",
    [
        *(Play(200, {"status": "success"}), Play(204), Play(200, ""), Play(200, "OK"), Play(200, {}), Play(200, [])),
        *(Play(200, {"portalMember": PERSON}), Play(201, {"data": {"portalMember": PERSON}})),
        *(Play(200, {"courseMember": []}), Play(200, {"courseMember": [], "portalMember": PERSON})),
        *(Play(200, {"courseMember": [], "email": EMAIL}), Play(200, {"courseMember": {}, "orgMemberId": "9"})),
        *(Play(200, {"failed": [EMAIL]}), Play(200, {"invalidUsers": [{"email": EMAIL, "orgMemberId": "9"}]})),
        *(Play(200, {"message": EMAIL}), Play(200, {"courseAttendee": {"email": EMAIL}, "status": "failure"})),
        *(
            Play(200, {"courseMember": [MEMBER], "success": False}),
            Play(200, {"courseMember": [MEMBER | {"errorCode": "ST_41"}]}),
        ),
        *(Play(200, {"code": "SEAT_ERROR", "message": "No."}), Play(207, {"courseMember": [MEMBER], "error": "ST_41"})),
        *(
            Play(200, "<html>Back soon</html>"),
            Play(302, headers={"Location": "/x"}),
            Play(200, '{"courseMember":[{"id'),
        ),
        *(Play(200, {"courseMember": [MEMBER], "errors": [{"errorCode": "INVALID_OAUTHTOKEN"}]}), Play(409), Play(408)),
        *(Play(500), Play(502, "<html>"), Play(503), Play(500, {"code": "ST_01"}), Play(500, {"code": "ST_77"})),
        Play(500, {"errors": [{"errorCode": "INVALID_OAUTHTOKEN"}]}),
    ],
)
def test_answer_that_may_have_acted_is_unclear_and_not_sent_again(script, play):
    with pytest.raises(errors.Unclear) as caught:
        invite(script, play)
    assert len(script.received) == 1
    assert (caught.value.kind.endpoint, caught.value.kind.status) == ("addCourseAttendee.json", play.status)


def test_answer_that_never_came_has_no_kind(script):
    with pytest.raises(errors.OutcomeUnknown) as caught:
        invite(script, Play(reset=True))
    assert type(caught.value) is errors.OutcomeUnknown


@pytest.mark.parametrize("names", [("", "B"), ("A", ""), (" ", "B"), ("A", "\t"), ("", "")])
def test_empty_name_is_never_sent(script, names):
    script.play(Play())
    with pytest.raises(errors.Refused, match="name"):
        client_of(script).invite(course_id=COURSE, email=EMAIL, first_name=names[0], last_name=names[1])
    assert script.received == []


@pytest.mark.parametrize(
    "unauthorised",
    [
        Play(401),
        Play(401, "<html>"),
        Play(401, {"error": "invalid_token"}),
        Play(401, {"code": "AUTHENTICATION_FAILURE"}),
        Play(400, {"code": "AUTHENTICATION_FAILURE"}),
        Play(200, {"error": {"title": "INVALID_OAUTHTOKEN"}}),
        Play(401, {"message": "Session expired."}),
    ],
)
def test_401_in_every_style_renews_the_token_once_and_the_next_call_has_it(script, unauthorised):
    tokens = Tokens()
    with pytest.raises(errors.TokenRejected):
        invite(script, unauthorised, tokens=tokens)
    assert [call.headers["authorization"] for call in script.received] == [f"Zoho-oauthtoken {TOKEN}"]
    assert invite(script, Play(body={"courseMember": [MEMBER]}), tokens=tokens).member_id == "7"
    assert script.received[-1].headers["authorization"] == f"Zoho-oauthtoken {OTHER_TOKEN}"
    assert tokens.rejections == [TOKEN]


def test_401_that_only_may_be_about_the_token_costs_one_token(script):
    tokens = Tokens()
    with pytest.raises(errors.TokenRejected):
        invite(script, Play(401), tokens=tokens)
    assert (tokens.rejections, len(script.received)) == ([TOKEN], 1)


def test_401_is_not_sent_again_when_there_is_no_other_token(script):
    with pytest.raises(errors.TokenRejected):
        invite(script, Play(401), tokens=Tokens(TOKEN))
    assert len(script.received) == 1


def test_token_refused_with_a_500_is_renewed_but_the_invitation_is_not_repeated(script):
    tokens = Tokens()
    with pytest.raises(errors.Unclear):
        invite(script, Play(500, {"code": "INVALID_OAUTHTOKEN"}), tokens=tokens)
    assert (tokens.rejections, len(script.received)) == ([TOKEN], 1)


ALREADY = Play(400, {"code": "ST_41", "message": "ALREADY_REGISTERED"})


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [(Meaning.REFUSED, errors.Refused), (Meaning.WAIT, errors.Throttled), (Meaning.STOP, errors.Stopped)],
)
def test_what_was_learnt_of_a_kind_settles_the_next_answer(script, meaning, kind):
    learnt = Profile(meanings={kind_seen(script, ALREADY).key: meaning})
    with pytest.raises(errors.TrainerCentralError) as caught:
        invite(script, ALREADY, profile=lambda: learnt)
    assert type(caught.value) is kind


def test_kind_may_be_learnt_to_be_a_success(script):
    for meaning, already_enrolled in ((Meaning.INVITED, None), (Meaning.ALREADY_ENROLLED, True)):
        for play in (ALREADY, Play(204), Play(200, {"status": "success"})):
            learnt = Profile(meanings={kind_seen(script, play).key: meaning})
            invited = invite(script, play, profile=lambda learnt=learnt: learnt)
            assert (invited.member_id, invited.already_enrolled) == ("", already_enrolled)


def test_what_the_client_knows_for_sure_is_not_overruled_and_not_told(script):
    told = []
    for play in (
        Play(body={"courseMember": [MEMBER]}),
        Play(400, {"code": "INVALID_EMAIL"}),
        Play(404, {"code": "RESOURCE_NOT_FOUND"}),
    ):
        with contextlib.suppress(errors.TrainerCentralError):
            invite(script, play, on_answer=lambda *seen: told.append(seen))
    assert told == []


def test_success_and_failure_of_the_same_keys_are_two_kinds(script):
    taken, failed = Play(200, {"status": "success", "n": 1}), Play(200, {"status": "failed", "n": 1})
    silent, spoken = Play(200, {"message": "Invitation sent."}), Play(200, {"message": "No seat is left."})
    assert len({kind_seen(script, play).key for play in (taken, failed, silent, spoken)}) == 4


def test_kind_is_the_same_for_every_learner_and_moment(script):
    def said(name, number):
        return {"message": f"{name} ({name}@example.org) waits, request {number}.", "data": {"time": number}}

    told = []
    for name, number in (("Ada", 17), ("Grace", 1700714266048)):
        script.play(Play(200, said(name, number)))
        with pytest.raises(errors.Unclear):
            client_of(script, on_answer=lambda kind, sample: told.append(kind)).invite(
                course_id=COURSE, email=f"{name}@example.org", first_name=name, last_name="Learner"
            )
    assert told[0].key == told[1].key


@pytest.mark.parametrize("play", [Play(200, "<html>"), Play(502, "<html>"), Play(503), Play(302), Play(200, '{"a": ')])
def test_trouble_of_a_gateway_is_never_learnt(script, play):
    told = []
    with pytest.raises(errors.Unclear) as caught:
        invite(script, play, on_answer=lambda *seen: told.append(seen))
    assert (told, caught.value.kind.is_learnable) == ([], False)
    learnt = Profile(meanings={caught.value.kind.key: Meaning.INVITED})
    with pytest.raises(errors.Unclear):
        invite(script, play, profile=lambda: learnt)


def test_kind_and_sample_hold_nothing_of_a_learner(script):
    body = {
        "code": "ST_41",
        "message": f"Ada Lovelace <{EMAIL}> is in course {COURSE} already, says {TOKEN}.",
        "data": [{EMAIL: "x", "Ada": "y", "3000094000003000001": 1, "name": "Ada Lovelace", "status": "Lovelace"}],
    }
    told = []
    with pytest.raises(errors.Unclear):
        invite(script, Play(200, body), on_answer=lambda *seen: told.append(seen))
    ((kind, sample),) = told
    written = json.dumps([kind.endpoint, kind.code, kind.shape, sample])
    assert [word for word in SECRET_WORDS if word.lower() in written.lower()] == []
    assert sample["code"] == "ST_41"
    assert sample["message"].startswith("* * <*> is in course")
    assert sample["body"]["data"] == [{"*": "number", "name": "string", "status": "string"}]


def test_client_survives_whoever_keeps_the_profile(script):
    def fails(*seen):
        raise RuntimeError(EMAIL)

    with pytest.raises(errors.Unclear):
        invite(script, Play(204), profile=fails, on_answer=fails, after_call=fails)
    assert invite(script, Play(body=[MEMBER]), profile=fails, on_answer=fails, after_call=fails).member_id == "7"


def test_outcome_of_every_attempt_is_told(script):
    told = []
    with pytest.raises(errors.TokenRejected):
        invite(script, Play(401), after_call=lambda *seen: told.append(seen))
    invite(script, Play(body=[MEMBER]), after_call=lambda *seen: told.append(seen))
    with pytest.raises(errors.Throttled):
        invite(script, Play(429), after_call=lambda *seen: told.append(seen))
    assert [(endpoint, type(error)) for endpoint, error in told] == [
        ("addCourseAttendee.json", errors.TokenRejected),
        ("addCourseAttendee.json", type(None)),
        ("addCourseAttendee.json", errors.Throttled),
    ]


@pytest.mark.parametrize(
    "play", [Play(200), Play(204), Play(200, {"status": "success"}), Play(200, {"courseMembers": [MEMBER]})]
)
def test_revocation_is_a_success_without_any_sign_of_failure(script, play):
    script.play(play)
    assert client_of(script).revoke_access("7") is None


@pytest.mark.parametrize(
    "play", [Play(200, "<html>"), Play(200, {"code": "ST_41"}), Play(302), Play(500), Play(200, {"status": "failure"})]
)
def test_revocation_that_may_have_acted_is_unclear(script, play):
    script.play(play)
    with pytest.raises(errors.Unclear):
        client_of(script).revoke_access("7")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 425, 429, 500, 502, 599]),
    body=BODIES,
    headers=HEADERS,
    meaning=st.sampled_from(Meaning),
)
def test_no_answer_is_a_failure_unless_a_4xx_or_a_known_code_says_so(script, status, body, headers, meaning):
    told = []
    play = Play(status, body, headers)
    error = outcome(script, play, on_answer=lambda *seen: told.append(seen))
    assert not isinstance(error, errors.Refused) or 400 <= status < 500 or error.code
    learnt = Profile(meanings={kind.key: meaning for kind, _ in told})
    outcome(script, play, profile=lambda: learnt)
    assert len(script.received) <= 3
    for kind, sample in told:
        assert len(kind.key) <= 64
        assert json.loads(json.dumps(sample)) == sample


def outcome(script, play: Play, **options) -> errors.TrainerCentralError | None:
    try:
        invite(script, play, **options)
    except errors.TrainerCentralError as error:
        return error
    return None


OTHER = {**MEMBER, "id": "1", "courseMembersId": "1", "orgMemberId": "2", "email": "grace@example.org"}


def test_of_a_list_of_learners_the_ids_are_the_learners_own(script):
    own = {**MEMBER, "emailId": EMAIL.upper()}
    assert invite(script, Play(200, {"courseMembers": [OTHER, own]})).member_id == "7"
    assert invite(script, Play(200, {"courseMembers": [OTHER], "learner": {"email": EMAIL}})).member_id == ""


def test_an_answer_about_somebody_else_only_leaves_open_what_became_of_the_learner(script):
    with pytest.raises(errors.Unclear):
        invite(script, Play(200, {"courseMember": [OTHER]}))
