"""Zoho's accounts server: consent, codes, tokens (contract §5).

All parameters travel in form bodies, never in addresses, so that no log on the way holds a secret.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from coursehub.trainercentral import errors, lenient_values
from coursehub.trainercentral.records import TokenGrant
from coursehub.trainercentral.responses import Answer, clean
from coursehub.trainercentral.transport import Transport
from coursehub.trainercentral.waiting import retry_after_seconds

_TOKEN_PATH, _REVOKE_PATH, _CONSENT_PATH = "/oauth/v2/token", "/oauth/v2/token/revoke", "/oauth/v2/auth"
_USUAL_LIFE_SECONDS, _LONGEST_LIFE_SECONDS = 3600, 86_400
_TOKEN_TEXT = re.compile(r"[\x21-\x7e]{1,2048}")  # fit for a header


class ZohoAccounts:
    """One OAuth client at the accounts server of its data centre; safe to share between threads.

    Methods that ask for a token return a TokenGrant or raise Unreachable (provably not asked) or an
    OAuthError: InvalidCode, ClientWide, MintThrottled or AccountsUnavailable. Nothing is ever repeated
    here, since every answered question may count against a limit.
    """

    def __init__(
        self,
        accounts_url: str,
        client_id: str,
        client_secret: str,
        *,
        connect_timeout_seconds: float = 5.0,
        read_timeout_seconds: float = 15.0,
    ) -> None:
        self._transport = Transport(
            accounts_url, connect_timeout_seconds=connect_timeout_seconds, read_timeout_seconds=read_timeout_seconds
        )
        self._client_id = client_id
        self._client_secret = client_secret

    def __repr__(self) -> str:
        return f"<ZohoAccounts {self._transport.base_url}>"

    def close(self) -> None:
        """Close the pooled connections; the object can still be used."""
        self._transport.close()

    def consent_url(self, *, redirect_uri: str, scope: str, state: str, code_verifier: str = "") -> str:
        """The page on which a person grants `scope`; each consent makes a new refresh token.

        With `code_verifier` the address carries its S256 challenge (RFC 7636), so that only who knows the
        verifier can exchange the code; a server that does not know of it ignores both.

        https://zoho.com/accounts/protocol/oauth/web-apps/authorization.html
        """
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": scope,
            "access_type": "offline",
            "prompt": "consent",
            "state": state,
        }
        if code_verifier:
            digest = sha256(code_verifier.encode()).digest()
            challenge = urlsafe_b64encode(digest).decode().rstrip("=")
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{self._transport.base_url}{_CONSENT_PATH}?{urlencode(query)}"

    def exchange_code(self, code: str, redirect_uri: str | None = None, code_verifier: str = "") -> TokenGrant:
        """A refresh token and its first access token; codes of a self client come with the code alone.

        https://zoho.com/accounts/protocol/oauth/web-apps/access-token.html
        """
        form = {"grant_type": "authorization_code", "code": code}
        form |= {"redirect_uri": redirect_uri} if redirect_uri else {}
        form |= {"code_verifier": code_verifier} if code_verifier else {}
        grant = self._token(form, code, code_verifier)
        if not grant.refresh_token:
            raise errors.AccountsUnavailable("code exchange: no refresh token", "Zoho gave no refresh token.")
        return grant

    def refresh(self, refresh_token: str) -> TokenGrant:
        """A new access token; the refresh token stays what it was.

        https://zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
        """
        return self._token({"grant_type": "refresh_token", "refresh_token": refresh_token}, refresh_token)

    def client_credentials(self, scope: str) -> TokenGrant:
        """An access token for the client itself, without any refresh token.

        https://zoho.com/accounts/protocol/oauth/self-client/client-credentials-flow.html
        """
        return self._token({"grant_type": "client_credentials", "scope": scope})

    def revoke(self, token: str) -> None:
        """Make a refresh or access token useless; one that is unknown already counts as done.

        https://zoho.com/accounts/protocol/oauth/revoke-refresh-token.html
        """
        answer = self._post(_REVOKE_PATH, {"token": token})
        body = answer.json if isinstance(answer.json, dict) else {}
        if answer.status == 200 and body.get("status") == "success":
            return
        failure = self._failure("revoke", answer, (token,))
        if answer.status != 400 or isinstance(failure, errors.MintThrottled | errors.ClientWide):
            raise failure

    def _token(self, form: Mapping[str, str], *secrets: str) -> TokenGrant:
        credentials = {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = self._post(_TOKEN_PATH, {**form, **credentials})
        body: Any = answer.json if isinstance(answer.json, dict) else {}
        access_token = lenient_values.text(body.get("access_token"))
        if not _TOKEN_TEXT.fullmatch(access_token):
            raise self._failure(form["grant_type"], answer, (*secrets, access_token))
        refresh_token = lenient_values.text(body.get("refresh_token"))
        return TokenGrant(access_token, refresh_token, _life_seconds(body), lenient_values.text(body.get("scope")))

    def _post(self, path: str, form: Mapping[str, str]) -> Answer:
        failure: errors.TrainerCentralError
        try:
            return self._transport.send("POST", path, call=path, acts=False, form=form)
        except errors.Unanswered as error:
            failure = errors.AccountsUnavailable(error.detail)
        except errors.Unreachable as error:
            failure = errors.Unreachable(error.detail, "Zoho's accounts server cannot be reached.")
        raise failure

    def _failure(self, what: str, answer: Answer, secrets: tuple[str, ...]) -> errors.OAuthError:
        """The body decides, not the status: errors come with HTTP 200 too (contract §5.3)."""
        body = answer.json if isinstance(answer.json, dict) else {}
        said = lenient_values.text(body.get("error")) or ("(no error named)" if body else "(no JSON object)")
        said = clean(said, (self._client_secret, *secrets))
        detail = f"{what}: HTTP {answer.status} {said}"
        if "denied" in said.lower() or answer.status == 429:
            wait_seconds = retry_after_seconds(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))
            return errors.MintThrottled(detail, wait_seconds=wait_seconds)
        if said == "invalid_code":
            return errors.InvalidCode(detail)
        if said.startswith("invalid_client"):
            return errors.ClientWide(detail)
        return errors.AccountsUnavailable(detail)


def _life_seconds(body: dict[str, Any]) -> int:
    """Older answers carry seconds in `expires_in_sec` and milliseconds in `expires_in` (contract §5.3)."""
    life = lenient_values.whole(body.get("expires_in_sec")) or lenient_values.whole(body.get("expires_in")) or 0
    if life > _LONGEST_LIFE_SECONDS:
        life //= 1000
    return life if 0 < life <= _LONGEST_LIFE_SECONDS else _USUAL_LIFE_SECONDS
