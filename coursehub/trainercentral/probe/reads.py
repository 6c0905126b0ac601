"""What this client assumes of an academy, tried out on a real one: the checks that only read.

Nothing in a Finding is a secret or names a learner.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from coursehub.trainercentral import errors, lenient_values
from coursehub.trainercentral.oauth import ZohoAccounts
from coursehub.trainercentral.outcomes import Acting, error_of_reading, holds_one_of
from coursehub.trainercentral.profile import AnswerKind, nothing_learnt
from coursehub.trainercentral.records import LEARNER_ROLE
from coursehub.trainercentral.responses import Answer
from coursehub.trainercentral.transport import Transport

_NO_TOKEN = f"1000.{'0' * 32}.{'0' * 32}"  # of the right form, and nobody's
_LARGE_PAGE, _DEFAULT_PAGE = 1000, 20
PROBE_NAMES = ("Probe", "CourseHub")  # of the learner who is invited
_NOBODY = "nobody.at.all@example.org"


@dataclass(frozen=True, slots=True)
class Finding:
    """One assumption and what became of it. `held` is None when it was not tried or nothing could be seen.

    `settings` are those of CourseHub to change; `switches` make the sandbox behave as the academy did; `facts` are
    what was found out, held or not, by the names of the academy's profile.
    """

    key: str
    assumption: str
    held: bool | None
    seen: str
    settings: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Plan:
    """What to try, and on whom. `sleep` and the callbacks let the caller pace, pause and be patient."""

    course_id: str = ""
    email: str = ""
    code: str = field(default="", repr=False)
    watch_seconds: float = 0
    calls_per_minute: int = 25
    max_uses: int = 20
    before_call: Callable[[], None] = lambda: None
    on_throttled: Callable[[float], None] = lambda seconds: None
    on_answer: Callable[[AnswerKind, dict[str, Any]], None] = nothing_learnt
    sleep: Callable[[float], None] = time.sleep


Keys: TypeAlias = tuple[str, ...]  # one of which an answer must hold
Asked: TypeAlias = tuple[Answer, errors.TrainerCentralError | None]  # the answer, and the error that it means


class Probe:
    """Raw calls to one academy with one access token, which its repr does not show."""

    def __init__(
        self, base_url: str, org_id: str, token: str, accounts: ZohoAccounts, plan: Plan, *, read_timeout_seconds: float
    ) -> None:
        self._transport = Transport(
            base_url, connect_timeout_seconds=read_timeout_seconds, read_timeout_seconds=read_timeout_seconds
        )
        self._token = token
        self.org_id, self.accounts, self.plan = org_id, accounts, plan

    def __repr__(self) -> str:
        return f"<Probe {self._transport.base_url} org {self.org_id}>"

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    def ask(
        self, method: str, path: str, *, expects: Keys = (), token: str = "", paced: bool = True, **content: Any
    ) -> Asked:
        """One call below the organisation's path, never repeated: the answer, and the error that it means.

        Raises the transport's errors when there is no answer.
        """
        if paced:
            self.plan.before_call()
        acts, token = method != "GET", token or self._token
        root = "/api/v4" if path.startswith("/org/") else f"/api/v4/{quote(self.org_id, safe='')}"
        name = path.rpartition("/")[2]
        authorization = f"Zoho-oauthtoken {token}"
        answer = self._transport.send(method, root + path, call=name, acts=acts, authorization=authorization, **content)
        if acts:
            names = (self.plan.email, self.plan.course_id, *PROBE_NAMES)
            act = Acting(
                name, lambda answer: not expects or holds_one_of(answer, expects), names, tell=self.plan.on_answer
            )
            return answer, act.error(answer, (token,))
        return answer, error_of_reading(answer, call=name, expects=expects, secrets=(token,))

    def rows(self, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of one page. Raises what the answer means."""
        answer, error = self.ask("GET", path, expects=(key,), params=params)
        if error is not None:
            raise error
        return lenient_values.rows(answer.json, key) or []

    def members(self, **params: Any) -> list[dict[str, Any]]:
        """Learners of the course that is probed, one page."""
        window = {"filter": LEARNER_ROLE, "limit": _LARGE_PAGE, "si": 0, **params}
        return self.rows(f"/course/{self.course_id()}/courseMembers.json", "courseMembers", **window)

    def course_id(self) -> str:
        """The course to look at: the one asked for, else the one with most learners. Raises NotFound."""
        if not self.plan.course_id:
            courses = self.rows("/courses.json", "courses", limit=50, si=0)
            if not courses:
                raise errors.NotFound("the academy has no course")
            fullest = max(courses, key=lambda row: lenient_values.whole(row.get("enrolledCount")) or 0)
            self.plan.course_id = lenient_values.first(fullest, "courseId", "id")
        return quote(self.plan.course_id, safe="")


