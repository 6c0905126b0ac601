"""Zoho's tokens: codes, refresh tokens, access tokens, and the limits on each.

Only digests are kept, in memory and on disk: nothing that the sandbox shows, stores or logs can
be used as a token.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from coursehub.sandbox.storage import Journal
from coursehub.sandbox.switches import Switches

MINT_WINDOW_MS = 600_000
TOO_MANY = "You have made too many requests continuously. Please try again after some time."


class TokenRefused(Exception):
    """An OAuth error: what stands under "error" in the answer, its status and description."""

    def __init__(self, error: str, status: int = 200, description: str = "") -> None:
        super().__init__(error)
        self.error, self.status, self.description = error, status, description


@dataclass(slots=True)
class RefreshToken:
    """A stored refresh token; `live` holds its access tokens' digests, oldest first."""

    digest: str
    scope: str
    created_ms: int
    uses: int = 0
    window_ms: int = 0
    window_mints: int = 0
    live: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class AccessToken:
    """A minted access token; without refresh token for an online grant or client credentials."""

    refresh_digest: str
    scopes: frozenset[str]
    expires_ms: int


@dataclass(slots=True)
class Code:
    """An authorization code, good for one exchange."""

    scope: str
    redirect_uri: str  # empty: a self client's
    offline: bool
    created_ms: int
    expires_ms: int
    challenge: str = ""  # PKCE, S256; empty: the exchange needs no verifier


@dataclass(frozen=True, slots=True)
class Grant:
    """What an exchange or refresh gives; the one place where tokens are in the clear."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str


def digest_of(token: str) -> str:
    """The form in which tokens are kept."""
    return sha256(token.encode()).hexdigest()


def challenge_of(code_verifier: str) -> str:
    """PKCE's S256 (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(code_verifier.encode()).digest()).decode().rstrip("=")


def token_id(digest: str) -> str:
    """A short name for a token that gives nothing away: the first 12 digits of its SHA-256."""
    return digest[:12]


def scope_set(scope: str) -> frozenset[str]:
    """The single scopes of a comma- or space-separated list."""
    return frozenset(scope.replace(",", " ").split())


def _new_token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


