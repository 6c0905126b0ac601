"""From an answer to the error it means.

The API's error envelope is unknown and Zoho's products disagree (contract §4.2), so codes and
messages are looked for anywhere in the body, and in answers of HTTP 200 too.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from coursehub.trainercentral import errors, reading

_CODE_KEYS = ("errorCode", "error_code", "code", "title", "error", "status_code")
_MESSAGE_KEYS = ("message", "msg", "error_description", "errorMessage", "description")
_CODE_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|UNAUTHORISED|UNAUTHORIZED|FORBIDDEN")
_TOKEN_SHAPE = re.compile(r"\b1000\.[0-9a-zA-Z.]{8,}")
_EMAIL_SHAPE = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_AGAIN_AFTER = re.compile(r"after\s+(\d{1,4})\s*(second|minute|hour)", re.IGNORECASE)
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_LONGEST_WAIT_SECONDS = 86_400.0  # beyond a day a wait is taken for nonsense
_SENTENCE_LENGTH = 200
_DEEPEST_LEVEL = 12

ALREADY_ENROLLED = "ALREADY_ENROLLED"
_TOKEN = frozenset({"INVALID_OAUTHTOKEN", "INVALID_TOKEN"})
_SCOPE = frozenset({"INVALID_OAUTHSCOPE", "OAUTH_SCOPE_MISMATCH"})
_CREDENTIAL = frozenset({"NOT_AUTHENTICATED", "AUTHENTICATION_FAILED"})
_FORBIDDEN = frozenset({"UNAUTHORISED", "UNAUTHORIZED", "FORBIDDEN"})
_THROTTLE = frozenset({"URL_ROLLING_THROTTLES_LIMIT_EXCEEDED", "THROTTLES_LIMIT_EXCEEDED", "TOO_MANY_REQUESTS"})
_NOT_FOUND = frozenset({"RESOURCE_NOT_FOUND", "COURSE_NOT_FOUND"})
_BY_CODE: dict[str, type[errors.TrainerCentralError]] = {
    **dict.fromkeys(_TOKEN, errors.TokenRejected),
    **dict.fromkeys(_SCOPE, errors.ScopeMissing),
    **dict.fromkeys(_CREDENTIAL, errors.NotAuthorised),
    **dict.fromkeys(_FORBIDDEN, errors.Forbidden),
    **dict.fromkeys(_THROTTLE, errors.Throttled),
    **dict.fromkeys(_NOT_FOUND, errors.NotFound),
    "URL_RULE_NOT_CONFIGURED": errors.Unexpected,  # no such path: this client or its address is wrong
}
_BY_STATUS: dict[int, type[errors.TrainerCentralError]] = {
    401: errors.NotAuthorised,
    403: errors.Forbidden,
    404: errors.NotFound,
    429: errors.Throttled,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read completely. Header names are lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return reading.document(self.body)


def error_in(
    answer: Answer, *, call: str, acts: bool, expects: Iterable[str], secrets: Iterable[str] = ()
) -> errors.TrainerCentralError | None:
    """The TrainerCentralError that `answer` means, or None for a success.

    `call` names the endpoint for the log. A success is a 2xx that holds one of the keys `expects`
    (none expected: any 2xx without an error in it). `acts`: the call changes something, so that an
    answer which leaves open whether it did is OutcomeUnknown. `secrets` are cut out of all texts.
    """
    body, expected = answer.json, tuple(expects)
    successful = 200 <= answer.status < 300
    code = find_code(body, without=expected)
    if successful and _holds_one_of(body, expected) and code not in _BY_CODE:
        return None
    message = clean(find_message(body), secrets)
    detail = f"{call}: HTTP {answer.status} {code} {_EMAIL_SHAPE.sub('<e-mail>', message)}".rstrip()
    if answer.status >= 500 or answer.status == 408:
        return errors.OutcomeUnknown(detail) if acts else errors.Unanswered(detail)
    if successful and not code and not _holds_error(body):
        return _unreadable(body, expected, detail, acts)
    return _refusal(answer, code, message, detail)


def _refusal(answer: Answer, code: str, message: str, detail: str) -> errors.TrainerCentralError:
    kind = _BY_CODE.get(code) or _BY_STATUS.get(answer.status)
    if kind is errors.Throttled:
        return errors.Throttled(detail, wait_seconds=_wait_seconds(answer, message))
    if kind is not None:
        return kind(detail)
    if 300 <= answer.status < 400 or answer.status < 200:
        return errors.Unexpected(detail)
    return errors.Refused(detail, message, code)


def _unreadable(body: Any, expected: tuple[str, ...], detail: str, acts: bool) -> errors.TrainerCentralError | None:
    """A 2xx with neither an error nor what was expected in it."""
    if not expected:
        return None
    if acts:
        return errors.OutcomeUnknown(f"{detail} without a readable body")
    if body is None:
        return errors.Unanswered(f"{detail} without a readable body")
    return errors.Unexpected(f"{detail} without {' or '.join(expected)}")


def _holds_one_of(body: Any, expected: tuple[str, ...]) -> bool:
    return isinstance(body, dict) and any(isinstance(body.get(key), dict | list) for key in expected)


def _holds_error(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    return bool(body.get("error") or body.get("errors")) or body.get("status") in ("error", "failure")


def find_code(body: Any, *, without: Iterable[str] = ()) -> str:
    """The error code in `body`: one this client knows, else the first that looks like one, else ''.

    Keys named in `without` hold records, not errors, and are not searched.
    """
    found = [
        value
        for key, value in _pairs(body, frozenset(without))
        if key in _CODE_KEYS and isinstance(value, str) and len(value) <= 80 and _CODE_SHAPE.fullmatch(value)
    ]
    known = (code for code in found if code in _BY_CODE or code == ALREADY_ENROLLED)
    return next(known, found[0] if found else "")


def find_message(body: Any) -> str:
    """The first text meant for people in `body`, or ''."""
    return next((value for key, value in _pairs(body) if key in _MESSAGE_KEYS and isinstance(value, str)), "")


def clean(message: str, secrets: Iterable[str] = ()) -> str:
    """`message` as one line of at most 200 characters, with `secrets` and whatever looks like a token cut out."""
    for secret in secrets:
        if secret:
            message = message.replace(secret, "<hidden>")
    message = _TOKEN_SHAPE.sub("<hidden>", message)
    printable = "".join(character if character.isprintable() else " " for character in message)
    return " ".join(printable.split())[:_SENTENCE_LENGTH]


def _pairs(body: Any, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """Every key and value at any level, outer levels first."""
    level = [body]
    for _ in range(_DEEPEST_LEVEL):
        level = [item for value in level for item in (value if isinstance(value, list) else [value])]
        inner = []
        for value in level:
            if isinstance(value, dict):
                kept = [(key, held) for key, held in value.items() if key not in without]
                yield from kept
                inner += [held for _, held in kept]
        level = inner + [item for value in level if isinstance(value, list) for item in value]


def retry_after_seconds(header: str) -> float | None:
    """A Retry-After of seconds (fractions too) or of a date; None when absent, negative or longer than a day."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        seconds = max(seconds, 0.0) if seconds > -_LONGEST_WAIT_SECONDS else seconds
    return seconds if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_WAIT_SECONDS else None


def _wait_seconds(answer: Answer, message: str) -> float | None:
    """Their Retry-After, else the "after N minutes" of their message; at least a second."""
    seconds = retry_after_seconds(answer.headers.get("retry-after", ""))
    spoken = _AGAIN_AFTER.search(message)
    if seconds is None and spoken:
        seconds = min(float(spoken[1]) * _UNIT_SECONDS[spoken[2].lower()], _LONGEST_WAIT_SECONDS)
    return None if seconds is None else max(seconds, 1.0)
