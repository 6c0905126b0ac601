"""One HTTP exchange, and the one place where errors of the HTTP library become ours."""

import http.client
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from coursehub.trainercentral import errors
from coursehub.trainercentral.responses import Answer

_LARGEST_BODY_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# A server may close a connection that nobody uses just as we send on it, which for a call that acts
# would leave its outcome unknown. Common idle limits begin at 15 s or so.
_LONGEST_IDLE_SECONDS = 10.0
_POOL_SIZE = 32
_NEVER_SENT = (
    requests.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,  # refused, unreachable, unknown host
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    ssl.SSLCertVerificationError,  # checked in the handshake, before the first byte of the request
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
_LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


class _Authorization(AuthBase):
    """Sets our header, and keeps requests from looking for other credentials in a .netrc file."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value:
            request.headers["Authorization"] = self._value
        return request


class Transport:
    """Pooled connections to one server; safe to share between threads. Follows no redirect, keeps no cookie."""

    def __init__(self, base_url: str, *, connect_timeout_seconds: float, read_timeout_seconds: float) -> None:
        self.base_url = base_url.rstrip("/")
        self._connect_timeout_seconds = connect_timeout_seconds
        self._read_timeout_seconds = read_timeout_seconds
        self._used_at = time.monotonic()
        self._session = requests.Session()
        self._read_environment()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_POOL_SIZE, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def _read_environment(self) -> None:
        """Proxies and certificates of the environment, once; requests would look them up for every call."""
        with suppress(ValueError):  # an address that is none is found out by the first call
            found = self._session.merge_environment_settings(self.base_url, {}, None, None, None)
            self._session.proxies, self._session.verify = dict(found["proxies"]), found["verify"]
        self._session.trust_env = False

    def send(
        self,
        method: str,
        path: str,
        *,
        call: str,
        acts: bool,
        authorization: str = "",
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send once and read the whole answer, whatever its status.

        Raises Unreachable, OutcomeUnknown (`acts`) or Unanswered. `call` names the endpoint in their
        details, since the library's own texts hold whole addresses.
        """
        self._drop_idle_connections()
        failure: errors.TrainerCentralError
        try:
            with self._request(method, path, authorization, params=params, json=json, data=form) as response:
                return self._read(response)
        except _LIBRARY_ERRORS as error:
            failure = _meaning(error, call, acts)
        # Raised out here, so that the library's exception, which holds the request and its header, is not its context.
        raise failure

    def _request(self, method: str, path: str, authorization: str, **content: Any) -> requests.Response:
        return self._session.request(
            method,
            self.base_url + path,
            **content,
            auth=_Authorization(authorization),
            timeout=(self._connect_timeout_seconds, self._read_timeout_seconds),
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: requests.Response) -> Answer:
        """The whole body, within the read time-out in all and not just between two packets."""
        ends_at = time.monotonic() + self._read_timeout_seconds
        body = bytearray()
        # read1 returns what has come; iter_content would wait for whole chunks, however slow.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if time.monotonic() > ends_at:
                raise requests.ReadTimeout("the answer did not end in time")
            if len(body) > _LARGEST_BODY_BYTES:
                raise requests.RequestException("the answer does not end")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, bytes(body))

    def _drop_idle_connections(self) -> None:
        if time.monotonic() - self._used_at > _LONGEST_IDLE_SECONDS:
            self._session.close()  # its pools start afresh with the next call
        self._used_at = time.monotonic()

    def close(self) -> None:
        self._session.close()


def _meaning(error: BaseException, call: str, acts: bool) -> errors.TrainerCentralError:
    kind = " <- ".join(type(cause).__name__ for cause in _causes(error))
    detail = f"{call}: {kind}"
    if any(isinstance(cause, _NEVER_SENT) for cause in _causes(error)):
        return errors.Unreachable(detail)
    return errors.OutcomeUnknown(detail) if acts else errors.Unanswered(detail)


def _causes(error: BaseException) -> Iterable[BaseException]:
    """The error and what the libraries wrapped it around, outermost first."""
    seen: list[BaseException] = []
    inner: Any = error
    while isinstance(inner, BaseException) and inner not in seen:
        seen.append(inner)
        inner = getattr(inner, "reason", None) or next(
            (held for held in inner.args if isinstance(held, Exception)), None
        )
    return seen
