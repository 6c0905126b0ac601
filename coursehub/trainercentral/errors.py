"""Everything that can go wrong with a remote call, as one tree.

TrainerCentralError
├── Unreachable              the call provably never left: refused, unknown host, connect time-out
├── Unanswered               a reading call was sent and got no usable answer
├── OutcomeUnknown           an acting call was sent and got no answer: read back first
│   └── Unclear              it was answered, and the answer leaves open whether it acted
├── Throttled                rate limit; `wait_seconds` says for how long
├── NotAuthorised
│   ├── TokenRejected        the access token is expired, revoked or pushed out
│   ├── ScopeMissing         the token was granted without the scope of this call
│   └── Forbidden            the account behind the token may not do this
├── TokenUnavailable         no access token can be had at present, so nothing was sent
├── NotFound                 the thing named in the call does not exist
├── Refused                  the call was understood and refused; the sentence is theirs
├── Stopped                  the academy's profile says that no call will act until a person resumes
├── Unexpected               the answer fits no description of this API; a call that acts did not act
│   └── NotPaged             a list repeats itself instead of going on
└── OAuthError               answers of the accounts server
    ├── InvalidCode          permanent for this code or this refresh token
    ├── ClientWide           wrong for the whole client, for no token in particular
    ├── MintThrottled        too many tokens asked for; `wait_seconds` says how long to wait
    └── AccountsUnavailable  anything else; passes by itself
"""

from coursehub.trainercentral.profile import PAGE, TIME_OUTS, AnswerKind

# What to wait when a throttled answer does not say it (contract §7.2: the first step of 5 -> 15 -> 30 minutes).
THROTTLE_WAIT_SECONDS = 300.0
# "Then blocked for the rest of the 10 minutes" (contract §5.5).
MINT_THROTTLE_WAIT_SECONDS = 600.0


class TrainerCentralError(Exception):
    """A remote call failed.

    `sentence` is one plain sentence for people, `detail` is for logs; neither holds a secret.
    `retry_helps`: the same call, made later, may succeed and can do no harm.
    """

    retry_helps = False
    default_sentence = "The call to TrainerCentral failed."

    def __init__(self, detail: str = "", sentence: str = "") -> None:
        self.detail = detail or type(self).__name__
        self.sentence = sentence or self.default_sentence
        super().__init__(self.detail)


class Unreachable(TrainerCentralError):
    """The call provably never reached the server."""

    retry_helps = True
    default_sentence = "TrainerCentral cannot be reached."


class Unanswered(TrainerCentralError):
    """A call that only reads got no usable answer: time-out, reset, HTTP 5xx."""

    retry_helps = True
    default_sentence = "TrainerCentral did not answer."


class OutcomeUnknown(TrainerCentralError):
    """A call that acts may or may not have acted. Never send it again before reading back."""

    default_sentence = "TrainerCentral did not answer, so it is not known whether the call took effect."


class Unclear(OutcomeUnknown):
    """Answered, but not so that anybody could tell whether it acted. `code` is theirs, where one was given."""

    default_sentence = "TrainerCentral's answer does not say whether the call took effect."

    def __init__(self, detail: str = "", sentence: str = "", *, kind: AnswerKind, code: str = "") -> None:
        super().__init__(detail, sentence)
        self.kind, self.code = kind, code
        self.renews_token = False  # it says, too, that the token is not valid

    @property
    def is_trouble(self) -> bool:
        """Whether it comes from a server or gateway in trouble: the next call will fare no better for now."""
        return self.kind.status >= 500 or self.kind.status in TIME_OUTS or self.kind.shape == PAGE


class Throttled(TrainerCentralError):
    """The rate limit is reached; the call did not act. `wait_told`: the wait is theirs, not our default.

    `endpoint` is the one that was throttled, '' if that is not known.
    """

    retry_helps = True
    default_sentence = "TrainerCentral asked us to slow down."

    def __init__(
        self, detail: str = "", sentence: str = "", wait_seconds: float | None = None, *, endpoint: str = ""
    ) -> None:
        super().__init__(detail, sentence)
        self.endpoint = endpoint
        self.wait_told = wait_seconds is not None
        self.wait_seconds = THROTTLE_WAIT_SECONDS if wait_seconds is None else wait_seconds


