import pytest
import requests

from tests.coursehub.sandbox.caller import Caller, code_of


def scalars(value):
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in scalars(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in scalars(one)]
    return [value]


def test_every_scalar_in_every_answer_is_a_string(caller):
    course_id = caller.course_ids()[0]
    member_id = caller.members(course_id, sort=5)[0]["courseMembersId"]
    report = f"course/{course_id}/courseMember/{member_id}"
    answers = [
        caller.get("courses.json"),
        caller.get(f"courses/{course_id}.json"),
        caller.get(f"course/{course_id}/courseMembers.json"),
        caller.get(f"{report}/courseEngagement.json"),
        caller.get(f"{report}/testReport.json"),
        caller.get("portalMembers.json", type=5),
        caller.get("fetchuserdetails.json", email="nobody@example.org"),
        caller.call("GET", "portals.json", org_id="org"),
        caller.invite("new@example.org", course_id),
        caller.invite("academy-only@example.org"),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for answer in answers:
        assert {type(leaf) for leaf in scalars(answer.json())} <= {str}
    assert scalars(answers[3].json())
    assert scalars(answers[4].json())


@pytest.mark.parametrize("scheme", ["Zoho-oauthtoken", "Bearer"])
def test_both_authorization_forms_are_accepted(caller, scheme):
    headers = {"Authorization": f"{scheme} {caller.access_token}"}
    assert caller.call("GET", "courses.json", headers=headers).status_code == 200


def test_token_in_the_query_is_no_authorization(caller):
    answer = caller.call("GET", "courses.json", headers={}, params={"access_token": caller.access_token})
    assert (answer.status_code, code_of(answer)) == (401, "NOT_AUTHENTICATED")


def test_unknown_token_is_401_invalid_oauthtoken(caller):
    answer = caller.call("GET", "courses.json", headers={"Authorization": "Bearer 1000.no.such"})
    assert (answer.status_code, code_of(answer)) == (401, "INVALID_OAUTHTOKEN")


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "courses.json", "courseapi.READ"),
        ("GET", "course/3000094000002000004/courseMembers.json", "courseapi.READ"),
        ("POST", "addCourseAttendee.json", "userapi.CREATE"),
        ("GET", "portalMembers.json", "presenterapi.READ"),
        ("GET", "fetchuserdetails.json", "userapi.READ"),
        ("PUT", "updateCourseAttendee/3000094000003000001.json", "courseapi.UPDATE"),
        ("DELETE", "portalMembers/3000094000004000001.json", "presenterapi.DELETE"),
    ],
)
def test_call_without_its_scope_is_401_invalid_oauthscope(sandbox, method, path, needed):
    others = {"courseapi.READ", "courseapi.UPDATE", "userapi.CREATE", "userapi.READ", "presenterapi.READ"} - {needed}
    without = Caller(sandbox, ",".join(f"TrainerCentral.{scope}" for scope in others)).call(method, path)
    assert (without.status_code, code_of(without)) == (401, "INVALID_OAUTHSCOPE")
    assert Caller(sandbox, f"TrainerCentral.{needed}").call(method, path).status_code != 401


def test_unknown_path_and_wrong_method_are_404(caller):
    for method, path in (("GET", "nothing.json"), ("DELETE", "courses.json"), ("GET", "courses")):
        answer = caller.call(method, path)
        assert (answer.status_code, code_of(answer)) == (404, "URL_RULE_NOT_CONFIGURED")


def test_another_organisation_is_403(caller):
    answer = caller.call("GET", "courses.json", org_id="1")
    assert (answer.status_code, code_of(answer)) == (403, "UNAUTHORISED")


def test_invited_learner_is_listed_as_pending(caller):
    course_id = caller.course_ids()[0]
    answer = caller.invite("Ada.Byron@example.org", course_id).json()
    (invited,) = answer["courseMember"]
    assert answer["portalMember"]["email"] == "Ada.Byron@example.org"
    newest = caller.members(course_id, sort=1)[0]
    assert newest["courseMembersId"] == invited["courseMembersId"]
    assert (newest["status"], newest["role"], newest["completionPercentage"]) == ("0", "3", "0")
    assert "lastLogin" not in newest


def test_second_invitation_keeps_the_member_and_is_counted(caller):
    course_id = caller.course_ids()[0]
    first = caller.invite("ada@example.org", course_id).json()
    second = caller.invite("ADA@example.org", course_id)
    assert second.json()["courseMember"][0]["id"] == first["courseMember"][0]["id"]
    assert caller.sandbox.invitations() == {(course_id, "ada@example.org"): 2}
    caller.sandbox.switch(already_enrolled="error")
    refused = caller.invite("ada@example.org", course_id)
    assert (refused.status_code, code_of(refused)) == (400, "ALREADY_ENROLLED")
    assert caller.sandbox.invitations() == {(course_id, "ada@example.org"): 2}


def test_invitation_without_course_is_to_the_academy_only(caller):
    answer = caller.invite("ada@example.org").json()
    assert "courseMember" not in answer
    details = caller.get("fetchuserdetails.json", email="ADA@example.org").json()["userDetails"]
    assert [row["email"] for row in details] == ["ada@example.org"]


NAMED = {"email": "a@example.org", "firstName": "A", "lastName": "B"}


