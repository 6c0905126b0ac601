"""The sockets of progress pages."""

from collections.abc import Sequence

from coursehub.live.consumer import LiveConsumer
from coursehub.live.permissions import Viewer
from progress import selectors
from progress.live.course_feed import feed
from progress.live.list_feed import list_feed


class CourseConsumer(LiveConsumer):
    """One course's learners, live."""

    feed = feed

    def subject(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["course_id"])

    @classmethod
    def permitted(cls, viewers: Sequence[Viewer]) -> set[Viewer]:
        every = selectors.existing({viewer.subject for viewer in viewers if viewer.is_administrator})
        granted = selectors.granted({viewer.user_id for viewer in viewers if viewer.is_trainer})
        return {
            viewer
            for viewer in viewers
            if (viewer.is_administrator and viewer.subject in every)
            or (viewer.is_trainer and (viewer.user_id, viewer.subject) in granted)
        }


class CoursesConsumer(LiveConsumer):
    """The courses that the viewer may watch, with their figures, live."""

    feed = list_feed

    @classmethod
    def permitted(cls, viewers: Sequence[Viewer]) -> set[Viewer]:
        return {viewer for viewer in viewers if viewer.is_administrator or viewer.is_trainer}
