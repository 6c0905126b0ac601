"""The checks of an academy that act: each is run only after a person has said yes to its question."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from coursehub.emails import normalize
from coursehub.trainercentral import errors, lenient_values
from coursehub.trainercentral.codes import ALREADY_ENROLLED
from coursehub.trainercentral.probe.calls import PROBE_NAMES, Asked, Finding, Probe
from coursehub.trainercentral.records import REVOKED

_NARROW_SCOPE = "TrainerCentral.userapi.READ"
_REFRESHES, _CALLS = 21, 35
_DEFAULT_LIMIT = 30  # the sandbox's calls per minute, those of the vendor's closest relative of this API
_MOST_THROTTLES, _MOST_PAGES = 5, 500
_DOCUMENTED_MINTS = 10  # per refresh token and 10 minutes


@dataclass(frozen=True, slots=True)
class Act:
    """A check that acts. `needs` names the option without which it cannot run, or is ''."""

    key: str
    question: str
    needs: str
    run: Callable[[Probe], Iterator[Finding]]


def client_credentials(probe: Probe) -> Iterator[Finding]:
    """Tokens without any refresh token, and with such a narrow one the answer to a missing scope."""
    assumption = "Client credentials give access tokens for TrainerCentral's scopes."
    missing = "A missing scope is told apart from a token that is not valid."
    try:
        token = probe.accounts.client_credentials(_NARROW_SCOPE).access_token
    except errors.OAuthError as refused:
        yield Finding("client_credentials", assumption, False, refused.detail)
        yield Finding("scope_missing", missing, None, "no token without the scope could be had")
        return
    answer, error = probe.ask("GET", "/fetchuserdetails.json", token=token, params={"email": "nobody@example.org"})
    taken = answer.status in (200, 404)
    yield Finding("client_credentials", assumption, taken, "taken" if taken or error is None else error.detail)
    _, error = probe.ask("GET", "/courses.json", token=token, expects=("courses",))
    yield Finding("scope_missing", missing, isinstance(error, errors.ScopeMissing), error.detail if error else "taken")
    probe.accounts.revoke(token)


def invitations(probe: Probe) -> Iterator[Finding]:
    """An unknown course, a malformed address, the same learner twice, and the way back."""
    email, course_id = probe.plan.email, probe.course_id()
    yield _unknown_course(probe, email)
    _, error = _invite(probe, course_id, "no-address")
    held = isinstance(error, errors.Refused)
    yield Finding("bad_email", "A malformed address is refused.", held, error.detail if error else "taken")
    answer, error = _invite(probe, course_id, email)
    member_id = _member_id(answer.json)
    switches = {"invited_status": "201"} if answer.status == 201 else {}
    seen = error.detail if error else f"HTTP {answer.status}, member id {'given' if member_id else 'missing'}"
    assumption = "An invitation is answered with the course member."
    facts = {"invited_status": str(answer.status)} if member_id else {}
    yield Finding("invited", assumption, bool(member_id), seen, {}, switches, facts)
    yield _second_invitation(probe, course_id, email, member_id)
    member = _find(probe, email)
    yield _pending(member)
    if member is None and not member_id:
        yield Finding("revoked", "Access can be revoked.", None, "no member to revoke; please look by hand")
        return
    member_id = member_id or lenient_values.first(member or {}, "courseMembersId", "id")
    path, body = f"/updateCourseAttendee/{member_id}.json", {"courseMembers": [{"status": int(REVOKED)}]}
    _, error = probe.ask("PUT", path, json=body)
    status = lenient_values.text((_find(probe, email) or {}).get("status"))
    seen = error.detail if error else f"status {status or 'not listed'}"
    yield Finding("revoked", "Access can be revoked, and shows as status 51.", status == REVOKED, seen)


def _invite(probe: Probe, course_id: str, email: str) -> Asked:
    attendee = {"email": email, "firstName": PROBE_NAMES[0], "lastName": PROBE_NAMES[1], "courseId": course_id}
    expects = ("courseMember", "portalMember")
    return probe.ask("POST", "/addCourseAttendee.json", json={"courseAttendee": attendee}, expects=expects)


def _member_id(body: object) -> str:
    return lenient_values.first((lenient_values.rows(body, "courseMember") or [{}])[0], "courseMembersId", "id")


def _find(probe: Probe, email: str) -> dict[str, Any] | None:
    """The learner's row among the course's members, on whatever page."""
    start = 0
    for _ in range(_MOST_PAGES):
        page = probe.members(si=start)
        found = (row for row in page if normalize(lenient_values.text(row.get("email"))) == normalize(email))
        if (row := next(found, None)) is not None or not page:
            return row
        start += len(page)
    return None


def _unknown_course(probe: Probe, email: str) -> Finding:
    assumption = "An invitation to an unknown course is answered as not found."
    answer, error = _invite(probe, "1", email)
    if error is None:
        switches, seen = {"unknown_course": "silent"}, "taken, into the academy only"
    else:
        style = "showtime500" if answer.status >= 500 else "400"
        switches, seen = ({"unknown_course": style} if isinstance(error, errors.Refused) else {}), error.detail
    not_found = isinstance(error, errors.NotFound)
    facts = {"unknown_course": "404"} if not_found else switches
    return Finding("unknown_course", assumption, not_found, seen, {}, switches, facts)


def _second_invitation(probe: Probe, course_id: str, email: str, member_id: str) -> Finding:
    answer, error = _invite(probe, course_id, email)
    if error is None:
        same = _member_id(answer.json) == member_id
        seen = "taken, with the same member id" if same else "taken, with another member id"
    else:
        same, seen = False, error.detail
    known = isinstance(error, errors.Refused) and error.code == ALREADY_ENROLLED
    switches = {"already_enrolled": "error"} if known else {}
    facts = switches or ({"already_enrolled": "ok"} if same else {})
    return Finding("invited_twice", "A second invitation makes no second member.", same, seen, {}, switches, facts)


def _pending(member: dict[str, Any] | None) -> Finding:
    assumption = "A learner who has not accepted yet is among the course's members, with status 0."
    if member is None:
        unlisted = {"pending_listed": False}
        return Finding("pending", assumption, False, "not listed", {}, unlisted, dict(unlisted))
    status = lenient_values.text(member.get("status"))
    switches = {} if status == "0" else {"pending_status": status}
    facts = {"pending_listed": True} | ({"pending_status": status} if status else {})
    return Finding("pending", assumption, status == "0", f"listed, status {status or 'missing'}", {}, switches, facts)


def refreshes(probe: Probe) -> Iterator[Finding]:
    """How often one refresh token is good, on a token made for this and revoked afterwards."""
    accounts, plan = probe.accounts, probe.plan
    token = accounts.exchange_code(plan.code).refresh_token
    uses, throttled_after = 0, list[int]()
    try:
        while uses < _REFRESHES and len(throttled_after) < _MOST_THROTTLES:
            try:
                accounts.refresh(token)
                uses += 1
            except errors.MintThrottled as error:
                throttled_after.append(uses)
                plan.sleep(error.wait_seconds)
            except errors.InvalidCode:
                break
    finally:
        accounts.revoke(token)
    yield _uses(uses, plan.max_uses, gave_up=len(throttled_after) >= _MOST_THROTTLES)
    mints = throttled_after[0] if throttled_after else 0
    seen = f"throttled after {mints}" if throttled_after else f"{uses} without a throttle"
    switches = {} if mints == _DOCUMENTED_MINTS else {"mints_per_10_minutes": mints}
    assumption = f"{_DOCUMENTED_MINTS} access tokens may be asked for in 10 minutes."
    facts = {"mints_per_10_minutes": mints}
    yield Finding("mint_throttle", assumption, mints == _DOCUMENTED_MINTS, seen, {}, switches, facts)


def _uses(uses: int, max_uses: int, *, gave_up: bool) -> Finding:
    assumption = f"A refresh token is good for {max_uses or 'any number of'} refreshes."
    if gave_up:
        return Finding("refresh_uses", assumption, None, f"throttled again and again after {uses} refreshes")
    found = 0 if uses >= _REFRESHES else uses  # 0: no limit
    settings: dict[str, int] = {} if found == max_uses else {"TOKEN_MAX_USES": found}
    if settings and found:
        settings["TOKEN_RETIRE_AT_USES"] = max(1, found - 2)
    switches = {"max_uses_per_refresh_token": found} if found else {}
    seen = f"{uses} refreshes, and no limit met" if not found else f"refused after {uses} refreshes"
    return Finding("refresh_uses", assumption, not settings, seen, settings, switches, {"refresh_uses": found})


def rate_limit(probe: Probe) -> Iterator[Finding]:
    """What happens to the calls beyond the limit, and for how long."""
    budget, path, began = probe.plan.calls_per_minute, f"/courses/{probe.course_id()}.json", time.monotonic()
    assumption = f"{budget or _CALLS} calls a minute are within the academy's limit."
    for made in range(_CALLS):
        _, error = probe.ask("GET", path, expects=("course",), paced=False)
        if isinstance(error, errors.Throttled):
            probe.plan.on_throttled(error.wait_seconds)
            told = "told" if error.wait_told else "not told"
            seen = f"throttled after {made} calls: {error.detail}; wait {error.wait_seconds:.0f} s ({told})"
            switches = {} if made == _DEFAULT_LIMIT else {"calls_per_minute": made}
            enough = 0 < budget <= made
            settings = {} if enough else {"TRAINERCENTRAL_CALLS_PER_MINUTE": max(1, made * 4 // 5)}
            facts = {"throttled_at_per_minute": made} if made else {}
            yield Finding("rate_limit", assumption, enough, seen, settings, switches, facts)
            return
        if error is not None:
            raise error
    seen = f"{_CALLS} calls in {time.monotonic() - began:.0f} s, none throttled"
    yield Finding("rate_limit", assumption, True, seen, {}, {"calls_per_minute": 0})


ACTING = (
    Act("client_credentials", "Ask Zoho for an access token by client credentials?", "", client_credentials),
    Act(
        "invitations",
        "Invite that address to the course (it gets e-mails), then revoke its access?",
        "email",
        invitations,
    ),
    Act(
        "refreshes", f"Refresh a token set made from the code {_REFRESHES} times (may take 30 min)?", "code", refreshes
    ),
    Act(
        "rate_limit",
        f"Make {_CALLS} calls at once? The academy may lock everybody's calls out for minutes.",
        "",
        rate_limit,
    ),
)
