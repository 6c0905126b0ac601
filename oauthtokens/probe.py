"""The first day with real credentials: which assumptions about the academy hold, and what to set where they do not."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.conf import settings

from coursehub import academy, rate_limit
from coursehub.trainercentral import errors
from coursehub.trainercentral.probe.acts import ACTING, Act
from coursehub.trainercentral.probe.calls import Finding, Plan, Probe
from coursehub.trainercentral.probe.reads import READING
from oauthtokens import services
from oauthtokens.pool import refresh

_HOPELESS = (errors.Unreachable, errors.Unanswered, errors.TokenRejected)


def plan(**details: Any) -> Plan:
    """What to try on the configured academy; its calls draw from the shared budget, and a lock-out pauses everybody."""
    return Plan(
        calls_per_minute=settings.TRAINERCENTRAL_CALLS_PER_MINUTE,
        max_uses=settings.TOKEN_MAX_USES,
        before_call=partial(rate_limit.wait_for_slot, rate_limit.PROGRESS),
        on_throttled=rate_limit.pause,
        on_answer=academy.note_answer,
        **details,
    )


def run(plan: Plan, may: Callable[[Act], bool]) -> Iterator[Finding]:
    """Findings as they come, their facts noted in the academy's profile; `may` is asked before each check that acts.

    Raises TokenUnavailable, and Unreachable, Unanswered or TokenRejected when the first call is answered so:
    then there is nothing to try.
    """
    token = services.access_token().token
    probe = Probe(
        settings.TRAINERCENTRAL_URL,
        settings.TRAINERCENTRAL_ORG_ID,
        token,
        refresh.accounts(),
        plan,
        read_timeout_seconds=settings.TRAINERCENTRAL_READ_SECONDS,
    )
    try:
        for check in READING:
            yield _noted(_tried(check, probe))
        for act in ACTING:
            yield from map(_noted, _acted(act, probe, may))
    finally:
        probe.close()


def _noted(finding: Finding) -> Finding:
    """The same, with its facts in the profile."""
    academy.forget()
    cap, largest = academy.profile().page_cap, finding.facts.get("largest_page")
    if cap and largest and largest > cap and "page_cap" not in finding.facts:
        academy.note_fact("page_cap", None, source=academy.PROBE)
    for name, value in finding.facts.items():
        academy.note_fact(name, value, source=academy.PROBE)
    return finding


def _tried(check: Callable[[Probe], Finding], probe: Probe) -> Finding:
    try:
        return check(probe)
    except errors.TrainerCentralError as error:
        if check is READING[0] and isinstance(error, _HOPELESS):
            raise
        return Finding(check.__name__, (check.__doc__ or "").strip(), None, error.detail)


def _acted(act: Act, probe: Probe, may: Callable[[Act], bool]) -> Iterator[Finding]:
    if act.needs and not getattr(probe.plan, act.needs):
        yield Finding(act.key, act.question, None, f"not tried (--{act.needs})")
        return
    if not may(act):
        yield Finding(act.key, act.question, None, "not tried")
        return
    try:
        yield from act.run(probe)
    except errors.TrainerCentralError as error:
        yield Finding(act.key, act.question, None, f"broken off: {error.detail}")
