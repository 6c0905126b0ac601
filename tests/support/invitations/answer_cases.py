"""Answers to an invitation that the authors of the sending did not choose, and what may be made of each.

`Reads` says what an answer looks like to whoever knows nothing else; whether the call acted is another question, which
the matrix asks for each case both ways.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coursehub.trainercentral.profile import Meaning

Entry = dict[str, Any]
_PAGE = "<html><head><title>Sign in</title></head><body><form action='/signin'>Zoho Accounts</form></body></html>"
# A member id that is nobody's: what an answer holds whose call did not act.
NOBODY = "3000094000009999999"


class Reads(StrEnum):
    """What an answer says, taken at its word."""

    INVITED = "the learner is in the course"
    THERE = "the learner was in the course before"
    REFUSED = "this learner is not taken"
    OPEN = "nothing that could be relied on"
    DENIED = "the token, or whoever is behind it, may not do this"
    WAITS = "too many calls"


@dataclass(frozen=True)
class Case:
    """One answer, given to all odd learners of a batch, for ever. `loud`: it holds up other batches as well."""

    name: str
    reads: Reads
    answer: dict[str, Any]
    meaning: Meaning | None = None  # what an administrator says of it before the batch is sent

    @property
    def loud(self) -> bool:
        return self.reads is Reads.WAITS or self.meaning is Meaning.WAIT or "token" in self.name


def _of(reads: Reads, **answers: dict[str, Any]) -> list[Case]:
    return [Case(name.replace("_", "-"), reads, answer) for name, answer in answers.items()]


def _json(body: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": body, **more}


def _text(text: str, status: int = 200, **headers: str) -> dict[str, Any]:
    return {"status": status, "body": text, "headers": {name.replace("_", "-"): held for name, held in headers.items()}}


def _code(code: str, status: int = 200, message: str = "Something is the matter.", **headers: str) -> dict[str, Any]:
    return {**_text("", status, **headers), "body": {"errors": [{"errorCode": code, "message": message}]}}


_MEMBER = {"id": "{member_id}", "courseMembersId": "{member_id}", "courseId": "{course_id}", "role": "3", "status": "0"}
_PERSON = {"id": "3000094000008888888", "orgMemberId": "3000094000008888888", "email": "{email}"}
_WHOLE = {"courseMember": [_MEMBER], "portalMember": _PERSON}
_OTHER = {"id": NOBODY, "courseMembersId": NOBODY, "email": "somebody.else@example.org"}

INVITED = _of(
    Reads.INVITED,
    documented=_json(_WHOLE),
    created=_json(_WHOLE, 201),
    accepted_whole=_json(_WHOLE, 202),
    list=_json([_MEMBER]),
    object=_json(_MEMBER),
    data=_json({"data": _WHOLE, "status": {"code": 200, "description": "success"}}),
    courseMembers=_json({"courseMembers": [_MEMBER]}),
    deep=_json({"response": {"result": {"data": {"items": [{"member": _MEMBER}]}}}}),
    address=_json({"status": "success", "learner": {"email": "{email}"}}),
    bulk=_json({"summary": {"success": 1, "failed": 0}, "data": [{"email": "{email}", "status": "invited"}]}),
    code_success=_json({"code": "SUCCESS", "message": "Invited.", "details": {"courseMembersId": "{member_id}"}}),
    text_html=_json(_WHOLE) | {"headers": {"X-Powered-By": "Zoho"}},
)

OPEN_2XX = _of(
    Reads.OPEN,
    accepted=_json({}, 202),
    job=_json({"jobId": "9876", "state": "queued"}, 202),
    no_content=_text("", 204),
    reset_content=_text("", 205),
    empty=_text(""),
    blank=_text(" \n"),
    login_page=_text(_PAGE),
    xml=_text("<?xml version='1.0'?><response><result>ok</result></response>"),
    status_success=_json({"status": "success"}),
    portal_only=_json({"portalMember": _PERSON}),
    empty_list=_json({"courseMember": [], "portalMember": _PERSON}),
    null_member=_json({"courseMember": None, "portalMember": None}),
    unknown_code=_code("ST_41"),
    unknown_code_beside=_json({**_WHOLE, "code": "ST_42"}),
    error_code=_json({"code": "INVITATION_ERROR", "message": "Something is the matter."}),
    failure=_json({"status": "failure", "message": "Something is the matter."}),
    success_false=_json({"success": False}),
    failed_list=_json({"success": [], "failed": ["{email}"]}),
    registered_200=_code("ALREADY_REGISTERED"),
    cut_off=_text('{"courseMember":[{"id":"30000940000'),
    number=_json(1),
    string=_json("OK"),
    nothing=_json(None),
    true=_json(True),
    empty_array=_json([]),
    multi_status=_json({"responses": [{"status": 200}]}, 207),
    huge=_json({"log": ["x" * 1000] * 200}),
    not_gzip=_text('{"courseMember":[]}', 200, Content_Encoding="gzip"),
    mojibake=_text("ï¿½ï¿½\x00\x01"),
)

OPEN_OTHERS = _of(
    Reads.OPEN,
    moved=_text(_PAGE, 301, Location="/signin"),
    found=_text("", 302, Location="/signin"),
    see_other=_text("", 303, Location="/signin"),
    not_modified=_text("", 304),
    same_method=_text("", 307, Location="/elsewhere"),
    timeout=_text("", 408),
    conflict=_text("", 409),
    conflict_registered=_code("ALREADY_REGISTERED", 409),
    too_early=_text("", 425),
    client_closed=_text("", 499),
    registered_400=_code("ALREADY_REGISTERED", 400),
    registered_500=_code("ALREADY_REGISTERED", 500),
    exists_in_words=_json({"message": "The user already exists."}, 400),
    empty_500=_text("", 500),
    general_failure=_json({"errors": [{"errorCode": "ST_01", "title": "GENERAL_FAILURE"}]}, 500),
    general_failure_400=_json({"code": "ST_01", "title": "GENERAL_FAILURE"}, 400),
    unknown_500=_code("ST_77", 500),
    internal_error=_code("INTERNAL_ERROR", 500),
    not_implemented=_text("", 501),
    bad_gateway=_text("<html><h1>502 Bad Gateway</h1></html>", 502),
    unavailable=_text("", 503, Retry_After="3"),
    gateway_timeout=_text("<html><h1>504 Gateway Time-out</h1></html>", 504),
    unknown_error=_text("error code: 520", 520),
    reset={"fault": "reset"},
    truncated=_json(_WHOLE, fault="truncated"),
)
SILENT = _of(Reads.OPEN, silent={"fault": "timeout"})

THERE = _of(
    Reads.THERE,
    enrolled_200=_code("ALREADY_ENROLLED"),
    enrolled_400=_code("ALREADY_ENROLLED", 400),
    enrolled_409=_code("ALREADY_ENROLLED", 409),
    enrolled_500=_code("ALREADY_ENROLLED", 500),
)

REFUSED = _of(
    Reads.REFUSED,
    invalid_email=_code("INVALID_EMAIL", 400),
    invalid_email_200=_code("INVALID_EMAIL"),
    unknown_400=_code("ST_43", 400),
    empty_400=_text("", 400),
    payment=_text("", 402),
    not_found=_code("RESOURCE_NOT_FOUND", 404),
    not_found_page=_text("<html><h1>404 Not Found</h1></html>", 404),
    method=_text("", 405),
    gone=_text("", 410),
    too_large=_text("<html>413 Request Entity Too Large</html>", 413),
    media_type=_text("", 415),
    teapot=_text("I'm a teapot", 418),
    unprocessable=_json({"errors": {"email": ["is not deliverable"]}}, 422),
    legal=_text("", 451),
    course_gone_500=_json({"errors": [{"errorCode": "ST_94", "title": "INVALID_COURSE"}]}, 500),
    limit=_code("LIMIT_EXCEEDED", 400),
)

DENIED = _of(
    Reads.DENIED,
    forbidden=_text("", 403),
    forbidden_page=_text("<html><h1>Request blocked</h1></html>", 403),
    unauthorised=_code("UNAUTHORISED", 403),
    scope=_code("INVALID_OAUTHSCOPE", 401),
    scope_in_words=_json({"message": "invalid oauth scope to access this URL"}, 401),
    no_such_path=_code("URL_RULE_NOT_CONFIGURED", 404),
    token_bare=_text("", 401),
    token_page=_text(_PAGE, 401),
    token_invalid=_code("INVALID_OAUTHTOKEN", 401),
    token_challenge=_text("", 401, WWW_Authenticate='Bearer error="invalid_token"'),
    token_400=_code("AUTHENTICATION_FAILURE", 400),
    token_200=_code("INVALID_TOKEN"),
    token_500=_code("INVALID_OAUTHTOKEN", 500),
)

WAITS = _of(
    Reads.WAITS,
    throttle=_text("", 429),
    throttle_past=_text("", 429, Retry_After="Mon, 01 Jan 2001 00:00:00 GMT"),
    throttle_absurd=_text("", 429, Retry_After="99999999999"),
    throttle_words=_text("", 429, Retry_After="soon"),
    throttle_zero=_text("", 429, Retry_After="0"),
    throttle_code=_code("URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", 400, "Try again after 2 minutes."),
    throttle_200=_code("URL_ROLLING_THROTTLES_LIMIT_EXCEEDED"),
    throttle_sentence=_json({"message": "Too many requests"}, 400),
)

# Answers that name somebody: whether they do decides, not the status or what stands around it.
OF_SOMEBODY_ELSE = _of(Reads.OPEN, somebody_else=_json({"courseMember": [_OTHER]}))
UPPER = _of(Reads.INVITED, upper_case=_json({"result": {"emailId": "{EMAIL}"}}))

ALL = [*INVITED, *UPPER, *OPEN_2XX, *OF_SOMEBODY_ELSE, *OPEN_OTHERS, *SILENT, *THERE, *REFUSED, *DENIED, *WAITS]

# One answer of two is enough between two soaks, and one that nobody answers in time, or that asks to wait, of three.
SOME = [*(case for case in ALL if case.reads is not Reads.WAITS)][::2] + WAITS[::3]


def groups(cases: list[Case], size: int) -> list[list[Case]]:
    """`size` cases at a time; those that hold others up are by themselves, each sort of them together."""
    quiet = [case for case in cases if not case.loud]
    waits = [case for case in cases if case.loud and case.reads is not Reads.DENIED]
    tokens = [case for case in cases if case.loud and case.reads is Reads.DENIED]
    return [group for group in (*(quiet[at : at + size] for at in range(0, len(quiet), size)), waits, tokens) if group]


def hidden(cases: list[Case]) -> list[Case]:
    """Those of which a reader may doubt that they acted: where nobody can be found, only these can be told apart."""
    return [case for case in cases if case.reads in (Reads.INVITED, Reads.OPEN, Reads.THERE)]


def decided() -> list[Case]:
    """Unknown kinds of which an administrator has said something, right or wrong, before the batch is sent."""
    return [
        Case(f"{status}-{meaning.value.replace('_', '-')}", Reads.OPEN, _code(f"ST_{status + number}", status), meaning)
        for number, meaning in enumerate(Meaning)
        for status in (200, 400, 409, 500)
    ]


def script_of(case: Case, emails: list[str], pattern: str, *, acts: bool, times: int | None = None) -> list[Entry]:
    """Entries of the sandbox's switch `invitation_answers` that answer `emails`, whom `pattern` fits, with `case`.

    `times`: how many calls are so answered (None: all).
    """
    answer = {**case.answer, "acts": acts} | ({} if times is None else {"times": times})
    if not acts:
        answer = _filled(answer, "{member_id}", NOBODY)
    if "{EMAIL}" not in str(answer):
        return [{**answer, "for": pattern}]
    return [{**_filled(answer, "{EMAIL}", email.upper()), "for": email} for email in emails]


def _filled(value: Any, mark: str, text: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(held, mark, text) for key, held in value.items()}
    if isinstance(value, list):
        return [_filled(held, mark, text) for held in value]
    return value.replace(mark, text) if isinstance(value, str) else value
