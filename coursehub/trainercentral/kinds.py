"""The kind of an answer: what of it may be kept and compared, with all that belongs to one learner left out."""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from coursehub.trainercentral import codes
from coursehub.trainercentral.profile import PAGE, UNREADABLE, AnswerKind
from coursehub.trainercentral.responses import EMAIL_SHAPE, Answer, clean, find_message

# Two bodies of the same keys may say yes and no: the words of these are part of the kind.
_VERDICT_KEYS = frozenset({"status", "success", "result", "state"})
_VERDICT = re.compile(r"[A-Za-z_ ]{1,30}|[0-9]{1,4}")
_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$\-]{0,40}")
_LONG_NUMBER_IN_KEY = re.compile(r"[0-9]{4}")
_WITH_A_DIGIT = re.compile(r"\S*[0-9]\S*")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\u201c[^\u201d]*\u201d")
_DEEPEST, _MOST_KEYS, _MOST_ITEMS, _LONGEST_MESSAGE, _LONGEST_SHAPE = 6, 40, 50, 120, 1_000


def kind_of(answer: Answer, *, call: str, code: str, names: Iterable[str] = ()) -> tuple[AnswerKind, dict[str, Any]]:
    """The kind of `answer` to the endpoint `call`, and a redacted sample: status, code, message, the body's structure.

    `names` (of any length and case) are cut out wherever they stand.
    """
    hidden = _pattern(names)
    message = _template(find_message(answer), hidden)
    structure = _body(answer, hidden)
    shape = json.dumps([structure, message] if message else [structure], sort_keys=True, separators=(",", ":"))
    if isinstance(structure, str):
        shape = f"{structure} {message}".strip()
    if len(shape) > _LONGEST_SHAPE:
        shape = f"{shape[: _LONGEST_SHAPE - 20]}\u2026{sha256(shape.encode()).hexdigest()[:12]}"
    sample = {"status": answer.status, "code": code, "message": message, "body": structure}
    return AnswerKind(call, answer.status, code, shape), sample


def _body(answer: Answer, hidden: re.Pattern[str] | None) -> Any:
    body = answer.json
    if isinstance(body, dict | list):
        return _structure(body, hidden)
    if not answer.text:
        return "empty"
    if "<" in answer.text:
        return PAGE
    return UNREADABLE if answer.text[:1] in "{[" else "text"


def _structure(value: Any, hidden: re.Pattern[str] | None, key: str = "", depth: int = _DEEPEST) -> Any:
    if isinstance(value, dict):
        kept = list(value.items())[:_MOST_KEYS] if depth else []
        return {_key(name, hidden): _structure(held, hidden, name, depth - 1) for name, held in kept}
    if isinstance(value, list):
        kinds = [_structure(held, hidden, key, depth - 1) for held in value[:_MOST_ITEMS]] if depth else []
        unique = {json.dumps(kind, sort_keys=True): kind for kind in kinds}
        return [unique[written] for written in sorted(unique)]
    if value is None:
        return "null"
    if (
        key in _VERDICT_KEYS
        and _VERDICT.fullmatch(written := str(value).strip())
        and not (hidden and hidden.search(written))
    ):
        return f"={written}"
    if isinstance(value, bool):
        return "boolean"
    if not isinstance(value, str):
        return "number"
    found = codes.in_words(value)
    return f"={' '.join(found)}" if found and not (hidden and hidden.search(value)) else "string"


def _key(name: str, hidden: re.Pattern[str] | None) -> str:
    """The key, unless it could be a value: of a table by address, name or id."""
    plain = _KEY.fullmatch(name) and not _LONG_NUMBER_IN_KEY.search(name)
    return name if plain and not (hidden and hidden.search(name)) else "*"


def _template(message: str, hidden: re.Pattern[str] | None) -> str:
    """The message with everything cut out that could belong to one learner or one moment."""
    message = EMAIL_SHAPE.sub("*", message)
    message = hidden.sub("*", message) if hidden else message
    message = _WITH_A_DIGIT.sub("*", _QUOTED.sub("*", message))
    return clean(message)[:_LONGEST_MESSAGE]


def _pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Matches each name, and each word of it, as a whole word."""
    words = {word for name in names for word in (name.strip(), *re.split(r"[^\w]+", name)) if len(word) > 1}
    if not words:
        return None
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
