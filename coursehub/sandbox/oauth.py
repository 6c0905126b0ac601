"""The accounts server's endpoints: consent, tokens, revocation, server info."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode, urlsplit

from coursehub.sandbox import consent
from coursehub.sandbox.http import HTML, Answer, Call, json_answer
from coursehub.sandbox.tokens import Grant, TokenRefused, digest_of, token_id

if TYPE_CHECKING:
    from coursehub.sandbox.sandbox import Sandbox

API_DOMAIN = "https://www.zohoapis.com"  # as documented; not where TrainerCentral's API is
SCOPE = re.compile(r"[A-Za-z]+\.[A-Za-z]+\.[A-Z]+")


def find(method: str, path: str) -> "tuple[str, Callable[[Sandbox, Call], Answer]]":
    """The name and the function of an endpoint; unknown ones answer 404."""
    return ENDPOINTS.get((method, path), ("unknown path", not_found))


def not_found(sandbox: "Sandbox", call: Call) -> Answer:
    """Nothing lives here."""
    return Answer(404, b"<html><body>Not found. The sandbox's own page is /_sandbox/.</body></html>", HTML)


def valid_scope(scope: str) -> bool:
    """Whether this is a list of scopes such as TrainerCentral.courseapi.READ."""
    parts = scope.replace(",", " ").split()
    return bool(parts) and all(map(SCOPE.fullmatch, parts))


def server_info(sandbox: "Sandbox", call: Call) -> Answer:
    """GET /oauth/serverinfo: every data centre is this one server."""
    locations = dict.fromkeys(("us", "eu", "in", "au", "jp", "ca", "sa", "uk", "cn"), call.origin)
    return json_answer({"result": "success", "locations": {**locations, sandbox.switches.location: call.origin}})


def show_consent(sandbox: "Sandbox", call: Call) -> Answer:
    """GET /oauth/v2/auth: the page on which a person approves or denies."""
    asked = call.query()
    problem = _consent_problem(sandbox, asked)
    page = consent.problem_page(problem) if problem else consent.consent_page(asked)
    return Answer(400 if problem else 200, page.encode(), "text/html; charset=utf-8")


def decide_consent(sandbox: "Sandbox", call: Call) -> Answer:
    """POST /oauth/v2/auth: send the browser back with a code, or with access_denied."""
    asked = call.form()
    problem = _consent_problem(sandbox, asked)
    if problem:
        return Answer(400, consent.problem_page(problem).encode(), "text/html; charset=utf-8")
    answer = {"state": asked["state"]} if "state" in asked else {}
    if asked.get("decision") != "approve":
        answer["error"] = "access_denied"
    else:
        first = not sandbox.tokens.refresh_tokens
        offline = asked.get("access_type") == "offline" and (first or asked.get("prompt") == "consent")
        try:
            answer["code"] = sandbox.tokens.issue_code(
                scope=asked["scope"],
                redirect_uri=asked["redirect_uri"],
                offline=offline,
                switches=sandbox.switches,
                now_ms=call.at_ms,
                challenge=asked.get("code_challenge", ""),
            )
            answer |= {"location": sandbox.switches.location, "accounts-server": call.origin}
        except TokenRefused as refused:
            answer["error"] = refused.error
    call.detail = "approved" if "code" in answer else answer["error"]
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return Answer(302, headers={"Location": f"{asked['redirect_uri']}{joint}{urlencode(answer)}"})


def token(sandbox: "Sandbox", call: Call) -> Answer:
    """POST /oauth/v2/token: the body tells success from failure, mostly not the status."""
    asked = call.form()
    kind = asked.get("grant_type", "")
    call.detail = kind if kind in ("authorization_code", "refresh_token", "client_credentials") else "no known grant"
    try:
        grant = _grant(sandbox, call, asked)
    except TokenRefused as refused:
        call.detail += f": {refused.error}"
        body = {"error": refused.error}
        if refused.description:
            body = {"error_description": refused.description, **body, "status": "failure"}
        return json_answer(body, refused.status)
    seconds = sandbox.switches.access_token_seconds
    answer = {"access_token": grant.access_token, "scope": " ".join(grant.scope.replace(",", " ").split())}
    if grant.refresh_token:
        answer["refresh_token"] = grant.refresh_token
    life = {"expires_in": seconds}
    if sandbox.switches.expires_in_style == "legacy":
        life = {"expires_in_sec": seconds, "expires_in": seconds * 1000}
    return json_answer({**answer, "api_domain": API_DOMAIN, "token_type": "Bearer", **life})


def revoke(sandbox: "Sandbox", call: Call) -> Answer:
    """POST /oauth/v2/token/revoke?token="""
    value = call.form().get("token", "")
    call.detail = f"token {token_id(digest_of(value))}"
    if sandbox.tokens.revoke(value):
        return json_answer({"status": "success"})
    return json_answer({"error": "invalid_token", "status": "failure"}, 400)


def revoke_with_client(sandbox: "Sandbox", call: Call) -> Answer:
    """POST /oauth/v2/revoke/token: the newer form, with the client's credentials as Basic."""
    scheme, _, encoded = call.authorization.partition(" ")
    try:
        credentials = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        credentials = ""
    client_id, _, client_secret = (unquote(part) for part in credentials.partition(":"))
    try:
        _check_client(sandbox, {"client_id": client_id, "client_secret": client_secret})
    except TokenRefused as refused:
        return json_answer({"error": refused.error}, 401)
    return revoke(sandbox, call)


