"""The endpoint that invites: what it takes, what it does, and the answers that switches put in place of its own."""

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from coursehub.sandbox import serializers, shapes
from coursehub.sandbox.academy import Course
from coursehub.sandbox.http import Answer, Call, Refused

if TYPE_CHECKING:
    from coursehub.sandbox.sandbox import Sandbox

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
ENDPOINT = "POST addCourseAttendee.json"
INVITATION_KEYS = {
    *("email", "firstName", "lastName", "courseId", "password", "expiryTime"),
    *("isAccessGranted", "sessionId", "expiryDuration"),  # not documented, but seen in use
}
_NO_IDS = {"member_id": "", "org_member_id": ""}


def invite(sandbox: "Sandbox", call: Call) -> Answer:
    """POST addCourseAttendee.json: to a course, or without courseId to the academy only."""
    attendee = _attendee(sandbox, call)
    email, course_id = attendee["email"].strip(), attendee.get("courseId") or ""
    call.detail = f"course {course_id or '-'}, {email}"
    entry = _take_scripted(sandbox, email.lower())
    if entry is not None:
        whole = _act(sandbox, call, attendee) if entry.get("acts") else {}
        return shapes.scripted(entry, {"email": email, "course_id": course_id, **_ids(whole)})
    if any(fnmatchcase(email.lower(), pattern.lower()) for pattern in sandbox.switches.forbidden_learners):
        raise Refused(403, "UNAUTHORISED", "You may not invite this learner.")
    course = _course_to_invite_to(sandbox, course_id) if course_id else None
    _refuse_repeated_invitation(sandbox, course, email, call.at_ms)
    shape, status = sandbox.switches.invited_shape, int(sandbox.switches.invited_status)
    if not sandbox.switches.invited_acts:
        return shapes.shaped(shape, _made_up(attendee), status)
    return shapes.shaped(shape, _act(sandbox, call, attendee), status)


def posted(sandbox: "Sandbox", call: Call) -> None:
    """Count a call that came as far as the endpoint, whatever becomes of it."""
    try:
        attendee = json.loads(call.body)["courseAttendee"]
        email, course_id = attendee["email"].strip().lower(), attendee.get("courseId") or ""
        sandbox.counters.count_post(str(course_id), email, call.at_ms)
    except (ValueError, TypeError, KeyError, AttributeError):
        return


def _act(sandbox: "Sandbox", call: Call, attendee: dict[str, Any]) -> dict[str, Any]:
    """Invite the learner; returns the documented answer. To an unknown course: into the academy only."""
    email, course = attendee["email"].strip(), sandbox.academy.courses.get(attendee.get("courseId", ""))
    names, skew_seconds = (attendee["firstName"], attendee.get("lastName", "")), sandbox.switches.clock_skew_seconds
    learner = sandbox.academy.find_or_add_learner(email, *names, call.at_ms)
    whole: dict[str, Any] = {"portalMember": serializers.invited_learner_row(learner, sandbox.org_id, skew_seconds)}
    if course is not None:
        member = course.members.get(email.lower()) or sandbox.academy.add_member(course, learner, call.at_ms)
        expires_ms = attendee.get("expiryTime")
        if expires_ms is not None or member.ended_ms(call.at_ms) is not None:
            sandbox.academy.set_access(member, expires_ms=expires_ms)
        standing = serializers.shown(sandbox.switches, sandbox.academy.standing(member, call.at_ms))
        row = serializers.invited_member_row(member, standing, sandbox.org_id, skew_seconds)
        whole = {"courseMember": [row], **whole}
    sandbox.counters.count_invitation(attendee.get("courseId", ""), email.lower(), call.at_ms)
    return whole


def _made_up(attendee: dict[str, Any]) -> dict[str, Any]:
    """What the answer would look like, of a learner who is not there."""
    ids = {"id": "3000094000009999999", "courseMembersId": "3000094000009999999", "orgMemberId": "3000094000008888888"}
    person = {"id": ids["orgMemberId"], "orgMemberId": ids["orgMemberId"], "email": attendee["email"]}
    return {"courseMember": [{**ids, "courseId": attendee.get("courseId", ""), "role": "3"}], "portalMember": person}


def _ids(whole: dict[str, Any]) -> dict[str, str]:
    if not whole:
        return _NO_IDS
    member: dict[str, str] = next(iter(whole.get("courseMember", [])), {})
    return {"member_id": member.get("id", ""), "org_member_id": whole["portalMember"]["id"]}


def _take_scripted(sandbox: "Sandbox", email: str) -> dict[str, Any] | None:
    """The scripted answer to this learner's invitation, used up by one; None without any."""
    script = sandbox.switches.invitation_answers
    for index, entry in enumerate(script):
        if entry.get("times", 1) == 0 or not fnmatchcase(email, entry.get("for", "*").lower()):
            continue
        if "times" in entry:
            left = [{**entry, "times": entry["times"] - 1}] if entry["times"] > 1 else []
            sandbox.set_switches({"invitation_answers": [*script[:index], *left, *script[index + 1 :]]})
        return entry
    return None


def _attendee(sandbox: "Sandbox", call: Call) -> dict[str, Any]:
    attendee = call.json_object().get("courseAttendee")
    if not isinstance(attendee, dict):
        raise Refused(400, "LESS_THAN_MIN_OCCURANCE", "The object courseAttendee is missing.")
    required = ["email", "firstName"] + ["lastName"] * sandbox.switches.last_name_required
    for key in required:
        value = attendee.get(key)
        if not value or (isinstance(value, str) and not value.strip()):
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
    course, message = sandbox.academy.courses.get(course_id), "The course does not exist."
    style = sandbox.switches.unknown_course
    if course is None and style == "404":
        raise Refused(404, "RESOURCE_NOT_FOUND", message)
    if course is None and style == "400":
        raise Refused(400, "INVALID_COURSE", message)
    if course is None and style == "showtime500":
        raise Refused(500, "INVALID_COURSE", message, number="ST_94")
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