class NotAuthorised(TrainerCentralError):
    """The call was not accepted from us; it did not act."""

    default_sentence = "TrainerCentral did not accept our credentials."


class TokenRejected(NotAuthorised):
    """The access token was refused, and so was a fresh one. `is_certain`: the answer says so, and not just 401."""

    retry_helps = True
    default_sentence = "TrainerCentral did not accept the access token."

    def __init__(self, detail: str = "", sentence: str = "", *, is_certain: bool = True) -> None:
        super().__init__(detail, sentence)
        self.is_certain = is_certain


class ScopeMissing(NotAuthorised):
    """A new access token of the same set cannot help; a new consent with the scope does."""

    default_sentence = "The token set was granted without a permission that this call needs."


class Forbidden(NotAuthorised):
    """The account that gave the consent may not do this."""

    default_sentence = "The TrainerCentral account behind the token set may not do this."


class TokenUnavailable(TrainerCentralError):
    """Raised by token providers: there is no access token, and so no call was made."""

    default_sentence = "No token set can give an access token at present."

    def __init__(
        self, detail: str = "", sentence: str = "", *, wait_seconds: float | None = None, retry_helps: bool = True
    ) -> None:
        super().__init__(detail, sentence)
        self.wait_seconds = wait_seconds
        self.retry_helps = retry_helps


class NotFound(TrainerCentralError):
    """What the call named does not exist."""

    default_sentence = "TrainerCentral does not know this course or learner."


class Refused(TrainerCentralError):
    """Understood and refused; it did not act. `code` is theirs, where one was given, and so is `kind`."""

    default_sentence = "TrainerCentral refused the call."

    def __init__(self, detail: str = "", sentence: str = "", code: str = "", *, kind: AnswerKind | None = None) -> None:
        super().__init__(detail, sentence)
        self.code, self.kind = code, kind


class Stopped(TrainerCentralError):
    """An answer of a kind that stands for a stop. It did not act, and repeating it is for a person to decide."""

    default_sentence = "TrainerCentral gave an answer that stands for a stop; a person has to resume."

    def __init__(self, detail: str = "", sentence: str = "", *, kind: AnswerKind | None = None) -> None:
        super().__init__(detail, sentence)
        self.kind = kind


class Unexpected(TrainerCentralError):
    """An answer that this client does not understand."""

    default_sentence = "TrainerCentral gave an answer that CourseHub does not understand."


class NotPaged(Unexpected):
    """A list repeats itself: what comes after its first rows cannot be read, so nobody is proven absent from it."""

    default_sentence = "TrainerCentral repeats the first learners of the course instead of listing the next ones."


class OAuthError(TrainerCentralError):
    """The accounts server gave no token."""

    default_sentence = "Zoho did not hand out a token."


class InvalidCode(OAuthError):
    """The code or refresh token is wrong, used up, expired, revoked, or of another data centre. Permanent."""

    default_sentence = "Zoho does not accept this code or refresh token any more."


class ClientWide(OAuthError):
    """Client id, client secret or data centre are wrong: no token of this client can work."""

    default_sentence = "Zoho does not accept our client id or client secret."


class MintThrottled(OAuthError):
    """Too many tokens were asked for; asking again prolongs the wait."""

    retry_helps = True
    default_sentence = "Zoho asked us to wait before asking for another token."

    def __init__(self, detail: str = "", sentence: str = "", wait_seconds: float | None = None) -> None:
        super().__init__(detail, sentence)
        self.wait_seconds = MINT_THROTTLE_WAIT_SECONDS if wait_seconds is None else wait_seconds


class AccountsUnavailable(OAuthError):
    """A passing trouble of the accounts server, or an answer that names none of the known causes."""

    retry_helps = True
    default_sentence = "Zoho's accounts server gave no usable answer."


def is_plain_answer(error: TrainerCentralError) -> bool:
    """Whether a server that is not in trouble answered, if only unclearly."""
    return isinstance(error, Unclear) and not error.is_trouble
