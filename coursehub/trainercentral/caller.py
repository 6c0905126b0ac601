"""How a call is made: the token, the pace, what is repeated and what is not, and the pages of a list."""

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from coursehub.trainercentral import errors, lenient_values
from coursehub.trainercentral.outcomes import error_of_reading
from coursehub.trainercentral.records import AccessToken
from coursehub.trainercentral.responses import Answer
from coursehub.trainercentral.transport import Transport

logger = logging.getLogger(__name__)

_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.5, 8.0
_STILL_CURRENT_SECONDS = 1.0
_RESENDS = 2
_MOST_PAGES = 100_000
# The TrainerCentralError that an answer means, or None; the second argument are secrets to cut out of its texts.
Judge = Callable[[Answer, tuple[str, ...]], errors.TrainerCentralError | None]


def nobody(endpoint: str, error: errors.TrainerCentralError | None) -> None:
    """The `after_call` of a client whose calls nobody counts."""


class TokenProvider(Protocol):
    """Where access tokens come from."""

    def current(self) -> AccessToken:
        """A token that is good for at least one call. Raises TokenUnavailable."""

    def rejected(self, token: AccessToken) -> None:
        """The server did not accept this token; the next `current()` should give another one, if there is one."""

    def accepted(self, token: AccessToken) -> None:
        """A call with this token succeeded."""


def _total(answer: Any, key: str) -> int | None:
    """The number under `meta` by which a list says how long it is; None where it is no length of a list with rows."""
    total = lenient_values.whole((lenient_values.rows(answer, "meta") or [{}])[0].get(key))
    return total if total and total > 0 else None


class Caller:
    """Makes calls of one API through one Transport; safe to share between threads."""

    def __init__(
        self,
        transport: Transport,
        tokens: TokenProvider,
        *,
        retry_deadline_seconds: float,
        before_call: Callable[[str, str], None],
        after_call: Callable[[str, errors.TrainerCentralError | None], None] = nobody,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._retry_deadline_seconds = retry_deadline_seconds
        self._before_call, self._after_call = before_call, after_call

    def pages(
        self,
        endpoint: str,
        path: str,
        params: dict[str, Any],
        key: str,
        page_size: int,
        total_key: str = "",
        start: int = 0,
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages of raw rows from row `start` until an empty one, or until the total under `meta`, where one is trusted.

        A short page is no end: the server may cap `limit` silently. Raises Unexpected when it repeats a
        page, since it then pays no heed to the start index.
        """
        previous = None
        for _ in range(_MOST_PAGES):
            window = params | {"limit": page_size, "si": start}
            answer = self.call("GET", endpoint, path, params=window, expects=(key,)).json
            page = lenient_values.rows(answer, key) or []
            if not page:
                return
            if page == previous:
                raise errors.Unexpected(f"{endpoint}: the page at {start} repeats the one before")
            yield page
            start, previous = start + len(page), page
            if total_key and start >= (_total(answer, total_key) or float("inf")):
                return
        raise errors.Unexpected(f"{endpoint}: the list does not end")

    def call(
        self,
        method: str,
        endpoint: str,
        path: str,
        *,
        expects: tuple[str, ...] = (),
        judge: Judge | None = None,
        **content: Any,
    ) -> Answer:
        """A successful answer, after as many attempts as are harmless. Raises errors of the tree.

        `judge` says what an answer means; a call that reads can do without, and names the keys that it
        `expects`. `content` is what `Transport.send` takes: params or json.
        """
        judge = judge or (
            lambda answer, secrets: error_of_reading(answer, call=endpoint, expects=expects, secrets=secrets)
        )
        harmless = (errors.Unreachable, errors.Unanswered) if method == "GET" else (errors.Unreachable,)
        gives_up_at = time.monotonic() + self._retry_deadline_seconds
        longest_pause_seconds = _FIRST_BACKOFF_SECONDS
        while True:
            try:
                return self._authorised(method, endpoint, path, judge, content)
            except harmless as error:
                pause_seconds = random.uniform(0, longest_pause_seconds)  # noqa: S311  (full jitter, no secret)
                if time.monotonic() + pause_seconds > gives_up_at:
                    raise
                logger.info("%s %s; once more in %.1f s", method, error.detail, pause_seconds)
            time.sleep(pause_seconds)
            longest_pause_seconds = min(longest_pause_seconds * 2, _LONGEST_BACKOFF_SECONDS)

    def _authorised(self, method: str, endpoint: str, path: str, judge: Judge, content: dict[str, Any]) -> Answer:
        """One attempt, and while the token is not accepted a second with a fresh one and a third with another set's.

        A POST is sent once: nobody has promised that a call answered so did not act, and its caller looks before it
        asks again, then with the fresh token. An answer that only may be about the token costs one fresh token and
        no more: if that is refused too, something else is wrong.
        """
        attempts = 0
        while True:
            token, result = self._attempt(method, endpoint, path, judge, content)
            if isinstance(result, Answer):
                return result
            attempts += 1
            if attempts > 1 and not result.is_certain:
                raise result
            self._tokens.rejected(token)
            if (
                method == "POST"
                or attempts > _RESENDS
                or (not result.is_certain and self._tokens.current().token == token.token)
            ):
                raise result
            logger.info("%s %s: the access token was not accepted; once more with another", method, endpoint)

    def _attempt(
        self, method: str, endpoint: str, path: str, judge: Judge, content: dict[str, Any]
    ) -> tuple[AccessToken, Answer | errors.TokenRejected]:
        """One call: its successful answer, or that the token was not accepted. Raises every other error."""
        # Asked for before the wait, so that no slot of the budget is lost to a refresh, and again after
        # a wait that the token may not have outlived.
        token, asked_at = self._tokens.current(), time.monotonic()
        self._before_call(endpoint, method)
        if time.monotonic() - asked_at > _STILL_CURRENT_SECONDS:
            token = self._tokens.current()
        try:
            answer = self._send(method, endpoint, path, token, content)
            error = judge(answer, (token.token,))
        except errors.TrainerCentralError as failure:
            self._note(endpoint, failure)
            raise
        self._note(endpoint, error)
        if error is None:
            self._tokens.accepted(token)
            return token, answer
        if isinstance(error, errors.TokenRejected):
            return token, error
        if isinstance(error, errors.Unclear) and error.renews_token:
            self._tokens.rejected(token)
        raise error

    def _send(self, method: str, endpoint: str, path: str, token: AccessToken, content: dict[str, Any]) -> Answer:
        authorization = f"Zoho-oauthtoken {token.token}"
        acts = method != "GET"
        return self._transport.send(method, path, call=endpoint, acts=acts, authorization=authorization, **content)

    def _note(self, endpoint: str, error: errors.TrainerCentralError | None) -> None:
        """Tell of the outcome; whoever is told may fail, and the outcome counts all the same."""
        try:
            self._after_call(endpoint, error)
        except Exception as failure:
            logger.warning("%s: the outcome could not be noted (%s)", endpoint, type(failure).__name__)
