"""What the trainer's pages share."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from invitations.models import Batch

TOO_LATE = "That was no longer possible: the batch has moved on."


def batch_or_404(request: HttpRequest, batch_id: UUID) -> Batch:
    """The batch, if this user may see it. Raises Http404."""
    batch: Batch = get_object_or_404(Batch.objects.visible_to(request.user), pk=batch_id)
    return batch
