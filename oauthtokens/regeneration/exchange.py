"""New tokens for a set, from a consent or a self client's code: exchange, store, switch, then revoke the old one.

The order is what makes an interruption harmless. Before the exchange nothing has changed; between exchange
and storing only the new token is lost; from then on the set works, and the old token is kept for the job that
revokes it (`revocation`). The old one is revoked first only when the provider's places run out (`provider_limit`).
"""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from coursehub import audit, clock, env
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import TokenGrant, errors, hosts
from oauthtokens import encryption, revocation
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state, refresh, selection
from oauthtokens.pool.client_credentials import SCOPE
from oauthtokens.pool.refresh_lease import State
from oauthtokens.regeneration import consents, provider_limit

logger = logging.getLogger(__name__)

_CODE = re.compile(r"[\x21-\x7e]{1,2048}")  # what Zoho's are made of, and more
_IN_NEED = (State.EMPTY, State.EXHAUSTED, State.RETIRING, State.BROKEN, State.REVOKED)
_USABLE = (State.READY, State.ACTIVE, State.COOLING)


def is_needed(token_set: TokenSet, now: datetime) -> bool:
    """Whether the set is due: without a future, or used at all on the day of maintenance.

    One that cannot be decrypted is not: its key may come back, and only a person may give it up.
    """
    if token_set.state in _IN_NEED:
        return True
    weekday, _ = env.weekday_and_time(settings.MAINTENANCE_AT)
    is_the_day = now.astimezone(ZoneInfo(settings.TIME_ZONE)).weekday() == weekday
    has_a_limit = settings.TOKEN_MAX_USES > 0  # else nothing is used up
    return is_the_day and has_a_limit and token_set.uses > 0 and token_set.state in _USABLE


def needed(sets: Iterable[TokenSet], now: datetime) -> list[int]:
    """The numbers of the sets that are due."""
    return [one.number for one in sets if is_needed(one, now)]


def begin_consent(*, number: int, user_id: int) -> str:
    """The provider's page on which this user consents for set `number`; it sends the browser to /oauth/callback/.

    Raises consents.TooSoon, and ValueError for a number that is none of the pool's.
    """
    check_number(number)
    consent = consents.begin(number=number, user_id=user_id)
    return refresh.accounts().consent_url(
        redirect_uri=consents.redirect_uri(),
        scope=SCOPE,
        state=consent.state,
        code_verifier=consent.code_verifier,
    )


def complete_consent(*, answer: Mapping[str, str], user_id: int, actor: str) -> int:
    """Take the provider's `answer` to a consent and exchange its code at once; returns the set's number.

    Raises consents.Unusable, with no set changed, and what `exchange_code` raises.
    """
    consent = consents.take(state=answer.get("state", ""), user_id=user_id)
    left = f"Token set {consent.number} is as it was"
    if answer.get("error"):
        raise consents.Unusable(f"{left}: the consent was refused at Zoho.")
    _check_accounts_server(answer, left)
    if not answer.get("code"):
        raise consents.Unusable(f"{left}: Zoho sent no code.")
    exchange_code(
        number=consent.number,
        code=answer["code"],
        actor=actor,
        redirect_uri=consents.redirect_uri(),
        code_verifier=consent.code_verifier,
    )
    return consent.number


def _check_accounts_server(answer: Mapping[str, str], left: str) -> None:
    """The tokens of another data centre could be exchanged there, but not refreshed here (contract §5)."""
    address = answer.get("accounts-server", "").rstrip("/")
    if address == settings.ZOHO_ACCOUNTS_URL:
        return
    known = {f"https://{host}" for host in hosts.ACCOUNTS_SERVERS.values()}
    if not address:  # older answers name the place only
        ours = hosts.scheme_and_host(settings.ZOHO_ACCOUNTS_URL)[1]
        host = hosts.ACCOUNTS_SERVERS.get(answer.get("location", ""), ours)
        if host == ours or not hosts.is_accounts_server(ours):
            return
        address = f"https://{host}"
    if address in known:
        raise consents.Unusable(
            f"{left}: that account belongs to {address}. Set ZOHO_ACCOUNTS_URL to it, or consent with another account."
        )
    raise consents.Unusable(f"{left}: the answer named an accounts server that is not Zoho's.")


