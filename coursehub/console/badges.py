"""The states of batches, invitations and token sets, in the words and colours that people see."""

from coursehub.models import AcademyAnswer
from invitations.models import Batch, Invitation
from oauthtokens.models import TokenSet

INVITATION_STATES: tuple[str, ...] = (
    Invitation.State.INVITED,
    Invitation.State.ALREADY_ENROLLED,
    Invitation.State.FAILED,
    Invitation.State.UNKNOWN,
    Invitation.State.REVOKED,
    Invitation.State.NOT_ATTEMPTED,
    Invitation.State.REVOKING,
    Invitation.State.INVITING_AGAIN,
    Invitation.State.SENDING,
    Invitation.State.PENDING,
    Invitation.State.ALREADY_INVITED,
    Invitation.State.DUPLICATE,
    Invitation.State.INVALID,
)

# What a count means to the person who uploaded: to be sent, done, in need of a look, never sent.
GROUPS: dict[str, tuple[str, ...]] = {
    "open": (Invitation.State.PENDING, Invitation.State.SENDING),
    "good": (Invitation.State.INVITED, Invitation.State.ALREADY_ENROLLED),
    "trouble": (Invitation.State.FAILED, Invitation.State.UNKNOWN),
    "left_out": (Invitation.State.INVALID, Invitation.State.DUPLICATE, Invitation.State.ALREADY_INVITED),
    "settled": (
        Invitation.State.INVITED,
        Invitation.State.ALREADY_ENROLLED,
        Invitation.State.FAILED,
        Invitation.State.UNKNOWN,
        Invitation.State.NOT_ATTEMPTED,
        Invitation.State.REVOKED,
        Invitation.State.REVOKING,
        Invitation.State.INVITING_AGAIN,
    ),
}
GROUPS["planned"] = GROUPS["open"] + GROUPS["settled"]

_LABELS: dict[str, str] = {
    **dict(AcademyAnswer.Meaning.choices),
    **dict(TokenSet.State.choices),
    **dict(Invitation.State.choices),
    **dict(Batch.State.choices),
    Invitation.State.NOT_ATTEMPTED: "Not sent",
    Batch.State.PREVIEW: "To be confirmed",
}

_TONES: dict[str, tuple[str, ...]] = {
    "ok": (
        Batch.State.COMPLETED,
        Invitation.State.INVITED,
        Invitation.State.ALREADY_ENROLLED,
        TokenSet.State.READY,
        TokenSet.State.ACTIVE,
    ),
    "run": (
        AcademyAnswer.Meaning.WAIT,
        Batch.State.QUEUED,
        Batch.State.RUNNING,
        Batch.State.PREVIEW,
        Invitation.State.SENDING,
        Invitation.State.REVOKING,
        Invitation.State.INVITING_AGAIN,
    ),
    "warn": (
        AcademyAnswer.Meaning.OPEN,
        Batch.State.PAUSED,
        Batch.State.COMPLETED_WITH_ERRORS,
        Invitation.State.UNKNOWN,
        Invitation.State.DUPLICATE,
        TokenSet.State.RETIRING,
        TokenSet.State.COOLING,
        TokenSet.State.REVOCATION_PENDING,
    ),
    "bad": (
        AcademyAnswer.Meaning.REFUSED,
        AcademyAnswer.Meaning.STOP,
        Invitation.State.FAILED,
        Invitation.State.INVALID,
        TokenSet.State.EXHAUSTED,
        TokenSet.State.BROKEN,
        TokenSet.State.UNDECRYPTABLE,
    ),
}
_TONE_OF = {state: tone for tone, of_tone in _TONES.items() for state in of_tone}


def label(state: str) -> str:
    """The state in words; an unknown one as it is, without underscores."""
    return _LABELS.get(state) or state.replace("_", " ").capitalize()


def tones() -> dict[str, str]:
    """The tone of every state that has one."""
    return dict(_TONE_OF)


def tone(state: str) -> str:
    """One of ok, run, warn, bad, idle: what the stylesheets colour by."""
    return _TONE_OF.get(state, "idle")