class Tokens:
    """All tokens. Methods that change something must run inside a journal transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.refresh_tokens: dict[str, RefreshToken] = {}  # oldest first
        self.access_tokens: dict[str, AccessToken] = {}
        self.codes: dict[str, Code] = {}

    def start_afresh(self) -> None:
        """No tokens at all."""
        for table in ("refresh_tokens", "access_tokens", "codes"):
            self._journal.execute(f"DELETE FROM {table}")  # noqa: S608  (names from the line above)
        self._journal.remember("client_mints", (0, 0))
        self.refresh_tokens, self.access_tokens, self.codes = {}, {}, {}

    def load(self) -> None:
        """Read everything back from the journal."""
        self.refresh_tokens, self.access_tokens, self.codes = {}, {}, {}
        columns = "digest, scope, created_ms, uses, window_ms, window_mints"
        for row in self._journal.execute(f"SELECT {columns} FROM refresh_tokens ORDER BY rowid"):  # noqa: S608
            self.refresh_tokens[row[0]] = RefreshToken(*row)
        for digest, refresh_digest, scope, expires_ms in self._journal.execute(
            "SELECT digest, refresh_digest, scope, expires_ms FROM access_tokens ORDER BY rowid"
        ):
            self.access_tokens[digest] = AccessToken(refresh_digest, scope_set(scope), expires_ms)
            if refresh_digest:
                self.refresh_tokens[refresh_digest].live[digest] = None
        for digest, scope, redirect_uri, offline, *rest in self._journal.execute("SELECT * FROM codes ORDER BY rowid"):
            self.codes[digest] = Code(scope, redirect_uri, bool(offline), *rest)

    def issue_code(
        self, *, scope: str, redirect_uri: str, offline: bool, switches: Switches, now_ms: int, challenge: str = ""
    ) -> str:
        """A new code; one without redirect URI is a self client's. Raises TokenRefused (access_denied)."""
        self.codes = {key: code for key, code in self.codes.items() if code.created_ms > now_ms - MINT_WINDOW_MS}
        self._journal.execute("DELETE FROM codes WHERE created_ms <= ?", (now_ms - MINT_WINDOW_MS,))
        if 0 < switches.codes_per_10_minutes <= len(self.codes):
            raise TokenRefused("access_denied")
        life = switches.web_code_seconds if redirect_uri else switches.self_client_code_seconds
        code = Code(scope, redirect_uri, offline, now_ms, now_ms + life * 1000, challenge)
        token = _new_token()
        self.codes[digest_of(token)] = code
        row = (digest_of(token), scope, redirect_uri, offline, code.created_ms, code.expires_ms, challenge)
        self._journal.execute("INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return token

    def exchange(self, code: str, redirect_uri: str, switches: Switches, now_ms: int, code_verifier: str = "") -> Grant:
        """Turn a code into tokens, once. Raises TokenRefused."""
        found = self.codes.get(digest_of(code))
        if found is None or found.expires_ms <= now_ms:
            raise TokenRefused("invalid_code")
        if found.redirect_uri and found.redirect_uri != redirect_uri:
            raise TokenRefused("invalid_redirect_uri")
        if found.challenge and found.challenge != challenge_of(code_verifier):
            raise TokenRefused("invalid_code")
        found.expires_ms = 0  # used, but still counted by codes_per_10_minutes
        self._journal.execute("UPDATE codes SET expires_ms = 0 WHERE digest = ?", (digest_of(code),))
        if not found.offline:
            return Grant(self._mint(None, found.scope, switches, now_ms), "", found.scope)
        full = 0 < switches.stored_refresh_tokens <= len(self.refresh_tokens)
        if full and switches.one_refresh_token_too_many == "refused":  # noqa: S105  (no secret)
            raise TokenRefused("access_denied")
        token = _new_token()
        refresh = RefreshToken(digest_of(token), found.scope, now_ms)
        self.refresh_tokens[refresh.digest] = refresh
        row = (refresh.digest, refresh.scope, now_ms)
        self._journal.execute("INSERT INTO refresh_tokens VALUES (?, ?, ?, 0, 0, 0)", row)
        while 0 < switches.stored_refresh_tokens < len(self.refresh_tokens):
            self._forget(next(iter(self.refresh_tokens.values())))
        return Grant(self._mint(refresh, found.scope, switches, now_ms), token, found.scope)

    def refresh(self, token: str, switches: Switches, now_ms: int) -> Grant:
        """A new access token. Raises TokenRefused."""
        found = self.refresh_tokens.get(digest_of(token))
        if found is None or 0 < switches.max_uses_per_refresh_token <= found.uses:
            raise TokenRefused("invalid_code")
        if now_ms - found.window_ms >= MINT_WINDOW_MS:
            found.window_ms, found.window_mints = now_ms, 0
        if 0 < switches.mints_per_10_minutes <= found.window_mints:
            raise TokenRefused("Access Denied", int(switches.mint_throttle_status), TOO_MANY)
        found.window_mints += 1
        found.uses += 1
        self._journal.execute(
            "UPDATE refresh_tokens SET uses = ?, window_ms = ?, window_mints = ? WHERE digest = ?",
            (found.uses, found.window_ms, found.window_mints, found.digest),
        )
        return Grant(self._mint(found, found.scope, switches, now_ms), "", found.scope)

    def client_credentials(self, scope: str, switches: Switches, now_ms: int) -> Grant:
        """An access token without refresh token. Raises TokenRefused."""
        if switches.client_mints_per_10_minutes:
            window_ms, mints = self._journal.recall("client_mints", (0, 0))
            if now_ms - window_ms >= MINT_WINDOW_MS:
                window_ms, mints = now_ms, 0
            if mints >= switches.client_mints_per_10_minutes:
                raise TokenRefused("Access Denied", int(switches.mint_throttle_status), TOO_MANY)
            self._journal.remember("client_mints", (window_ms, mints + 1))
        return Grant(self._mint(None, scope, switches, now_ms), "", scope)

    def revoke(self, token: str) -> bool:
        """End a refresh token with its access tokens, or one access token; False if it is neither."""
        digest = digest_of(token)
        if digest in self.refresh_tokens:
            self._forget(self.refresh_tokens[digest])
        elif digest in self.access_tokens:
            self._end(digest)
        else:
            return False
        return True

    def scopes(self, access_token: str, now_ms: int) -> frozenset[str] | None:
        """What the token allows; None if it is unknown, ended or expired."""
        found = self.access_tokens.get(digest_of(access_token))
        return None if found is None or found.expires_ms <= now_ms else found.scopes

    def live_count(self, refresh: RefreshToken, now_ms: int) -> int:
        """Access tokens of this refresh token that still work."""
        return sum(self.access_tokens[digest].expires_ms > now_ms for digest in refresh.live)

    def _mint(self, refresh: RefreshToken | None, scope: str, switches: Switches, now_ms: int) -> str:
        seconds = min(switches.access_token_seconds, switches.access_token_dies_after_seconds or 10**9)
        token, expires_ms = _new_token(), now_ms + seconds * 1000
        digest, refresh_digest = digest_of(token), refresh.digest if refresh else ""
        self.access_tokens[digest] = AccessToken(refresh_digest, scope_set(scope), expires_ms)
        row = (digest, refresh_digest, scope, expires_ms)
        self._journal.execute("INSERT INTO access_tokens VALUES (?, ?, ?, ?)", row)
        if refresh is not None:
            refresh.live[digest] = None
            for old in [old for old in refresh.live if self.access_tokens[old].expires_ms <= now_ms and old != digest]:
                self._end(old)
            while 0 < switches.live_access_tokens < len(refresh.live):
                self._end(next(iter(refresh.live)))
        return token

    def _forget(self, refresh: RefreshToken) -> None:
        for digest in list(refresh.live):
            self._end(digest)
        del self.refresh_tokens[refresh.digest]
        self._journal.execute("DELETE FROM refresh_tokens WHERE digest = ?", (refresh.digest,))

    def _end(self, digest: str) -> None:
        ended = self.access_tokens.pop(digest)
        if ended.refresh_digest:
            self.refresh_tokens[ended.refresh_digest].live.pop(digest, None)
        self._journal.execute("DELETE FROM access_tokens WHERE digest = ?", (digest,))