def org_id(probe: Probe) -> Finding:
    """The configured organisation is one of the account's."""
    portals = probe.rows("/org/portals.json", "portals")
    ids = [lenient_values.first(row, "id", "zsoid") for row in portals]
    held = probe.org_id in ids
    settings = {} if held or not ids else {"TRAINERCENTRAL_ORG_ID": ids[0]}
    assumption = "The account behind the token may use the configured organisation."
    return Finding("org_id", assumption, held, f"organisations {', '.join(ids) or 'none'}", settings)


def token_rejected(probe: Probe) -> Finding:
    """A token that is not valid is told apart from a missing scope."""
    answer, error = probe.ask("GET", "/courses.json", token=_NO_TOKEN, expects=("courses",))
    envelope = _envelope(answer)
    switches = {"error_envelope": envelope} if envelope not in ("default", "unknown") else {}
    seen = f"{error.detail if error else 'taken'} (envelope {envelope})"
    held = isinstance(error, errors.TokenRejected)
    facts = {} if envelope == "unknown" else {"error_envelope": envelope}
    return Finding("token_rejected", "A token that is not valid is answered as such.", held, seen, {}, switches, facts)


def _envelope(answer: Answer) -> str:
    body = answer.json
    if isinstance(body, list):
        return "array"
    if not isinstance(body, dict):
        return "unknown"
    if isinstance(body.get("error"), dict):
        return "ok200" if answer.status == 200 else "projects"
    return next(
        (name for key, name in (("errors", "default"), ("data", "mail"), ("code", "crm")) if key in body), "unknown"
    )


def one_course(probe: Probe) -> Finding:
    """The call for a single course, which the vendor's list of calls lacks."""
    _, error = probe.ask("GET", f"/courses/{probe.course_id()}.json", expects=("course",))
    return Finding("one_course", "A single course can be asked for.", error is None, error.detail if error else "yes")


def totals(probe: Probe) -> Finding:
    """Which totals come with lists; the client trusts none of a course's members."""
    keys = {}
    for name, path, query in (
        ("courseMembers", f"/course/{probe.course_id()}/courseMembers.json", {"filter": LEARNER_ROLE}),
        ("portalMembers", "/portalMembers.json", {"type": 5}),
    ):
        answer, error = probe.ask("GET", path, expects=(name,), params={**query, "limit": 1, "si": 0})
        if error is not None:
            raise error
        meta = answer.json.get("meta")
        keys[name] = sorted(meta) if isinstance(meta, dict) else []
    seen = "; ".join(f"{name}: {', '.join(found) or 'no keys'}" for name, found in keys.items())
    return Finding(
        "totals", "Lists of members say how many await access.", "prospectMembersCount" in keys["courseMembers"], seen
    )


def page_limit(probe: Probe) -> Finding:
    """Whether a large `limit` is honoured or capped in silence."""
    assumption, rows = f"A `limit` of {_LARGE_PAGE} is honoured.", len(probe.members())
    if rows < _LARGE_PAGE and probe.members(si=rows):
        facts = {"page_cap": rows, "largest_page": rows}
        return Finding("page_limit", assumption, False, f"capped silently at {rows}", {}, {"limit_cap": rows}, facts)
    seen, facts = f"{rows} rows on one page", {"largest_page": rows} if rows else {}
    return Finding("page_limit", assumption, True if rows > _DEFAULT_PAGE else None, seen, facts=facts)


