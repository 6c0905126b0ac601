"""The TrainerCentral API: one method per operation that the product needs."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from coursehub.emails import normalize
from coursehub.trainercentral import errors, invited, lenient_values
from coursehub.trainercentral.caller import Caller, TokenProvider, nobody
from coursehub.trainercentral.codes import ALREADY_ENROLLED
from coursehub.trainercentral.fields import PercentColumn
from coursehub.trainercentral.outcomes import Acting
from coursehub.trainercentral.profile import AnswerKind, Meaning, Profile, nothing_learnt
from coursehub.trainercentral.records import (
    LEARNER_ROLE,
    REVOKED,
    Course,
    Invited,
    Learner,
    Member,
    MemberPage,
    Portal,
    Report,
)
from coursehub.trainercentral.responses import Answer, objects
from coursehub.trainercentral.transport import Transport

logger = logging.getLogger(__name__)

_COURSE, _MEMBERS = "course", "courseMembers"


class TrainerCentralClient:
    """Calls the API of one academy; safe to share between threads.

    Every method raises errors of `coursehub.trainercentral.errors` only, apart from what `before_call`
    raises. `before_call(endpoint, method)` runs before every attempt, resends included, and may wait.
    Calls that only read are repeated with full jitter on Unreachable and Unanswered until
    `retry_deadline_seconds` have passed; calls that act only on Unreachable.

    `profile()` says what was learnt about the academy; `on_answer(kind, sample)` is told of answers to
    calls that act whose kind means nothing to the client. The sample is redacted. `after_call(endpoint,
    error)` is told of the outcome of every attempt. What these three raise is logged and passed over.
    """

    def __init__(
        self,
        base_url: str,
        org_id: str,
        tokens: TokenProvider,
        *,
        connect_timeout_seconds: float = 5.0,
        read_timeout_seconds: float = 15.0,
        retry_deadline_seconds: float = 30.0,
        before_call: Callable[[str, str], None] | None = None,
        after_call: Callable[[str, errors.TrainerCentralError | None], None] = nobody,
        profile: Callable[[], Profile] = Profile,
        on_answer: Callable[[AnswerKind, dict[str, Any]], None] = nothing_learnt,
    ) -> None:
        self._transport = Transport(
            base_url, connect_timeout_seconds=connect_timeout_seconds, read_timeout_seconds=read_timeout_seconds
        )
        hook = before_call or (lambda endpoint, method: None)
        self._caller = Caller(
            self._transport,
            tokens,
            retry_deadline_seconds=retry_deadline_seconds,
            before_call=hook,
            after_call=after_call,
        )
        self._org_id = org_id
        self._percents = PercentColumn()
        self._profile, self._on_answer = profile, on_answer
        self._root = f"/api/v4/{_part(org_id)}"

    def __repr__(self) -> str:
        return f"<TrainerCentralClient {self._transport.base_url} org {self._org_id}>"

    def close(self) -> None:
        """Close the pooled connections; the client can still be used."""
        self._transport.close()

    def _pages(self, endpoint: str, path: str, *rest: Any, **options: Any) -> Iterator[list[dict[str, Any]]]:
        return self._caller.pages(endpoint, self._root + path, *rest, **options)

    def _call(self, method: str, endpoint: str, path: str, **content: Any) -> Answer:
        return self._caller.call(method, endpoint, f"{self._root}{path}", **content)

    # --- Courses (help article "view-all-courses") ------------------------------------------------

    def list_courses(self, *, page_size: int = 50) -> list[Course]:
        """All courses of the academy."""
        pages = self._pages("courses.json", "/courses.json", {}, "courses", page_size, total_key="totalCourseCount")
        return [Course.read(row) for page in pages for row in page]

    def get_course(self, course_id: str) -> Course:
        """One course. Raises NotFound."""
        answer = self._call("GET", "courses/<id>.json", f"/courses/{_part(course_id)}.json", expects=(_COURSE,))
        return Course.read((lenient_values.rows(answer.json, _COURSE) or [{}])[0])

    # --- Course members (help article "how-do-i-get-coursememberid") -------------------------------

    def iter_member_pages(
        self, course_id: str, *, newest_first: bool = False, page_size: int = 100, start: int = 0
    ) -> Iterator[list[Member]]:
        """The learners of a course from row `start`, a page per call, until the server has no more.

        `newest_first` asks for the order by time of last change; which end comes first is not
        documented, so a caller that stops early needs a full sweep now and then.
        """
        for page in self._member_pages(course_id, newest_first, page_size, start):
            yield page.members

    def member_page(
        self, course_id: str, *, newest_first: bool = False, page_size: int = 100, start: int = 0
    ) -> MemberPage:
        """One page of `iter_member_pages`, with how many rows the server listed; without any at the end."""
        pages = self._member_pages(course_id, newest_first, page_size, start)
        return next(pages, MemberPage(0, []))

    def _member_pages(self, course_id: str, newest_first: bool, page_size: int, start: int) -> Iterator[MemberPage]:
        params = {"filter": LEARNER_ROLE} | ({"sort": 1} if newest_first else {})
        path = f"/course/{_part(course_id)}/courseMembers.json"
        for rows in self._pages("course/<id>/courseMembers.json", path, params, _MEMBERS, page_size, start=start):
            percent = self._percents.reader(rows)
            members = [Member.read(row, percent=percent) for row in rows]
            learners = [member for member in members if member.member_id and member.role in (LEARNER_ROLE, "")]
            yield MemberPage(len(rows), learners, tuple(member.member_id for member in members))

    def iter_course_members(
        self, course_id: str, *, newest_first: bool = False, page_size: int = 100
    ) -> Iterator[Member]:
        """As `iter_member_pages`, one by one. Rows that move while they are read may come twice."""
        for page in self.iter_member_pages(course_id, newest_first=newest_first, page_size=page_size):
            yield from page

    def course_engagement(self, course_id: str, member_id: str) -> Report:
        """What one learner did in a course (help article "learner-course-report")."""
        return self._report("courseEngagement", course_id, member_id)

    def test_report(self, course_id: str, member_id: str) -> Report:
        """One learner's tests in a course (same article)."""
        return self._report("testReport", course_id, member_id)

    def _report(self, name: str, course_id: str, member_id: str) -> Report:
        path = f"/course/{_part(course_id)}/courseMember/{_part(member_id)}/{name}.json"
        answer = self._call("GET", f"course/<id>/courseMember/<id>/{name}.json", path, expects=(name,))
        return Report(member_id, answer.json)

    # --- Learners ---------------------------------------------------------------------------------

    def invite(
        self, *, course_id: str, email: str, first_name: str, last_name: str, expires_at_ms: int | None = None
    ) -> Invited:
        """Invite one learner to a course (help article "invite-learner-to-course-api").

        Never repeated once it may have arrived. `already_enrolled` is True when the server refused with
        that reason, or when the enrolment it shows has progress, which a fresh one cannot have; its
        `invitedTime` proves nothing, since inviting again may renew it. Raises Unclear and OutcomeUnknown
        when only a read-back can tell, NotFound for an unknown course, Refused with the server's own
        sentence, or with ours when a name is missing (nothing is sent then); Stopped.
        """
        if not first_name.strip() or not last_name.strip():
            raise errors.Refused("a name is missing", "The learner's first or last name is missing.")
        attendee = {"email": email, "firstName": first_name, "lastName": last_name, "courseId": course_id}
        if expires_at_ms is not None:
            attendee |= {"expiryTime": expires_at_ms}  # type: ignore[dict-item]  # the one number among strings
        endpoint, names = "addCourseAttendee.json", (email, first_name, last_name, course_id)
        act = self._acting(endpoint, lambda answer: invited.is_proven(answer.json, email), names)
        try:
            answer = self._call("POST", endpoint, f"/{endpoint}", json={"courseAttendee": attendee}, judge=act.error)
        except errors.Refused as refusal:
            if refusal.code != ALREADY_ENROLLED:
                raise
            return Invited("", "", True)
        return invited.read(answer.json, email)

    def revoke_access(self, member_id: str) -> None:
        """End a learner's access to one course (help article "revoke-learner-s-access-to-a-course").

        Its success is not documented: any 2xx is one that is empty, or JSON without code or failure.
        """
        endpoint = "updateCourseAttendee/<id>.json"
        act = self._acting(endpoint, lambda answer: not answer.text or answer.json is not None, (member_id,))
        path = f"/updateCourseAttendee/{_part(member_id)}.json"
        body = {"courseMembers": [{"status": int(REVOKED)}]}
        self._call("PUT", endpoint, path, json=body, judge=act.error)

    def _acting(self, endpoint: str, is_proven: Callable[[Answer], bool], names: tuple[str, ...]) -> Acting:
        return Acting(endpoint, is_proven, names, self._meanings, self._tell)

    def _meanings(self) -> Mapping[str, Meaning]:
        """What was learnt. The call has been made: whatever happens here, its answer must not be lost."""
        try:
            return self._profile().meanings
        except Exception as failure:
            logger.warning("The academy's profile could not be read (%s)", type(failure).__name__)
            return {}

    def _tell(self, kind: AnswerKind, sample: dict[str, Any]) -> None:
        try:
            self._on_answer(kind, sample)
        except Exception as failure:
            logger.warning("An answer's kind could not be kept (%s)", type(failure).__name__)

    def find_learner(self, email: str) -> Learner | None:
        """The academy's learner with this e-mail address, or None (help article "get-learner-info")."""
        params = {"email": email, "fetchSignupData": "false"}
        try:
            answer = self._call("GET", "fetchuserdetails.json", "/fetchuserdetails.json", params=params)
        except errors.NotFound:  # the answer to an unknown address is not documented
            return None
        if answer.body.strip() and answer.json is None:
            raise errors.Unexpected("fetchuserdetails.json: the body is not JSON")
        found = (Learner.read(row) for _, row in objects(answer.json))
        return next((learner for learner in found if normalize(learner.email) == normalize(email)), None)

    def list_portal_members(self, *, page_size: int = 100) -> list[Learner]:
        """All learners of the academy (help article "get-academy-learners-api")."""
        pages = self._pages("portalMembers.json", "/portalMembers.json", {"type": 5}, "portalMembers", page_size)
        return [Learner.read(row) for page in pages for row in page]

    def list_portals(self) -> list[Portal]:
        """The academies of the account behind the token; works without an org id."""
        answer = self._caller.call("GET", "org/portals.json", "/api/v4/org/portals.json", expects=("portals",))
        return [Portal.read(row) for row in lenient_values.rows(answer.json, "portals") or []]


def _part(identifier: str) -> str:
    """One part of a path; whatever it holds, it stays one part. Raises Refused for what is no id."""
    if not identifier or identifier in (".", ".."):
        raise errors.Refused("an empty id", "The id is empty.")
    return quote(identifier, safe="", errors="replace")
