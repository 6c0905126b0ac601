"""Why a set was not refreshed, for people: what it needs, or how long it rests."""

from coursehub import clock
from oauthtokens import sentences
from oauthtokens.pool import refresh_lease
from oauthtokens.pool.refresh import Outcome
from oauthtokens.pool.refresh_lease import LIVE, State


def of(number: int) -> tuple[Outcome, str]:
    """NOT_DUE, BUSY or UNUSABLE, and a sentence; asked after the fact, so that it may have changed meanwhile."""
    shown = {
        "state": 1, "reason": 1, "lease_holder": 1, "is_due": refresh_lease.is_due(),
        "has_uses_left": refresh_lease.has_uses_left(),
        "rest_ms": {"$subtract": ["$not_before", clock.server_now()]},
        "left_ms": {"$subtract": ["$access_expires_at", clock.server_now()]},
    }  # fmt: skip
    row = refresh_lease.documents(number).find_one({"number": number}, shown)
    state = row["state"] if row else State.EMPTY
    if row is None or state not in (*LIVE, State.COOLING):
        meaning, advice = sentences.MEANINGS[state]
        return Outcome.UNUSABLE, f"{meaning} {advice}"
    if row["lease_holder"]:
        return Outcome.BUSY, "Somebody else is refreshing it."
    if not row["has_uses_left"]:
        return Outcome.UNUSABLE, "Its uses are spent. Regenerate it, or release its reserve."
    if (row["rest_ms"] or 0) > 0:
        return Outcome.BUSY, f"It rests for another {row['rest_ms'] / 1000:.0f} s. {row['reason']}".strip()
    if row["is_due"]:
        return Outcome.BUSY, "Somebody else was faster."
    return Outcome.NOT_DUE, f"Its access token is good for another {row['left_ms'] / 60_000:.0f} min."