def sort_by_time(probe: Probe) -> Finding:
    """Which end of `sort=1` comes first."""
    assumption = "With sort=1 the newest change comes first."
    times = [lenient_values.moment_ms(row.get("time")) or 0 for row in probe.members(sort=1)]
    if len(set(times)) < 2:
        return Finding("sort_by_time", assumption, None, f"only {len(times)} learners to compare")
    if times == sorted(times, reverse=True):
        return Finding("sort_by_time", assumption, True, "newest first", facts={"newest_first": True})
    oldest = times == sorted(times)
    switches, facts = ({"sort_1_order": "oldest"} if oldest else {}), {"newest_first": False if oldest else None}
    seen = "oldest first" if oldest else "no order by time"
    return Finding("sort_by_time", assumption, False, seen, {}, switches, facts)


def time_moves(probe: Probe) -> Finding:
    """Whether a member's `time` moves with progress: watched while somebody finishes a lesson."""
    assumption, seconds = "A member's `time` moves with each step of progress.", probe.plan.watch_seconds
    if not seconds:
        return Finding("time_moves", assumption, None, "not watched (--watch-seconds)")
    before = {lenient_values.first(row, "courseMembersId", "id"): row for row in probe.members()}
    probe.plan.sleep(seconds)
    moved = []
    for row in probe.members():
        old = before.get(lenient_values.first(row, "courseMembersId", "id"))
        if old and lenient_values.percent(row.get("completionPercentage")) > lenient_values.percent(
            old.get("completionPercentage")
        ):
            moved.append(
                (lenient_values.moment_ms(row.get("time")) or 0) > (lenient_values.moment_ms(old.get("time")) or 0)
            )
    if not moved:
        return Finding("time_moves", assumption, None, f"nobody progressed within {seconds:g} s")
    switches, facts = (
        ({} if all(moved) else {"time_moves_with_progress": False}),
        {"time_moves_with_progress": all(moved)},
    )
    seen = f"{sum(moved)} of {len(moved)} who progressed"
    return Finding("time_moves", assumption, all(moved), seen, {}, switches, facts)


def reports(probe: Probe) -> Finding:
    """The two reports of one learner, of which no sample is published."""
    assumption, members = "The reports of a learner come under the names of their calls.", probe.members(limit=1)
    if not members:
        return Finding("reports", assumption, None, "the course has no learners")
    member_id, seen, held = quote(lenient_values.first(members[0], "courseMembersId", "id"), safe=""), [], True
    for name in ("courseEngagement", "testReport"):
        path = f"/course/{probe.course_id()}/courseMember/{member_id}/{name}.json"
        answer, error = probe.ask("GET", path, expects=(name,))
        held = held and error is None
        keys = sorted(answer.json) if isinstance(answer.json, dict) else []
        seen.append(f"{name}: {error.detail if error else 'keys ' + ', '.join(keys)}")
    return Finding("reports", assumption, held, "; ".join(seen))


def unknown_learner(probe: Probe) -> Finding:
    """What an address that no learner has gets."""
    answer, error = probe.ask("GET", "/fetchuserdetails.json", params={"email": _NOBODY, "fetchSignupData": "false"})
    switches = {"unknown_learner": "404"} if answer.status == 404 else {}
    seen = error.detail if error else f"HTTP {answer.status}"
    facts = {"unknown_learner": "404" if answer.status == 404 else "empty"} if answer.status in (200, 204, 404) else {}
    assumption = "An unknown address gets an empty answer."
    return Finding("unknown_learner", assumption, error is None, seen, {}, switches, facts)


READING: tuple[Callable[[Probe], Finding], ...] = (
    *(org_id, token_rejected, one_course, totals, page_limit, sort_by_time, time_moves, reports, unknown_learner),
)
