"""What stands in an answer, whatever its envelope: codes, the sentence for people, a verdict.

The API's error envelope is unknown and Zoho's products disagree (contract §4.2), so codes and messages are
looked for anywhere in the body, and in answers of HTTP 200 too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from coursehub.trainercentral import codes, lenient_values

_CODE_KEYS = ("errorCode", "error_code", "code", "title", "error", "status_code", "errorcode", "reason")
# Of a record, `title` and `code` are its own.
_CODE_KEYS_OF_A_RECORD = ("errorCode", "error_code", "error")
_MESSAGE_KEYS = (
    *("message", "msg", "errorMessage", "error_message", "error_description", "description"),
    *("details", "error", "errors", "title", "reason"),
)
_RECORD_KEYS = frozenset({"courseMembersId", "courseMemberId", "orgMemberId", "courseName", "email", "emailId"})
_TOKEN_SHAPE = re.compile(r"\b1000\.[0-9a-zA-Z.]{8,}")
EMAIL_SHAPE = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_NO = frozenset({"error", "failure", "failed", "fail", "false", "rejected", "invalid", "no"})
_SENTENCE_LENGTH = 200
_TEXT_LENGTH = 4_000
_DEEPEST_LEVEL = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read completely. Header names are lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return lenient_values.document(self.body)

    @property
    def text(self) -> str:
        """The beginning of the body, as text."""
        return self.body[:_TEXT_LENGTH].decode("utf-8", "replace").strip()


def find_codes(answer: Answer, *, without: Iterable[str] = ()) -> list[str]:
    """The codes in an answer, each once, the outer ones first.

    Keys named in `without` hold records, not errors, and are not searched.
    """
    body = answer.json
    if not isinstance(body, dict | list):
        text = body if isinstance(body, str) else answer.text
        return list(dict.fromkeys(codes.in_words(text) or codes.in_page(text)))
    found = []
    for keys, key, value in _pairs(body, frozenset(without)):
        if key in (_CODE_KEYS_OF_A_RECORD if keys & _RECORD_KEYS else _CODE_KEYS):
            found += codes.in_value(value)
        elif key in _MESSAGE_KEYS and isinstance(value, str):
            found += codes.in_words(value)
    return list(dict.fromkeys(found))


def find_message(answer: Answer) -> str:
    """The text meant for people in an answer, or ''."""
    body = answer.json
    if isinstance(body, str):
        return body
    if not isinstance(body, dict | list):
        return "" if "<" in answer.text or answer.text[:1] in ("{", "[") else answer.text
    texts = [(key, text) for key, text in _texts(body) if text.strip() and not codes.in_value(text)]
    # A sentence before a word, and what is called a message before what may be one.
    texts.sort(key=lambda found: (" " not in found[1].strip(), _MESSAGE_KEYS.index(found[0])))
    return texts[0][1] if texts else ""


def says_no(answer: Answer) -> bool:
    """Whether the body speaks of an error or a failure of the call as a whole."""
    for keys, key, value in _pairs(answer.json):
        if keys & _RECORD_KEYS:
            continue
        if key in ("error", "errors") and value and value != "false":
            return True
        if key in ("status", "success", "result") and _is_no(value):
            return True
    return False


def _is_no(value: Any) -> bool:
    """A failure in words, or the number of an HTTP status that is one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str) and not value.isdecimal():
        return value.lower() in _NO
    number = lenient_values.whole(value)
    return number is not None and 400 <= number < 600


def clean(message: str, secrets: Iterable[str] = ()) -> str:
    """`message` as one line of at most 200 characters, with `secrets` and whatever looks like a token cut out."""
    for secret in secrets:
        if secret:
            message = message.replace(secret, "<hidden>")
    message = _TOKEN_SHAPE.sub("<hidden>", message)
    printable = "".join(character if character.isprintable() else " " for character in message)
    return " ".join(printable.split())[:_SENTENCE_LENGTH]


def objects(body: Any) -> Iterator[tuple[frozenset[str], dict[str, Any]]]:
    """Every object at any level, outer ones first, with the keys under which it and what is around it stand."""
    level: list[tuple[frozenset[str], Any]] = [(frozenset(), body)]
    for _ in range(_DEEPEST_LEVEL):
        level = [(under, item) for under, value in level for item in (value if isinstance(value, list) else [value])]
        inner: list[tuple[frozenset[str], Any]] = []
        for under, value in level:
            if isinstance(value, dict):
                yield under, value
                inner += [(under | {key}, held) for key, held in value.items()]
            elif isinstance(value, list):
                inner.append((under, value))
        level = inner


def _pairs(body: Any, without: frozenset[str] = frozenset()) -> Iterator[tuple[frozenset[str], str, Any]]:
    """Every key and value at any level with all keys beside it, outer levels first."""
    for under, found in objects(body):
        if not under & without:
            keys = frozenset(found)
            yield from ((keys, key, value) for key, value in found.items() if key not in without)


def _texts(body: Any) -> Iterator[tuple[str, str]]:
    """Texts that may be meant for people: under a key for messages, in a list there, or in an object of details."""
    for _, found in objects(body):
        for key, value in found.items():
            if key not in _MESSAGE_KEYS:
                continue
            held = value if isinstance(value, list) else list(value.values()) if _is_details(key, value) else [value]
            yield from ((key, text) for text in held if isinstance(text, str))


def _is_details(key: str, value: Any) -> bool:
    return key in ("details", "errors") and isinstance(value, dict)