def _grant(sandbox: "Sandbox", call: Call, asked: dict[str, str]) -> Grant:
    needed = {"authorization_code": "code", "refresh_token": "refresh_token", "client_credentials": "scope"}
    kind = asked.get("grant_type", "")
    if kind not in needed or not all(asked.get(key) for key in (needed[kind], "client_id", "client_secret")):
        raise TokenRefused("general_error")
    _check_client(sandbox, asked)
    if kind == "authorization_code":
        redirect_uri = asked.get("redirect_uri", "")
        verifier = asked.get("code_verifier", "")
        return sandbox.tokens.exchange(asked["code"], redirect_uri, sandbox.switches, call.at_ms, verifier)
    if kind == "refresh_token":
        call.detail = f"refresh_token {token_id(digest_of(asked['refresh_token']))}"
        return sandbox.tokens.refresh(asked["refresh_token"], sandbox.switches, call.at_ms)
    if not valid_scope(asked["scope"]):
        raise TokenRefused("invalid_scope")
    return sandbox.tokens.client_credentials(asked["scope"], sandbox.switches, call.at_ms)


def _check_client(sandbox: "Sandbox", asked: dict[str, str]) -> None:
    if asked["client_id"] != sandbox.switches.client_id or sandbox.switches.another_data_centre:
        raise TokenRefused("invalid_client")
    if asked["client_secret"] != sandbox.switches.client_secret:
        raise TokenRefused("invalid_client_secret")


def _consent_problem(sandbox: "Sandbox", asked: dict[str, str]) -> str:
    redirect = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") != sandbox.switches.client_id:
        return "This client is not registered here."
    if redirect.scheme not in ("http", "https") or not redirect.netloc or redirect.fragment:
        return "The redirect address is not valid."
    if sandbox.switches.redirect_uris and asked["redirect_uri"] not in sandbox.switches.redirect_uris:
        return "The redirect address is not registered."
    if asked.get("response_type") != "code":
        return "The response type must be code."
    if not valid_scope(asked.get("scope", "")):
        return "The scope is not valid."
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        return "The code challenge method must be S256."
    return ""


ENDPOINTS: "dict[tuple[str, str], tuple[str, Callable[[Sandbox, Call], Answer]]]" = {
    ("GET", "/oauth/serverinfo"): ("GET oauth/serverinfo", server_info),
    ("GET", "/oauth/v2/auth"): ("GET oauth/v2/auth", show_consent),
    ("POST", "/oauth/v2/auth"): ("POST oauth/v2/auth", decide_consent),
    ("POST", "/oauth/v2/token"): ("POST oauth/v2/token", token),
    ("POST", "/oauth/v2/token/revoke"): ("POST oauth/v2/token/revoke", revoke),
    ("POST", "/oauth/v2/revoke/token"): ("POST oauth/v2/revoke/token", revoke_with_client),
}
