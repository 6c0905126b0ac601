"""What must hold after a run of the soak `token-kills`, by the sandbox's log of calls and the callers' own account."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found

LEASE_SECONDS = 1.0
MAX_USES = 20
ANY_MOMENT = "any moment"
_WITHOUT_LEASE = ("before the count", "after the write")  # who dies there costs nobody any time
_ANSWER_SECONDS = LEASE_SECONDS / 6 + LEASE_SECONDS / 2  # the time-outs of a refresh: to connect, and to be answered
_POLL_SECONDS = 0.1  # a caller looks again at least this often
# A gap is what leases, backoffs and time-outs add up to, and what callers, MongoDB and the sandbox compute meanwhile.
# On a busy machine that is a lot: gaps longer than the sum are counted, those longer by a lease are violations.
_SLACK_SECONDS = LEASE_SECONDS

Gap = tuple[float, float, tuple[int, int]]  # seconds, seconds allowed, (deaths, failures)


@dataclass
class Run:
    """What was planned for a run, and what happened in it."""

    deaths: list[str]
    weather: dict[str, Any]
    happened: list[dict[str, Any]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def times(self, *what: str) -> list[float]:
        """When that happened, on the monotonic clock, which all processes share."""
        return sorted(one["at"] for one in self.happened if one["what"] in what)


def _uses(sandbox: SandboxProcess, ids: dict[str, int]) -> dict[int, tuple[int, int, int]]:
    """Set -> refreshes that reached the sandbox, those of them that it refused, uses that the product counted."""
    from coursehub.mongo import outside_transaction
    from oauthtokens.models import TokenSet

    asked, refused = dict.fromkeys(ids.values(), 0), dict.fromkeys(ids.values(), 0)
    for call in sandbox.calls():
        kind, _, about = call["detail"].partition(" ")
        token, _, error = about.partition(": ")
        if kind == "refresh_token" and token in ids:
            asked[ids[token]] += 1
            refused[ids[token]] += bool(error)
    counted = {row["number"]: row["uses"] for row in outside_transaction(TokenSet).find()}
    return {number: (asked[number], refused[number], counted[number]) for number in asked}


def judge(run: Run, sandbox: SandboxProcess, ids: dict[str, int], found: Found) -> None:
    """Add to `found` what this run showed; `ids` are the sandbox's names of the sets' refresh tokens."""
    uses = _uses(sandbox, ids)
    for number, (asked, refused, counted) in uses.items():
        if asked > MAX_USES or refused:
            run.violations.append(f"the sandbox saw {asked} uses of set {number} and refused {refused}")
        if asked > counted:
            run.violations.append(f"set {number} was used {asked} times and {counted} were counted")
    if run.times("refused token"):
        run.violations.append("the API did not accept a token that was handed out")
    gaps = [_gap(run, *moments) for moments in pairwise(run.times("token", "end"))]
    for length, allowed, _ in gaps:
        if length > allowed + _SLACK_SECONDS:
            run.violations.append(f"no token for {length:.2f} s where {allowed:.2f} s were allowed")
    found.add(_figures(run, gaps, [asked for asked, _, _ in uses.values()]))


def _figures(run: Run, gaps: list[Gap], asked: list[int]) -> Found:
    killed = Counter(f"killed {one['point']}" for one in run.happened if one["what"] == "death")
    counts = {"handed_out": "token", "tried_out": "tried out", "failures": "failure", "unfinished": "unfinished"}
    stalls = [one["seconds"] for one in run.happened if one["what"] == "stall"]
    after_one_death = [length for length, _, causes in gaps if causes == (1, 0)]
    highest_seconds = {
        "gap_ms": max((length for length, _, _ in gaps), default=0.0),
        "gap_after_one_death_ms": max(after_one_death, default=0.0),
        "gap_beyond_allowed_ms": max((length - allowed for length, allowed, _ in gaps), default=0.0),
        "stall_ms": max(stalls, default=0.0),
    }
    return Found(
        [f"{text} ({run.deaths}, {run.weather})" for text in run.violations],
        {
            "runs": 1,
            "refreshes": sum(asked),
            "gaps_beyond_allowed": sum(length > allowed for length, allowed, _ in gaps),
            **{key: len(run.times(what)) for key, what in counts.items()},
            **killed,
        },
        {"uses_of_a_token": max(asked), **{key: seconds * 1000 for key, seconds in highest_seconds.items()}},
    )


def _gap(run: Run, begin: float, end: float) -> Gap:
    """How long nobody was given a token, how long that may be, and the deaths and failures in that time.

    A holder's death costs the rest of its lease at most, a failure the same and its backoff; then somebody's refresh
    must be answered within the time-outs. A machine that stalled is not the pool's fault.
    """
    deaths = [one for one in run.happened if one["what"] == "death" and begin - LEASE_SECONDS <= one["at"] <= end]
    deaths = [one for one in deaths if one["point"] not in _WITHOUT_LEASE]
    failures = [one for one in run.happened if one["what"] == "failure" and begin <= one["at"] <= end]
    lost = len(deaths) + len(failures)
    waits_seconds = sum(one["wait_seconds"] for one in failures)
    stalled_seconds = sum(
        one["seconds"] for one in run.happened if one["what"] == "stall" and begin <= one["at"] <= end + one["seconds"]
    )
    allowed = lost * (LEASE_SECONDS + _POLL_SECONDS) + waits_seconds + _ANSWER_SECONDS + _POLL_SECONDS
    return end - begin, allowed + stalled_seconds, (len(deaths), len(failures))
