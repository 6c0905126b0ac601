"""The background job: what time alone changes about the sets, and what is refreshed ahead of need."""

from typing import Any

from django.conf import settings

from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import alerts, encryption, revocation
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state, refresh, refresh_lease, selection
from oauthtokens.pool.refresh_lease import State

_DEMAND_SECONDS = 300.0  # a token is refreshed ahead of time if somebody needed one this recently


def is_upkeep_due() -> bool:
    """Whether `refresh_due` would find anything to do. Asks nobody but MongoDB."""
    return (
        _is_wanted()
        or _has(state=State.UNDECRYPTABLE)
        or bool(_unreadable())
        or refresh_lease.any_overdue()
        or revocation.is_due()
        or alerts.is_due()
    )


def refresh_due() -> str:
    """Put right what time has changed, retry revocations, refresh ahead of need, and raise alerts.

    Refreshes only while somebody needs tokens, or always with TOKEN_KEEP_WARM=always. Returns what it did,
    for the log.
    """
    refresh_lease.end_overdue()
    _find_keys_again()
    for number in _unreadable():
        refresh.mark_undecryptable(number, f"The refresh token of token set {number} cannot be decrypted.")
    revocation.settle_due()
    done = _refresh() if _is_wanted() else _tidy_up()
    alerts.update()
    return done


def _is_wanted() -> bool:
    kept_warm = settings.TOKEN_KEEP_WARM == "always"  # noqa: S105
    return kept_warm or pool_state.is_in_demand(_DEMAND_SECONDS)


def _refresh() -> str:
    try:
        number = selection.select()
    except TokenUnavailable as error:
        return error.detail
    return f"{refresh_lease.name_of(number)}: {refresh.refresh(number)}"


def _tidy_up() -> str:
    selection.tidy_up()
    return "no demand"


def _unreadable() -> list[int]:
    """Usable sets whose refresh token this process cannot decrypt: better known now than when they are needed."""
    return [row["number"] for row in _sets({"$in": refresh_lease.LIVE}) if not _is_readable(row)]


def _find_keys_again() -> None:
    """Sets that could not be decrypted are ready again once the key is back."""
    for row in _sets(State.UNDECRYPTABLE):
        if _is_readable(row):
            same = {"number": row["number"], "generation": row["generation"], "state": State.UNDECRYPTABLE}
            found = {"$set": {"state": State.READY, "reason": ""}}
            if outside_transaction(TokenSet).update_one(same, found).modified_count:
                pool_state.note_usable()


def _is_readable(row: dict[str, Any]) -> bool:
    place = {"number": row["number"], "generation": row["generation"]}
    try:
        encryption.decrypt(row["refresh_token"], kind=encryption.REFRESH, **place)
        if row["access_token"]:
            encryption.decrypt(row["access_token"], kind=encryption.ACCESS, **place)
    except encryption.Undecryptable:
        return False
    return True


def _sets(state: object) -> list[dict[str, Any]]:
    return list(outside_transaction(TokenSet).find({"state": state}))


def _has(**filters: object) -> bool:
    return outside_transaction(TokenSet).count_documents(filters, limit=1) > 0
