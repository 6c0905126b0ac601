"""The sandbox without HTTP: its parts, its start, and what one call does."""

import logging
from dataclasses import dataclass, field
from typing import Any

from coursehub.sandbox import invitations, oauth
from coursehub.sandbox.academy import Academy
from coursehub.sandbox.clock import Clock
from coursehub.sandbox.counters import Counters
from coursehub.sandbox.faults import Fault, next_fault
from coursehub.sandbox.http import INVALID_TOKEN, Answer, Call, Refused, error_answer, unauthorised_answer
from coursehub.sandbox.limits import RateLimit
from coursehub.sandbox.rosters import Rosters
from coursehub.sandbox.routes import Endpoint, find_endpoint
from coursehub.sandbox.storage import Journal
from coursehub.sandbox.switches import Switches
from coursehub.sandbox.tokens import Tokens

logger = logging.getLogger("coursehub.sandbox")

API = "/api/v4/"
DEFAULT_ORG_ID = "700000804"
RESET_PARTS = ("calls", "academy", "tokens", "switches", "clock")
UNKNOWN = "unknown path"


@dataclass(frozen=True)
class Options:
    """How a sandbox starts. `switches` are set at every start, `first_switches` only in a new state."""

    state: str
    seed: int | None = None
    org_id: str = DEFAULT_ORG_ID
    switches: dict[str, Any] = field(default_factory=dict)
    first_switches: dict[str, Any] = field(default_factory=dict)


class Sandbox:
    """One academy with its accounts server, on one state file."""

    def __init__(self, options: Options) -> None:
        """Take up the state where it was, or make a new one. Raises StateUnusable, BadSwitch."""
        self.org_id, self._options = options.org_id, options
        self._first_switches = Switches().changed({**options.first_switches, **options.switches})
        self.journal = Journal(options.state)
        self.switches = self._first_switches
        self.clock = Clock(self.journal)
        self.academy = Academy(self.journal, self.clock)
        self.tokens = Tokens(self.journal)
        self.counters = Counters(self.journal)
        self.limits = RateLimit(self.journal)
        self.rosters = Rosters(self.academy)
        if self.journal.is_new:
            self.reset(RESET_PARTS, seed=options.seed or 1, learners_per_course=None)
        self.load()
        with self.journal.transaction():
            self.clock.rest_since(self.counters.last_call_ms)
            self.set_switches(options.switches)

    def load(self) -> None:
        """Read all state back from the journal."""
        self.switches = Switches().changed(self.journal.recall("switches"))
        self.clock.load()
        self.academy.load()
        self.tokens.load()
        self.counters.load()
        self.limits.load(self.clock.now_ms())
        self.rosters.forget()

    def recover(self) -> None:
        """In an exception handler: after a fault of our own, go by the journal, which has no half calls."""
        logger.exception("A call failed inside the sandbox; its state is read again from the journal.")
        self.load()

    def reset(
        self, parts: tuple[str, ...], seed: int, learners_per_course: int | None, courses: int | None = None
    ) -> None:
        """Put the named parts back to the first day, all at once."""
        with self.journal.transaction():
            if "switches" in parts:
                self.switches = self._first_switches
                self.journal.remember("switches", self.switches.values())
            if "clock" in parts:
                self.clock.start_afresh(self.switches.progress_speed)
            elif "switches" in parts:
                self.clock.set_pace(self.switches.progress_speed)
            if "academy" in parts:
                self.academy.start_afresh(seed, learners_per_course, courses)
            if "tokens" in parts:
                self.tokens.start_afresh()
            if "calls" in parts:
                self.counters.start_afresh()
                self.limits.start_afresh()
        self.rosters.forget()

    def set_switches(self, values: dict[str, Any]) -> None:
        """Set switches, in the journal too. Raises BadSwitch; then none is set."""
        self.switches = self.switches.changed(values)
        self.clock.set_pace(self.switches.progress_speed)
        self.journal.remember("switches", self.switches.values())

    def begin(self, path: str) -> Fault:
        """The fault that the next call on `path` will meet; a scripted one is used up."""
        fault, script = next_fault(self.switches, path, self.counters.last_call + 1, self.academy.seed)
        if script is not None:
            with self.journal.transaction():
                self.set_switches({"fail_next": script})
        return fault

    def answer(self, call: Call, fault: Fault) -> Answer:
        """Do what the call asks and put it on record; only then is there an answer to send."""
        try:
            with self.journal.transaction():
                name, answer = self._act(call, fault)
                status = 0 if fault.loses_answer else answer.status
                self.counters.count_call(call.arrived_ms, call.at_ms, name, status, call.detail)
            return answer
        except Exception:
            self.recover()
            return Answer(500)

    def _act(self, call: Call, fault: Fault) -> tuple[str, Answer]:
        if call.path.startswith(API):
            endpoint, call.ids = find_endpoint(call.method, call.path.removeprefix(API))
            name = endpoint.name if endpoint else UNKNOWN
            if fault.acts:
                return name, self._act_on_api(call, endpoint)
            if name == invitations.ENDPOINT:
                invitations.posted(self, call)
            return name, fault.instead or Answer(0)
        name, act = oauth.find(call.method, call.path)
        return name, fault.instead or (act(self, call) if fault.acts else Answer(0))

    def _act_on_api(self, call: Call, endpoint: Endpoint | None) -> Answer:
        try:
            if endpoint is None:
                raise Refused(404, "URL_RULE_NOT_CONFIGURED", "No such path.")
            self._authorise(call, endpoint)
            self.limits.count(endpoint.name, call.at_ms, self.switches)
        except Refused as refused:
            return unauthorised_answer(self.switches) if refused.code == INVALID_TOKEN else self._error(refused)
        if endpoint.name == invitations.ENDPOINT:
            invitations.posted(self, call)
        try:
            answer = endpoint.act(self, call)
        except Refused as refused:
            if self.switches.error_status_style == "showtime500":
                refused.status = 500
            return self._error(refused)
        if call.method != "GET":
            self.rosters.forget()
        return answer

    def _error(self, refused: Refused) -> Answer:
        return error_answer(refused, self.switches)

    def _authorise(self, call: Call, endpoint: Endpoint) -> None:
        scheme, _, token = call.authorization.partition(" ")
        if not token or scheme.lower() not in ("zoho-oauthtoken", "bearer"):
            raise Refused(401, "NOT_AUTHENTICATED", "No access token.")
        scopes = self.tokens.scopes(token.strip(), call.at_ms)
        if scopes is None:
            raise Refused(401, INVALID_TOKEN, "The access token is not valid.")
        if endpoint.scope not in scopes and endpoint.scope.rpartition(".")[0] + ".ALL" not in scopes:
            raise Refused(401, "INVALID_OAUTHSCOPE", "Invalid OAuth scope.")
        if call.ids and call.ids[0] != self.org_id:
            raise Refused(403, "UNAUTHORISED", "You may not use this organisation.")
