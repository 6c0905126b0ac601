"""TrainerCentral's endpoints under /api/v4; that of invitations is `coursehub.sandbox.invitations`."""

from typing import TYPE_CHECKING, Any

from coursehub.sandbox import formats, serializers
from coursehub.sandbox.academy import ENROLLED, REVOKED, Course, Member, Standing
from coursehub.sandbox.http import Answer, Call, Refused, json_answer
from coursehub.sandbox.rosters import Pair

if TYPE_CHECKING:
    from coursehub.sandbox.sandbox import Sandbox

ACCESS_REQUESTS = "2"  # a value of `filter`
TRAINER = None  # in a list of members: the one who is no learner


def list_portals(sandbox: "Sandbox", call: Call) -> Answer:
    """GET org/portals.json"""
    return json_answer({"portals": [serializers.portal_row(sandbox.org_id, call.origin)]})


def list_courses(sandbox: "Sandbox", call: Call) -> Answer:
    """GET courses.json"""
    courses = list(sandbox.academy.courses.values())
    unpublished = {course.id for course in courses[len(courses) - sandbox.switches.unpublished_courses :]}
    listed = [serializers.course_row(course, sandbox.org_id, call.origin) for course in courses]
    listed = [row | {"publishStatus": "0"} if row["id"] in unpublished else row for row in listed]
    listed += (
        serializers.bundle_rows(courses[0], sandbox.org_id, call.origin, sandbox.switches.bundles) if courses else []
    )
    page = _page(sandbox, call, listed, 15)
    return json_answer({"courses": page, "courseCategories": [], "meta": {"totalCourseCount": str(len(listed))}})


def one_course(sandbox: "Sandbox", call: Call) -> Answer:
    """GET courses/<courseId>.json"""
    return json_answer({"course": serializers.course_row(_course(sandbox, call.ids[1]), sandbox.org_id, call.origin)})


def list_course_members(sandbox: "Sandbox", call: Call) -> Answer:
    """GET course/<courseId>/courseMembers.json"""
    course, query = _course(sandbox, call.ids[1]), call.query()
    wanted = query.get("filter", "")
    roster = sandbox.rosters.of(course, call.at_ms)
    found = roster.ordered(query.get("sort", ""), sandbox.switches)
    search = query.get("searchText", "").lower()
    if search:
        found = [pair for pair in found if search in pair[0].learner.name.lower()]
    if wanted == ACCESS_REQUESTS:
        found = []
    everybody: list[Pair | None] = [*found] if wanted or search else [TRAINER, *found]
    listed = [_member_row(sandbox, course, pair) for pair in _page(sandbox, call, everybody, 20)]
    page = [formats.formatted(row, sandbox.switches) for row in listed]
    return json_answer({"courseMembers": page, "meta": {"prospectMembersCount": str(roster.pending)}})


def course_engagement(sandbox: "Sandbox", call: Call) -> Answer:
    """GET course/<courseId>/courseMember/<courseMemberId>/courseEngagement.json"""
    member, standing = _member_of_course(sandbox, call)
    return json_answer({"courseEngagement": serializers.engagement_rows(member, standing), "meta": {}})


def report_of_tests(sandbox: "Sandbox", call: Call) -> Answer:
    """GET course/<courseId>/courseMember/<courseMembersId>/testReport.json"""
    member, standing = _member_of_course(sandbox, call)
    return json_answer({"testReport": serializers.rows_of_tests(member, standing), "meta": {}})


def list_portal_members(sandbox: "Sandbox", call: Call) -> Answer:
    """GET portalMembers.json"""
    page = _page(sandbox, call, list(sandbox.academy.learners.values()), 20)
    found = [serializers.learner_row(learner, sandbox.org_id, _skew(sandbox)) for learner in page]
    return json_answer({"portalMembers": found, "meta": {}})