@pytest.mark.parametrize(
    ("attendee", "code"),
    [
        ({"firstName": "A", "courseId": "1"}, "LESS_THAN_MIN_OCCURANCE"),
        ({"email": "a@example.org"}, "LESS_THAN_MIN_OCCURANCE"),
        ({"email": "a@example.org", "firstName": "A"}, "LESS_THAN_MIN_OCCURANCE"),
        ({**NAMED, "firstName": " "}, "LESS_THAN_MIN_OCCURANCE"),
        ({**NAMED, "lastName": ""}, "LESS_THAN_MIN_OCCURANCE"),
        ({**NAMED, "email": "no address"}, "INVALID_EMAIL"),
        ({**NAMED, "courseId": 5}, "INVALID_INPUT"),
        ({**NAMED, "expiryTime": "soon"}, "INVALID_INPUT"),
        ({**NAMED, "expiryTime": 10**30}, "INVALID_INPUT"),
        ({**NAMED, "nickname": "B"}, "EXTRA_PARAM_FOUND"),
        ({**NAMED, "courseId": "1"}, "RESOURCE_NOT_FOUND"),
    ],
)
def test_bad_invitation_is_refused_and_not_counted(caller, attendee, code):
    answer = caller.call("POST", "addCourseAttendee.json", json={"courseAttendee": attendee})
    assert answer.status_code in (400, 404)
    assert code_of(answer) == code
    assert caller.sandbox.invitations() == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"courseAttendee": 5}'])
def test_body_that_is_no_invitation_is_400(caller, body):
    assert caller.call("POST", "addCourseAttendee.json", data=body).status_code == 400


def test_lists_have_their_own_default_page_sizes(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.add_learners(course_id, 30)
    assert len(caller.get(f"course/{course_id}/courseMembers.json").json()["courseMembers"]) == 20
    assert len(caller.get("portalMembers.json").json()["portalMembers"]) == 20


def test_pages_by_si_and_limit_are_the_whole_list(caller):
    course_id = caller.course_ids()[0]
    whole = [row["id"] for row in caller.members(course_id)]
    paged, page = [], ["first"]
    while page:
        page = [row["id"] for row in caller.members(course_id, limit=7, si=len(paged))]
        paged += page
    assert paged == whole


def test_bad_page_numbers_are_400(caller):
    for query in ({"limit": "x"}, {"si": "-1"}, {"limit": "1e3"}):
        assert caller.get("courses.json", **query).status_code == 400


def test_trainer_is_among_the_members_unless_learners_alone_are_asked_for(caller):
    course_id = caller.course_ids()[0]
    everybody = caller.get(f"course/{course_id}/courseMembers.json", limit=1000).json()["courseMembers"]
    learners = caller.members(course_id)
    assert {row["role"] for row in learners} == {"3"}
    assert len(everybody) == len(learners) + 1


def test_sort_1_is_newest_change_first_and_5_by_progress(caller):
    course_id = caller.course_ids()[0]
    times = [int(row["time"]) for row in caller.members(course_id, sort=1)]
    percents = [int(row["completionPercentage"]) for row in caller.members(course_id, sort=5)]
    assert times == sorted(times, reverse=True)
    assert percents == sorted(percents, reverse=True)


def test_search_finds_names(caller):
    course_id = caller.course_ids()[0]
    name = caller.members(course_id)[3]["name"]
    assert name in [row["name"] for row in caller.members(course_id, searchText=name.upper())]
    assert caller.members(course_id, searchText="nobody at all") == []


def test_revoked_member_has_status_51_and_comes_back_when_invited(caller):
    course_id = caller.course_ids()[0]
    member_id = caller.invite("ada@example.org", course_id).json()["courseMember"][0]["id"]
    path, body = f"updateCourseAttendee/{member_id}.json", {"courseMembers": [{"status": 51}]}
    assert caller.call("POST", path, json=body).status_code == 404
    assert caller.call("PUT", path, json=body).status_code == 200
    assert {row["id"]: row["status"] for row in caller.members(course_id)}[member_id] == "51"
    caller.invite("ada@example.org", course_id)
    assert {row["id"]: row["status"] for row in caller.members(course_id)}[member_id] == "0"


def test_deleted_learner_is_gone_from_academy_and_course(caller):
    course_id = caller.course_ids()[0]
    learner_id = caller.invite("ada@example.org", course_id).json()["portalMember"]["id"]
    assert caller.call("DELETE", f"portalMembers/{learner_id}.json").status_code == 200
    assert "ada@example.org" not in [row["email"] for row in caller.members(course_id)]
    assert caller.get("fetchuserdetails.json", email="ada@example.org").json()["userDetails"] == []


def test_reports_of_a_member_of_another_course_are_404(caller):
    course_id, other_id = caller.course_ids()[:2]
    member_id = caller.members(course_id)[0]["id"]
    answer = caller.get(f"course/{other_id}/courseMember/{member_id}/testReport.json")
    assert (answer.status_code, code_of(answer)) == (404, "RESOURCE_NOT_FOUND")


def test_page_for_people_is_there(sandbox):
    page = requests.get(f"{sandbox.url}/_sandbox/", timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Sandbox academy" in page.text


def test_every_post_that_came_as_far_as_the_endpoint_is_counted_apart_from_those_that_acted(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.switch(invitation_answers=[{"status": 500, "for": "ada@*", "times": 1}])
    script = [{"path_contains": "addCourseAttendee", "times": 1, "fault": "502"}]
    assert caller.invite("ada@example.org", course_id).status_code == 500
    caller.sandbox.switch(fail_next=script)
    assert caller.invite("ada@example.org", course_id).status_code == 502
    assert caller.sandbox.invitations() == {}
    caller.access_token, valid = "1000.stale", caller.access_token
    assert caller.invite("ada@example.org", course_id).status_code == 401
    caller.access_token = valid
    assert caller.invite("Ada@Example.org", course_id).status_code == 200
    assert caller.sandbox.invitations() == {(course_id, "ada@example.org"): 1}
    assert caller.sandbox.posts() == {(course_id, "ada@example.org"): 3}
    assert [mail["count"] for mail in caller.sandbox.state()["mails"]] == [1]
