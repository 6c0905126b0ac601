"""TrainerCentral's endpoints under /api/v4."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursehub.sandbox import rows
from coursehub.sandbox.academy import ENROLLED, PENDING, REVOKED, Course, Member, Standing
from coursehub.sandbox.rosters import Pair
from coursehub.sandbox.wire import Answer, Call, Refused, json_answer

if TYPE_CHECKING:
    from coursehub.sandbox.core import Sandbox

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
INVITATION_KEYS = {
    *("email", "firstName", "lastName", "courseId", "password", "expiryTime"),
    *("isAccessGranted", "sessionId", "expiryDuration"),  # not documented, but seen in use
}
ACCESS_REQUESTS = "2"  # a value of `filter`
TRAINER = None  # in a list of members: the one who is no learner


def list_portals(sandbox: "Sandbox", call: Call) -> Answer:
    """GET org/portals.json"""
    return json_answer({"portals": [rows.portal_row(sandbox.org_id, call.origin)]})


def list_courses(sandbox: "Sandbox", call: Call) -> Answer:
    """GET courses.json"""
    courses = list(sandbox.academy.courses.values())
    page = [rows.course_row(course, sandbox.org_id, call.origin) for course in _page(sandbox, call, courses, 15)]
    return json_answer({"courses": page, "courseCategories": [], "meta": {"totalCourseCount": str(len(courses))}})


def one_course(sandbox: "Sandbox", call: Call) -> Answer:
    """GET courses/<courseId>.json"""
    return json_answer({"course": rows.course_row(_course(sandbox, call.ids[1]), sandbox.org_id, call.origin)})


def invite(sandbox: "Sandbox", call: Call) -> Answer:
    """POST addCourseAttendee.json: to a course, or without courseId to the academy only."""
    attendee = _attendee(sandbox, call)
    email, course_id = attendee["email"].strip(), attendee.get("courseId")
    call.detail = f"course {course_id or '-'}, {email}"
    course = _course_to_invite_to(sandbox, course_id) if course_id else None
    _refuse_repeated_invitation(sandbox, course, email, call.at_ms)
    names = attendee["firstName"], attendee.get("lastName", "")
    learner = sandbox.academy.find_or_add_learner(email, *names, call.at_ms)
    answer: dict[str, Any] = {"portalMember": rows.invited_learner_row(learner, sandbox.org_id, _skew(sandbox))}
    if course is not None:
        member = course.members.get(email.lower()) or sandbox.academy.add_member(course, learner, call.at_ms)
        expires_ms = attendee.get("expiryTime")
        if expires_ms is not None or member.ended_ms(call.at_ms) is not None:
            sandbox.academy.set_access(member, expires_ms=expires_ms)
        standing = _shown(sandbox, sandbox.academy.standing(member, call.at_ms))
        row = rows.invited_member_row(member, standing, sandbox.org_id, _skew(sandbox))
        answer = {"courseMember": [row], **answer}
    sandbox.counters.count_invitation(course_id or "", email.lower(), call.at_ms)
    return json_answer(answer, int(sandbox.switches.invited_status))


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
    page = [_member_row(sandbox, course, pair) for pair in _page(sandbox, call, everybody, 20)]
    return json_answer({"courseMembers": page, "meta": {"prospectMembersCount": str(roster.pending)}})


def course_engagement(sandbox: "Sandbox", call: Call) -> Answer:
    """GET course/<courseId>/courseMember/<courseMemberId>/courseEngagement.json"""
    member, standing = _member_of_course(sandbox, call)
    return json_answer({"courseEngagement": rows.engagement_rows(member, standing), "meta": {}})


def report_of_tests(sandbox: "Sandbox", call: Call) -> Answer:
    """GET course/<courseId>/courseMember/<courseMembersId>/testReport.json"""
    member, standing = _member_of_course(sandbox, call)
    return json_answer({"testReport": rows.rows_of_tests(member, standing), "meta": {}})


def list_portal_members(sandbox: "Sandbox", call: Call) -> Answer:
    """GET portalMembers.json"""
    page = _page(sandbox, call, list(sandbox.academy.learners.values()), 20)
    found = [rows.learner_row(learner, sandbox.org_id, _skew(sandbox)) for learner in page]
    return json_answer({"portalMembers": found, "meta": {}})


def delete_portal_member(sandbox: "Sandbox", call: Call) -> Answer:
    """DELETE portalMembers/<portalMemberId>.json"""
    learner = next((one for one in sandbox.academy.learners.values() if one.id == call.ids[1]), None)
    if learner is None:
        raise _not_found("learner")
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
        raise _not_found("learner")
    with_signup_data = query.get("fetchSignupData") == "true"
    found = [rows.user_details_row(learner, with_signup_data)] if learner else []
    return json_answer({sandbox.switches.learner_wrapper: found})


def update_course_attendee(sandbox: "Sandbox", call: Call) -> Answer:
    """PUT updateCourseAttendee/<courseMemberId>.json: revoke access (51) or give it back (50)."""
    member = sandbox.academy.members.get(call.ids[1])
    if member is None:
        raise _not_found("course member")
    wrapped = call.json_object().get("courseMembers")
    status = (
        str(wrapped[0].get("status")) if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict) else ""
    )
    if status not in (ENROLLED, REVOKED):
        raise Refused(400, "INVALID_INPUT", "courseMembers[0].status must be 50 or 51.")
    call.detail = f"course {member.course.id}, {member.learner.email}, status {status}"
    sandbox.academy.set_access(member, revoked_ms=call.at_ms if status == REVOKED else None)
    standing = _shown(sandbox, sandbox.academy.standing(member, call.at_ms))
    return json_answer({"courseMembers": [rows.invited_member_row(member, standing, sandbox.org_id, _skew(sandbox))]})


def _member_row(sandbox: "Sandbox", course: Course, pair: Pair | None) -> dict[str, str]:
    if pair is TRAINER:
        return rows.trainer_row(course, sandbox.org_id)
    member, standing = pair[0], _shown(sandbox, pair[1])
    skew_seconds, time_moves = _skew(sandbox), sandbox.switches.time_moves_with_progress
    depends_on = (standing, skew_seconds, time_moves)
    if member.listed[0] != depends_on:
        member.listed = depends_on, rows.member_row(member, standing, sandbox.org_id, skew_seconds, time_moves)
    return member.listed[1]


def _shown(sandbox: "Sandbox", standing: Standing) -> Standing:
    """As answers give it: nobody has documented the status of a learner who has not accepted yet."""
    pending_status = sandbox.switches.pending_status
    if standing.status != PENDING or pending_status == PENDING:
        return standing
    return replace(standing, status=pending_status)


def _attendee(sandbox: "Sandbox", call: Call) -> dict[str, Any]:
    attendee = call.json_object().get("courseAttendee")
    if not isinstance(attendee, dict):
        raise Refused(400, "LESS_THAN_MIN_OCCURANCE", "The object courseAttendee is missing.")
    required = ["email", "firstName"] + ["lastName"] * sandbox.switches.last_name_required
    for key in required:
        if not attendee.get(key):
            raise Refused(400, "LESS_THAN_MIN_OCCURANCE", f"The parameter {key} is missing.")
    for key in ("email", "firstName", "lastName", "courseId", "password"):
        if not isinstance(attendee.get(key, ""), str):
            raise Refused(400, "INVALID_INPUT", f"The parameter {key} is not a string.")
    if type(expiry := attendee.get("expiryTime", 0)) is not int or abs(expiry) >= 10**15:
        raise Refused(400, "INVALID_INPUT", "The parameter expiryTime is not a number.")
    extra = sorted(attendee.keys() - INVITATION_KEYS)
    if extra:
        raise Refused(400, "EXTRA_PARAM_FOUND", f"Unknown parameter {extra[0][:40]}.")
    if not EMAIL.fullmatch(attendee["email"].strip()):
        code = "INVALID_EMAIL" if sandbox.switches.invalid_email == "code" else "PATTERN_NOT_MATCHED"
        raise Refused(400, code, "The e-mail address is not valid.")
    return attendee


def _course_to_invite_to(sandbox: "Sandbox", course_id: str) -> Course | None:
    course = sandbox.academy.courses.get(course_id)
    if course is None and sandbox.switches.unknown_course == "404":
        raise _not_found("course")
    if course is None and sandbox.switches.unknown_course == "400":
        raise Refused(400, "INVALID_COURSE", "The course does not exist.")
    return course


def _refuse_repeated_invitation(sandbox: "Sandbox", course: Course | None, email: str, now_ms: int) -> None:
    switches, academy = sandbox.switches, sandbox.academy
    member = course.members.get(email.lower()) if course else None
    ended = member is not None and member.ended_ms(now_ms) is not None
    if member is not None and not ended and switches.already_enrolled == "error":
        raise Refused(400, "ALREADY_ENROLLED", "The learner is already enrolled in this course.")
    if ended and switches.revoked_reinvited == "error":
        raise Refused(400, "ACCESS_REVOKED", "The learner's access to this course was revoked.")
    if 0 < switches.learner_limit <= len(academy.learners) and email.lower() not in academy.learners:
        raise Refused(400, "LIMIT_EXCEEDED", "The academy has no seat left.")


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
        raise _not_found("course")
    return course


def _member_of_course(sandbox: "Sandbox", call: Call) -> tuple[Member, Standing]:
    member = sandbox.academy.members.get(call.ids[2])
    if member is None or member.course.id != call.ids[1]:
        raise _not_found("course member")
    return member, sandbox.academy.standing(member, call.at_ms)


def _not_found(what: str) -> Refused:
    return Refused(404, "RESOURCE_NOT_FOUND", f"The {what} does not exist.")


def _skew(sandbox: "Sandbox") -> int:
    return sandbox.switches.clock_skew_seconds