def delete_portal_member(sandbox: "Sandbox", call: Call) -> Answer:
    """DELETE portalMembers/<portalMemberId>.json"""
    learner = next((one for one in sandbox.academy.learners.values() if one.id == call.ids[1]), None)
    if learner is None:
        raise not_found("learner")
    sandbox.academy.delete_learner(learner)
    call.detail = learner.email
    return json_answer({"portalMember": {"id": learner.id}})


def fetch_user_details(sandbox: "Sandbox", call: Call) -> Answer:
    """GET fetchuserdetails.json?email="""
    query = call.query()
    if not query.get("email"):
        raise Refused(400, "LESS_THAN_MIN_OCCURANCE", "The parameter email is missing.")
    learner = sandbox.academy.learners.get(query["email"].strip().lower())
    if learner is None and sandbox.switches.unknown_learner == "404":
        raise not_found("learner")
    with_signup_data = query.get("fetchSignupData") == "true"
    found = [serializers.user_details_row(learner, with_signup_data)] if learner else []
    return json_answer({sandbox.switches.learner_wrapper: found})


def update_course_attendee(sandbox: "Sandbox", call: Call) -> Answer:
    """PUT updateCourseAttendee/<courseMemberId>.json: revoke access (51) or give it back (50)."""
    member = sandbox.academy.members.get(call.ids[1])
    if member is None:
        raise not_found("course member")
    wrapped = call.json_object().get("courseMembers")
    status = (
        str(wrapped[0].get("status")) if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict) else ""
    )
    if status not in (ENROLLED, REVOKED):
        raise Refused(400, "INVALID_INPUT", "courseMembers[0].status must be 50 or 51.")
    call.detail = f"course {member.course.id}, {member.learner.email}, status {status}"
    sandbox.academy.set_access(member, revoked_ms=call.at_ms if status == REVOKED else None)
    standing = serializers.shown(sandbox.switches, sandbox.academy.standing(member, call.at_ms))
    return json_answer(
        {"courseMembers": [serializers.invited_member_row(member, standing, sandbox.org_id, _skew(sandbox))]}
    )


def _member_row(sandbox: "Sandbox", course: Course, pair: Pair | None) -> dict[str, str]:
    if pair is TRAINER:
        return serializers.trainer_row(course, sandbox.org_id)
    member, standing = pair[0], serializers.shown(sandbox.switches, pair[1])
    skew_seconds, time_moves = _skew(sandbox), sandbox.switches.time_moves_with_progress
    depends_on = (standing, skew_seconds, time_moves)
    if member.listed[0] != depends_on:
        member.listed = depends_on, serializers.member_row(member, standing, sandbox.org_id, skew_seconds, time_moves)
    return member.listed[1]


def _page(sandbox: "Sandbox", call: Call, everything: list[Any], default_limit: int) -> list[Any]:
    query, numbers = call.query(), []
    for key, default in (("limit", default_limit), ("si", 0)):
        text = query.get(key, str(default))
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise Refused(400, "PATTERN_NOT_MATCHED", f"The parameter {key} must be a number.")
        numbers.append(int(text))
    limit, start = numbers
    call.detail = f"si {start}, limit {limit}"
    if sandbox.switches.limit_cap:
        limit = min(limit, sandbox.switches.limit_cap)
    if sandbox.switches.si_ignored:
        start = 0
    if start:
        start = max(0, start + sandbox.switches.page_shift)
    return everything[start : start + limit]


def _course(sandbox: "Sandbox", course_id: str) -> Course:
    course = sandbox.academy.courses.get(course_id)
    if course is None:
        raise not_found("course")
    return course


def _member_of_course(sandbox: "Sandbox", call: Call) -> tuple[Member, Standing]:
    member = sandbox.academy.members.get(call.ids[2])
    if member is None or member.course.id != call.ids[1]:
        raise not_found("course member")
    return member, sandbox.academy.standing(member, call.at_ms)


def not_found(what: str) -> Refused:
    return Refused(404, "RESOURCE_NOT_FOUND", f"The {what} does not exist.")


def _skew(sandbox: "Sandbox") -> int:
    return sandbox.switches.clock_skew_seconds
