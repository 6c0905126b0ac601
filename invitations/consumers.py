"""The sockets of invitation pages."""

from collections.abc import Sequence
from uuid import UUID

from coursehub.live.consumer import LiveConsumer
from coursehub.live.permissions import Viewer
from invitations.feed import feed
from invitations.models import Batch


class BatchConsumer(LiveConsumer):
    """One batch, live."""

    feed = feed

    def subject(self) -> str:
        batch_id: UUID = self.scope["url_route"]["kwargs"]["batch_id"]
        return batch_id.hex

    @classmethod
    def permitted(cls, viewers: Sequence[Viewer]) -> set[Viewer]:
        batches = Batch.objects.filter(pk__in={UUID(viewer.subject) for viewer in viewers})
        owners = {batch_id.hex: owner_id for batch_id, owner_id in batches.values_list("pk", "uploaded_by_id")}
        return {
            viewer
            for viewer in viewers
            if viewer.subject in owners
            and (viewer.is_administrator or (viewer.is_trainer and owners[viewer.subject] == viewer.user_id))
        }


class BatchesConsumer(LiveConsumer):
    """The viewer's batches, live: all of them for administrators, their own for trainers."""

    feed = feed

    @classmethod
    def permitted(cls, viewers: Sequence[Viewer]) -> set[Viewer]:
        return {viewer for viewer in viewers if viewer.is_administrator or viewer.is_trainer}
