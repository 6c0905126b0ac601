"""From an answer to the error it means, or to None for a success.

Codes come before the status: a known one means the same with 400, 500 or 200. What remains is read by the
status; of a call that acts only a 4xx proves that it did not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coursehub.trainercentral import codes, errors, kinds, waiting
from coursehub.trainercentral.profile import AnswerKind, Meaning
from coursehub.trainercentral.responses import EMAIL_SHAPE, Answer, clean, find_codes, find_message, says_no

_TIMEOUT, _CONFLICT = 408, 409
# Time-outs, also those that well-known proxies invented, and a conflict, which may be with what is there already.
_MAY_HAVE_ACTED = frozenset({_TIMEOUT, _CONFLICT, 425, 444, 460, 499})
_ALREADY_IN_WORDS = ("already", "duplicate")
_THROTTLE_IN_WORDS = ("too many requests", "too many calls", "rate limit", "throttl")
_SCOPE_IN_WORDS = "scope"


@dataclass(frozen=True)
class Said:
    """An answer with what can be found in it."""

    answer: Answer
    call: str
    codes: list[str]
    message: str
    detail: str

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def is_2xx(self) -> bool:
        return 200 <= self.answer.status < 300

    @property
    def code(self) -> str:
        """The known code, else all of them: a number and its name say more together."""
        return codes.known(self.codes) or " ".join(self.codes)[:80]

    @property
    def words(self) -> str:
        return self.message.lower()


def read(answer: Answer, *, call: str, without: Iterable[str] = (), secrets: Iterable[str] = ()) -> Said:
    """`call` names the endpoint for the log; `secrets` are cut out of all texts."""
    found, message = find_codes(answer, without=without), clean(find_message(answer), secrets)
    code = codes.known(found) or " ".join(found)[:80]
    detail = f"{call}: HTTP {answer.status} {code} {EMAIL_SHAPE.sub('<e-mail>', message)}".rstrip()
    return Said(answer, call, found, message, detail)


def error_of_reading(
    answer: Answer, *, call: str, expects: Iterable[str], secrets: Iterable[str] = ()
) -> errors.TrainerCentralError | None:
    """A success is a 2xx that holds one of the keys `expects` (none expected: any 2xx without an error in it)."""
    expected = tuple(expects)
    said = read(answer, call=call, without=expected, secrets=secrets)
    known = codes.known(said.codes)
    if said.is_2xx and holds_one_of(answer, expected) and not known:
        return None
    error = _known_error(said)
    if error is not None:
        return error
    if said.status >= 500 or said.status == _TIMEOUT:
        return errors.Unanswered(said.detail)
    if said.is_2xx and not said.codes and not says_no(answer):
        return _unexpected(said, expected)
    return _by_status(said)


@dataclass(frozen=True)
class Acting:
    """What the answers to one call that acts mean.

    `is_proven(answer)` says whether a 2xx shows that the call acted. `secrets` are cut out of all texts, and
    `names` (whatever belongs to this one learner) out of what is told of the answer's kind. `meanings()` are
    those learnt by `AnswerKind.key`; `tell` is told of a kind that means nothing to anybody yet.
    """

    call: str
    is_proven: Callable[[Answer], bool]
    names: tuple[str, ...] = ()
    meanings: Callable[[], Mapping[str, Meaning]] = field(default=dict)
    tell: Callable[[AnswerKind, dict[str, Any]], None] = lambda kind, sample: None

    def error(self, answer: Answer, secrets: tuple[str, ...] = ()) -> errors.TrainerCentralError | None:
        """None for a success; Refused with ALREADY_ENROLLED where the learner proves to be there."""
        said = read(answer, call=self.call, secrets=secrets)
        proven = said.is_2xx and self.is_proven(answer)
        if proven and not any(not code.isdecimal() for code in said.codes) and not says_no(answer):
            return None
        if not proven and not codes.is_open(said.codes) and (error := _known_error(said)):
            return error if self._did_not_act(said, error) else self._unclear(said, error)
        return self._learnt(said, secrets)

    @staticmethod
    def _did_not_act(said: Said, error: errors.TrainerCentralError) -> bool:
        """A token refused by a server in trouble is renewed, but the call is not sent again on the strength of that."""
        return not (isinstance(error, errors.TokenRejected) and said.status >= 500)

    def _learnt(self, said: Said, secrets: tuple[str, ...]) -> errors.TrainerCentralError | None:
        """What was learnt of answers of this kind, else our own guess."""
        kind, sample = kinds.kind_of(said.answer, call=self.call, code=said.code, names=(*self.names, *secrets))
        meaning = self.meanings().get(kind.key) if kind.is_learnable else None
        if meaning is not None:
            return _meant(meaning, said, kind)
        if kind.is_learnable:
            self.tell(kind, sample)
        return _guess(said, kind)

    def _unclear(self, said: Said, cause: errors.TrainerCentralError | None = None) -> errors.Unclear:
        kind, _ = kinds.kind_of(said.answer, call=self.call, code=said.code, names=self.names)
        unclear = errors.Unclear(said.detail, kind=kind, code=said.code)
        unclear.renews_token = isinstance(cause, errors.TokenRejected)
        return unclear


def _guess(said: Said, kind: AnswerKind) -> errors.TrainerCentralError:
    """Of a kind that nobody knows: a 4xx did not act, unless it speaks of time or of what is there already."""
    is_4xx = 400 <= said.status < 500 and said.status not in _MAY_HAVE_ACTED
    there = codes.is_there(said.codes) or any(word in said.words for word in _ALREADY_IN_WORDS)
    if not is_4xx or there or codes.is_open(said.codes):
        return errors.Unclear(said.detail, kind=kind, code=said.code)
    error = _by_status(said)
    if isinstance(error, errors.Refused):
        error.kind = kind
    return error


def _meant(meaning: Meaning, said: Said, kind: AnswerKind) -> errors.TrainerCentralError | None:
    if meaning is Meaning.INVITED:
        return None
    if meaning is Meaning.ALREADY_ENROLLED:
        return errors.Refused(said.detail, said.message, codes.ALREADY_ENROLLED, kind=kind)
    if meaning is Meaning.WAIT:
        return _throttled(said)
    if meaning is Meaning.STOP:
        return errors.Stopped(said.detail, said.message, kind=kind)
    return errors.Refused(said.detail, said.message, said.code, kind=kind)


def _known_error(said: Said) -> errors.TrainerCentralError | None:
    """What is sure: a known code, a 401, a throttle. None for everything else."""
    code = codes.known(said.codes)
    kind = codes.error_of(code)
    if kind is errors.Refused:
        return errors.Refused(said.detail, said.message, code)
    if kind is not None:
        return _throttled(said) if kind is errors.Throttled else kind(said.detail)
    challenge = said.answer.headers.get("www-authenticate", "").lower()
    if said.status in (401, 403) and "insufficient_scope" in challenge:
        return errors.ScopeMissing(said.detail)
    if said.status == 401:
        return _of_401(said, challenge)
    if said.status == 429 or (400 <= said.status < 500 and any(word in said.words for word in _THROTTLE_IN_WORDS)):
        return _throttled(said)
    return None


def _of_401(said: Said, challenge: str) -> errors.TrainerCentralError:
    """Whatever its body says the token may be at fault, unless it speaks of a scope."""
    if _SCOPE_IN_WORDS in said.words:
        return errors.ScopeMissing(said.detail)
    return errors.TokenRejected(said.detail, is_certain="invalid_token" in challenge)


def _throttled(said: Said) -> errors.Throttled:
    wait_seconds = waiting.wait_seconds(said.answer.headers, said.message)
    return errors.Throttled(said.detail, wait_seconds=wait_seconds, endpoint=said.call)


def _by_status(said: Said) -> errors.TrainerCentralError:
    if said.status == 403:
        return errors.Forbidden(said.detail)
    if said.status == 404:
        return errors.NotFound(said.detail)
    if 300 <= said.status < 400 or said.status < 200:
        return errors.Unexpected(said.detail)
    return errors.Refused(said.detail, said.message, said.code)


def _unexpected(said: Said, expected: tuple[str, ...]) -> errors.TrainerCentralError | None:
    """A 2xx with neither an error nor what was expected in it."""
    if not expected:
        return None
    if said.answer.json is None:
        return errors.Unanswered(f"{said.detail} without a readable body")
    return errors.Unexpected(f"{said.detail} without {' or '.join(expected)}")


def holds_one_of(answer: Answer, expected: tuple[str, ...]) -> bool:
    body = answer.json
    return isinstance(body, dict) and any(isinstance(body.get(key), dict | list) for key in expected)
