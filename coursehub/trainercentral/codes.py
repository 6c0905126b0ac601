"""Codes in answers: how they look, and what those stand for that this client knows for sure."""

import re
from collections.abc import Iterable

from coursehub.trainercentral import errors

ALREADY_ENROLLED = "ALREADY_ENROLLED"
_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|UNAUTHORISED|UNAUTHORIZED|FORBIDDEN|UNAUTHENTICATED")
_WORDS = re.compile(r"[A-Za-z0-9_]+")
# "ST_94: The course does not exist."
_AT_THE_BEGINNING = re.compile(r"\W{0,2}([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\W{0,2}[:\-\u2013]\s")
# Numbers below stand for an HTTP status, or for a kind of success.
_LEAST_NUMBER, _LONGEST = 600, 80

_TOKEN = frozenset(
    {
        *("INVALID_OAUTHTOKEN", "INVALID_OAUTH_TOKEN", "INVALID_TOKEN", "INVALID_ACCESS_TOKEN", "INVALID_AUTHTOKEN"),
        *("TOKEN_EXPIRED", "EXPIRED_TOKEN", "ACCESS_TOKEN_EXPIRED", "OAUTH_TOKEN_EXPIRED", "UNAUTHENTICATED"),
        *("AUTHENTICATION_FAILURE", "AUTHENTICATION_FAILED", "NOT_AUTHENTICATED", "AUTHENTICATION_REQUIRED"),
    }
)
_FORBIDDEN = frozenset({"UNAUTHORISED", "UNAUTHORIZED", "FORBIDDEN"})
_THROTTLE = frozenset({"TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED", "API_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"})
_NOT_FOUND = frozenset({"RESOURCE_NOT_FOUND", "COURSE_NOT_FOUND"})
# Documented by the vendor's filter, or recorded on this product: this learner, or this course, is not taken.
_REFUSED = frozenset(
    {
        *("INVALID_EMAIL", "PATTERN_NOT_MATCHED", "LESS_THAN_MIN_OCCURANCE", "MORE_THAN_MAX_OCCURANCE"),
        *("INVALID_INPUT", "EXTRA_PARAM_FOUND", "EXTRA_KEY_FOUND_IN_JSON", "JSON_PARSE_ERROR"),
        *("INVALID_COURSE", "ST_94", "LIMIT_EXCEEDED", "ACCESS_REVOKED", ALREADY_ENROLLED),
    }
)
# Trouble inside the server: it may come before the work, in its midst, or after it.
_OPEN = frozenset({"ST_01", "GENERAL_FAILURE", "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "SERVER_ERROR"})
_THERE = re.compile(r"ALREADY|DUPLICATE|(?<!NOT_)(?<!NOT)EXISTS?\b")


def error_of(code: str) -> type[errors.TrainerCentralError] | None:
    """The error that a code stands for; None for one that this client does not know."""
    if "SCOPE" in code:
        return errors.ScopeMissing
    if code in _TOKEN:
        return errors.TokenRejected
    if code in _THROTTLE or "THROTTLE" in code:
        return errors.Throttled
    if code in _NOT_FOUND:
        return errors.NotFound
    if code == "URL_RULE_NOT_CONFIGURED":  # no such path: this client or its address is wrong
        return errors.Unexpected
    return errors.Forbidden if code in _FORBIDDEN else errors.Refused if code in _REFUSED else None


def is_open(codes: Iterable[str]) -> bool:
    """Whether one of them says that the server itself is in trouble."""
    return any(code in _OPEN for code in codes)


def is_there(codes: Iterable[str]) -> bool:
    """Whether one of them reads as if the learner were there already."""
    return any(_THERE.search(code) for code in codes)


def known(codes: Iterable[str]) -> str:
    """The first that this client knows, or ''."""
    return next((code for code in codes if error_of(code)), "")


def in_value(value: object) -> list[str]:
    """The codes that a value under a key for codes is: one, or a number with its name."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [str(value)] if _LEAST_NUMBER <= value < 10**10 else []
    if not isinstance(value, str) or len(value) > _LONGEST:
        return []
    if value.isascii() and value.isdecimal():
        return in_value(int(value))
    return in_words(value)


def in_words(text: str) -> list[str]:
    """The codes of a text that is nothing else, or that begins with one; OAuth's own are written in small letters."""
    words = _WORDS.findall(text) if len(text) <= _LONGEST else []
    if words and all(_SHAPE.fullmatch(word) for word in words):
        return words
    if len(words) == 1 and error_of(words[0].upper()) and "_" in words[0]:
        return [words[0].upper()]
    beginning = _AT_THE_BEGINNING.match(text)
    return [beginning[1]] if beginning else []


def in_page(text: str) -> list[str]:
    """Known codes anywhere in a text that is no JSON."""
    return [word for word in _WORDS.findall(text) if _SHAPE.fullmatch(word) and (error_of(word) or word in _OPEN)]
