"""The one way to post an invitation. Whoever calls it holds the row's lease and claim, and a look at the members.

A call that may have acted leaves a row that is looked up; one that was answered and did not act leaves a row that
waits for a look (`row_leases.called_again`). So no answer, whatever it really meant, leads to a second post between
looks.
"""

from typing import TYPE_CHECKING

from coursehub.models import AccessEnd
from coursehub.trainercentral import errors
from invitations.claims.row_leases import Row
from invitations.sending import missing_names

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient
    from coursehub.trainercentral.records import Invited

MOST_REFUSALS = 3  # of one row, in a way that may pass; then it fails, so that it cannot hold its batch
# Definite: this learner was not invited, and asking again is for a person to decide.
DEFINITE = (errors.Refused, errors.NotFound)
# Answered, and as far as is known nothing was done.
NOT_ACTED = (errors.NotAuthorised, errors.Throttled, errors.Stopped, errors.Unexpected)


def post(row: Row, client: "TrainerCentralClient") -> "Invited":
    """One call, never without a name. Raises NoSlotInTime, and errors of TrainerCentral."""
    name = missing_names.complete(row)
    invited = client.invite(
        course_id=row["course_id"], email=row["email"],
        first_name=name["first_name"], last_name=name["last_name"], expires_at_ms=_milliseconds(row),
    )  # fmt: skip
    note_end(row)
    return invited


def note_end(row: Row) -> None:
    """Nobody else knows when access ends: TrainerCentral does not list it."""
    if ends_at := row.get("access_expires_at"):
        AccessEnd.note(course_id=row["course_id"], email_folded=row["email_folded"], ends_at=ends_at)


def kind_of(error: errors.TrainerCentralError) -> str:
    """The key of the kind of answer that left a row open; "" when there was none whose meaning can be learnt."""
    return error.kind.key if isinstance(error, errors.Unclear) and error.kind.is_learnable else ""


def _milliseconds(row: Row) -> int | None:
    """When the learner's access ends, as the API wants it; None: never."""
    expires_at = row.get("access_expires_at")
    return round(expires_at.timestamp() * 1000) if expires_at else None
