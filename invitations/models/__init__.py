"""A batch is one uploaded file; an invitation is one learner in it."""

from invitations.models.batch import Batch, BatchQuerySet
from invitations.models.claims import Claim, Sweep
from invitations.models.files import UPLOADED_BYTES, HeadingChoice, Piece
from invitations.models.row import NO_CELLS, NOT_LOOKED_UP, Invitation, corrected, explained

__all__ = [
    "NOT_LOOKED_UP",
    "NO_CELLS",
    "UPLOADED_BYTES",
    "Batch",
    "BatchQuerySet",
    "Claim",
    "HeadingChoice",
    "Invitation",
    "Piece",
    "Sweep",
    "corrected",
    "explained",
]
