"""The token sets in words: what a state means, what to do about it, and what has just happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from oauthtokens.forecast.model import Forecast
from oauthtokens.models import TokenSet
from oauthtokens.pool.refresh import Outcome
from oauthtokens.pool.refresh_lease import LIVE, State
from oauthtokens.regeneration import exchange
from oauthtokens.revocation import Outcome as Revocation

_SHORT_HOURS = 24  # of continuous use: too little to wait for the next maintenance in any case

REFRESHED = {
    Outcome.REFRESHED: "was refreshed.",
    Outcome.BUSY: "was not refreshed.",
    Outcome.NOT_DUE: "is not due.",
    Outcome.UNUSABLE: "cannot be refreshed.",
    Outcome.LATE: "was refreshed by somebody else meanwhile.",
    Outcome.FAILED: "could not be refreshed.",
}
REVOKED = {
    Revocation.REVOKED: "is revoked at Zoho, and its tokens are destroyed here.",
    Revocation.PENDING: "is out of use; Zoho has not confirmed yet and is asked again by itself.",
    Revocation.NOTHING: "held no tokens.",
}
# State -> what it means, and what a person does about it.
MEANINGS: dict[str, tuple[str, str]] = {
    State.EMPTY: ("It never had tokens.", "Regenerate it."),
    State.READY: ("It waits for its turn.", "Nothing to do."),
    State.ACTIVE: ("All calls use it now.", "Nothing to do."),
    State.RETIRING: ("Its last access token is in use.", "Regenerate it when it suits."),
    State.EXHAUSTED: ("Its uses are spent.", "Regenerate it, or release its reserve."),
    State.COOLING: ("It rests after Zoho asked to wait.", "Nothing to do: it comes back by itself."),
    State.BROKEN: ("Zoho does not accept its refresh token.", "Regenerate it."),
    State.REVOKED: ("Its tokens were revoked.", "Regenerate it when it is needed again."),
    State.UNDECRYPTABLE: (
        "No key opens its tokens.",
        "Put the missing key back into TOKEN_ENCRYPTION_KEYS; regenerate it only if that key is lost.",
    ),
    State.REVOCATION_PENDING: ("Zoho has not confirmed its revocation.", "Nothing to do: Zoho is asked again."),
}


def refreshed(name: str, outcome: Outcome, reason: str, uses: int, uses_left: int | None) -> str:
    """What came of a refresh that a person asked for, and what it cost."""
    text = f"{name} {REFRESHED[outcome]} {reason}".rstrip()
    if outcome is not Outcome.REFRESHED:
        return text
    left = "" if uses_left is None else f"; {uses_left} {'is' if uses_left == 1 else 'are'} left"
    return f"{text} That was use {uses}{left}."


@dataclass(frozen=True, slots=True)
class Headline:
    """What the page says first. `tone`: ok, run, warn or bad; `may_start`: regenerating is what to do."""

    tone: str
    title: str
    text: str
    may_start: bool = False


def headline(
    sets: Sequence[TokenSet], now: datetime, stopped: str, made: Forecast, *, by_client: bool = False
) -> Headline:
    """The one thing that matters now, the gravest first. `by_client`: access tokens are the client's own."""
    due = exchange.needed(sets, now)
    if by_client and not stopped:
        return Headline("ok", "No token set is needed", "Access tokens are the client's own (TOKEN_GRANT).")
    if not by_client and sets and all(one.state == State.EMPTY for one in sets):
        text = "Nothing can be sent or read before one of them has tokens: give consent once for each set."
        return Headline("bad", f"{len(sets)} empty token sets", text, may_start=True)
    if stopped:
        text = f"{stopped} No set was changed; it is tried again every 10 minutes by itself."
        return Headline("bad", "The pool has stopped", text)
    if not any(one.state in LIVE for one in sets):
        text = "Nothing is sent and no progress is read until a set has new tokens."
        return Headline("bad", "No token set can be used", text, may_start=bool(due))
    if due:
        verb = "needs" if len(due) == 1 else "need"
        text = "About half a minute each. Calls go on with the other sets meanwhile."
        return Headline("warn", f"{_numbered(due)} {verb} new tokens", text, may_start=True)
    if made.measured_reaches is False or (made.continuous_hours or _SHORT_HOURS) < _SHORT_HOURS:
        text = f"Regenerate the most used ones below: {made.continuous_hours:g} h of continuous use are left."
        return Headline("warn", "The sets may not last until the next maintenance", text)
    return Headline("ok", "Nothing to do now", "Every set is in use, ready, or comes back by itself.")


def _numbered(numbers: Sequence[int]) -> str:
    listed = [str(number) for number in numbers]
    if len(listed) == 1:
        return f"Token set {listed[0]}"
    return f"Token sets {', '.join(listed[:-1])} and {listed[-1]}"
