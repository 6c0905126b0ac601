"""What is kept of an answer: enough for a person to understand it, and nothing that names anybody.

Kept are keys that look like an API's, codes, the words of a verdict, short numbers, and sentences for people of which
each word is plain. All else is replaced by what it is: "<text>", "<number>", "<e-mail>". Whoever makes the call knows
its names and cuts those out before; here only what is known of texts in general is used.
"""

import re
from typing import Any

_KEY = re.compile(r"[A-Za-z][A-Za-z_]{0,39}[0-9]{0,2}")
_CODE = re.compile(r"[A-Z]{1,24}[0-9]{0,2}(?:_(?:[A-Z]{1,24}[0-9]{0,2}|[0-9]{1,4}))+|[A-Z]{2,12}")
_AT = re.compile(r"@|＠|﹫|%40|&#0*64;|&#x0*40;|&commat;|\\u0040", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_RUN = re.compile(r"[^\s{}\[\]()<>\":;,|=]+")  # in a shape, what stands between its marks
_WORD = re.compile(r"[^\W\d_]{1,24}(?:['’\-][^\W\d_]{1,12})?")
_SHORT_NUMBER = re.compile(r"[0-9]{1,4}")
_AROUND = "\"'“”‘’`.,;:!?()[]{}<>-–—"
_CODE_KEYS = frozenset({"code", "errorcode", "error_code", "status_code", "error_type", "error", "title", "reason"})
_MESSAGE_KEYS = frozenset(
    {
        *("message", "msg", "errormessage", "error_message", "error_description", "description", "details", "error"),
        *("errors", "title", "reason", "text", "body", "info", "result", "statusmessage", "status_message"),
    }
)
_VERDICTS = frozenset(
    {
        *("success", "successful", "successfully", "ok", "okay", "done", "true", "false", "yes", "no", "error"),
        *("failure", "failed", "fail", "pending", "invited", "accepted", "queued", "created", "active", "inactive"),
        *("enrolled", "exists", "added", "sent", "completed", "rejected", "denied", "none", "null", "processing"),
    }
)
# What the client says of a value in place of the value; "=" stands before a verdict or a code that it kept, "*" for
# what it has cut out.
_TYPES = frozenset({"string", "number", "boolean", "null", "text", "page", "empty", "unreadable", "object", "list"})
_SAID, _HIDDEN = "=", "*"
# Words that begin with a capital and name nobody; any other such word may be a name.
_PLAIN_CAPITALS = frozenset(
    {
        *("a", "access", "account", "accounts", "added", "already", "an", "api", "authentication", "authorization"),
        *("bad", "call", "cannot", "conflict", "could", "course", "courses", "creator", "denied", "does", "duplicate"),
        *("e-mail", "email", "enrolled", "enrollment", "enrolment", "error", "errors", "exceeded", "exists", "expired"),
        *("failed", "failure", "field", "first", "forbidden", "found", "gateway", "general", "given", "html", "http"),
        *("id", "in", "internal", "invalid", "invitation", "invite", "invited", "is", "it", "last", "learner"),
        *("learners", "license", "licence", "limit", "log", "login", "mandatory", "maximum", "member", "members"),
        *("method", "missing", "name", "no", "not", "number", "oauth", "of", "one", "operation", "organisation"),
        *("organization", "page", "parameter", "password", "permission", "plan", "please", "portal", "proxy", "rate"),
        *("request", "requests", "required", "resource", "retry", "seats", "server", "service", "sign", "something"),
        *("sorry", "status", "student", "students", "success", "successfully", "temporarily", "the", "there", "this"),
        *("time", "timeout", "to", "token", "too", "many", "trainercentral", "try", "unable", "unauthorized"),
        *(
            "unavailable",
            "unexpected",
            "unknown",
            "updated",
            "upgrade",
            "user",
            "users",
            "value",
            "we",
            "went",
            "wrong",
        ),
        *("you", "your", "zoho"),
    }
)
_DEEPEST, _MOST_KEYS, _MOST_ITEMS, _MOST_VALUES = 6, 30, 3, 120
_MOST_WORDS, _LONGEST_TEXT, _LONGEST_CODE, _LONGEST_SHAPE, _LONGEST_ABBREVIATION = 40, 4_000, 60, 2_000, 4


def sample(body: Any) -> Any:
    """`body` (any JSON value) without anything that could name anybody: JSON, of at most some thousand characters."""
    return _Sample().value(body, "text", 0)


def sentence(text: str) -> str:
    """A text for people, without markup, in which every word that is not plain is replaced."""
    beginning = text[:_LONGEST_TEXT]
    words = _MARKUP.sub(" ", beginning).split() if "<" in beginning else beginning.split()
    kept: list[str] = []
    for word in words:
        shown = _word(word)
        if _is_numeric(shown) and kept and _is_numeric(kept[-1]):
            shown = kept[-1] = "<number>"  # an id that is written in groups
        if not (shown.startswith("<") and kept and kept[-1] == shown):
            kept.append(shown)
    cut = len(kept) > _MOST_WORDS or len(text) > _LONGEST_TEXT
    return " ".join([*kept[:_MOST_WORDS], "…"] if cut else kept)


def code(text: str) -> str:
    """A code, or several, as they are; of anything else what `sentence` keeps."""
    words = text[:_LONGEST_TEXT].split()
    plain = words and all(_CODE.fullmatch(word) or _is_short(word) for word in words)
    return (" ".join(words) if plain else sentence(text))[:_LONGEST_CODE]


def key(text: str) -> str:
    """A key that looks like an API's, or what it is instead."""
    return text if _KEY.fullmatch(text) or text == _HIDDEN else _label(text, "<key>")


def short(text: str) -> str:
    """A value of one word, such as a status or the name of a call: as it is, or what it is instead."""
    return _RUN.sub(_run, text[:_LONGEST_CODE])


def shape(text: str) -> str:
    """The description of a body by its keys and types: words, codes and short numbers, and the marks between them."""
    return _RUN.sub(_run, text[:_LONGEST_SHAPE])


def _run(found: re.Match[str]) -> str:
    run = found[0]
    parts = run.removesuffix(".json").split("/")
    plain = _CODE.fullmatch(run) or all(not part or _KEY.fullmatch(part) or _is_short(part) for part in parts)
    return run if plain else _label(run, "<…>")


class _Sample:
    """Counts the values that were kept, so that a body of any size is looked at only so far."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def value(self, value: Any, under: str, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str):
            return _text(value, under.lower())
        if not isinstance(value, dict | list | tuple):
            return value if isinstance(value, int) and abs(value) < 10_000 else "<number>"
        if depth >= _DEEPEST or self._left < 0:
            return "<…>"
        return self._object(value, depth) if isinstance(value, dict) else self._list(value, under, depth)

    def _object(self, held: dict[str, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in held.items():
            if len(kept) >= _MOST_KEYS or self._left < 0:
                kept["<and more>"] = "<…>"
                break
            shown = key(str(name))
            kept.setdefault(shown, self.value(value, shown, depth + 1))
        return kept

    def _list(self, held: list[Any] | tuple[Any, ...], under: str, depth: int) -> list[Any]:
        kept = [self.value(item, under, depth + 1) for item in held[:_MOST_ITEMS]]
        return kept if len(held) <= _MOST_ITEMS else [*kept, "<and more>"]


def _text(text: str, under: str) -> str:
    bare = text[: _LONGEST_TEXT + 1].strip()
    if not bare or bare.lower() in _VERDICTS or bare in _TYPES or _is_short(bare):
        return bare
    if bare.startswith(_SAID):
        return _SAID + _text(bare.removeprefix(_SAID), "code")
    if under in _CODE_KEYS and len(bare) <= _LONGEST_CODE and all(map(_CODE.fullmatch, bare.split())):
        return bare
    return sentence(bare) if under in _MESSAGE_KEYS else _label(bare, "<text>")


def _word(word: str) -> str:
    """A plain word with the marks around it, or what it is instead."""
    bare = word.strip(_AROUND)
    if _is_short(bare) or bare == _HIDDEN:
        return word
    if _CODE.fullmatch(bare) and ("_" in bare or len(bare) <= _LONGEST_ABBREVIATION):
        return word
    if _WORD.fullmatch(bare) and (bare.islower() or bare.lower() in _PLAIN_CAPITALS):
        return word
    return "<word>" if _WORD.fullmatch(bare) else _label(word, "<…>")


def _is_short(text: str) -> bool:
    return bool(_SHORT_NUMBER.fullmatch(text))


def _is_numeric(word: str) -> bool:
    return word == "<number>" or _is_short(word.strip(_AROUND))


def _label(text: str, other: str) -> str:
    """What a text is that is not kept."""
    if _AT.search(text):
        return "<e-mail>"
    return "<number>" if text.strip(_AROUND).isdecimal() else other
