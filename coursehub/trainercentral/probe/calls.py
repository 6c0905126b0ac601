"""How an academy is asked: a plan, raw calls, and what became of an assumption.

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

PROBE_NAMES = ("Probe", "CourseHub")  # of the learner who is invited
LARGE_PAGE = 1000


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
        window = {"filter": LEARNER_ROLE, "limit": LARGE_PAGE, "si": 0, **params}
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