def exchange_code(
    *, number: int, code: str, actor: str, redirect_uri: str | None = None, code_verifier: str = ""
) -> None:
    """Turn a code (of a self client without `redirect_uri`) into tokens and store them as set `number`.

    Raises errors of coursehub.trainercentral, with the set as it was unless its old token had to be revoked
    first; ValueError for a number that is none of the pool's; RuntimeError inside `atomic()`.
    """
    check_number(number)
    if not _CODE.fullmatch(code):
        raise errors.InvalidCode("malformed code")
    provider = refresh.accounts()
    _free_a_place(number, actor)
    with provider_limit.exchange(number):
        grant = provider.exchange_code(code, redirect_uri, code_verifier)
        pool_state.resume()
        store_grant(number=number, grant=grant, actor=actor)
    revocation.settle(number)


def store_grant(*, number: int, grant: TokenGrant, actor: str) -> None:
    """Make `grant` the next generation of set `number`, ready for use and with no use counted.

    It becomes the active set if none can be used. The refresh token that it replaces is kept for `revocation.settle`.
    """
    check_number(number)
    stored = False
    while not stored:  # until no other regeneration came in between
        generation = TokenSet.objects.get_or_create(number=number)[0].generation
        revocation.keep(number)
        fresh = [{"$set": _fresh_set(number, generation + 1, grant)}]
        same = {"number": number, "generation": generation}
        stored = outside_transaction(TokenSet).update_one(same, fresh).modified_count > 0
    detail = {"generation": generation + 1, "life_seconds": round(grant.expires_in_seconds)}
    audit.record(action=Action.TOKEN_SET_REGENERATED, actor=actor, target=f"token set {number}", detail=detail)
    try:
        selection.select()
    except errors.TokenUnavailable as error:
        logger.warning("No token set is active: %s", error.detail)
    pool_state.note_usable()


def check_number(number: int) -> None:
    """Raises ValueError, with one sentence, for a number that is none of the pool's."""
    if not 1 <= number <= settings.TOKEN_SET_COUNT:
        raise ValueError(f"There are token sets 1 to {settings.TOKEN_SET_COUNT}, and no {number}.")


def _free_a_place(number: int, actor: str) -> None:
    if not provider_limit.is_one_left():
        revocation.settle_due()
    if not provider_limit.is_one_left():
        revocation.revoke(number=number, actor=actor)


def _fresh_set(number: int, generation: int, grant: TokenGrant) -> dict[str, Any]:
    def encrypted(token: str, kind: str) -> dict[str, str]:
        return {"$literal": encryption.encrypt(token, number=number, kind=kind, generation=generation)}

    # The grant was made at most one call's time ago, so its end is put that much earlier.
    life_seconds = grant.expires_in_seconds - settings.TRAINERCENTRAL_READ_SECONDS
    return {
        "state": State.READY, "reason": "", "generation": generation, "uses": 0, "failures": 0, "not_before": None,
        "refresh_token": encrypted(grant.refresh_token, encryption.REFRESH),
        "access_token": encrypted(grant.access_token, encryption.ACCESS),
        "access_expires_at": clock.after(life_seconds),
        "regenerated_at": clock.server_now(), "last_refreshed_at": None,
        # A refresh of the old generation that is still under way loses its lease.
        "fence": {"$add": ["$fence", 1]}, "access_fence": {"$add": ["$fence", 1]},
        "access_unproven": False,
        "lease_holder": "", "lease_until": None, "is_replacement": False, "replaced_at": None,
    }  # fmt: skip
