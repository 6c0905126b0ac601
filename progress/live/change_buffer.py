"""What a process has told of one course, and what it must not tell yet."""

from collections.abc import Mapping, Sequence
from typing import Any

from coursehub.live.frames import Frame
from progress import serializers
from progress.serializers import CourseState

Row = Mapping[str, Any]


class Tail:
    """The end of a course's chain of changes, as seen by one process.

    Rows come from one change stream and the course's own state from another. A course's state is
    told only when all rows up to its revision are: else a page would claim data newer than it shows.
    """

    def __init__(self, course_id: str) -> None:
        self.course_id = course_id
        self._revision: int | None = None
        self._course: CourseState  # the newest known, once there is one
        self._told: dict[str, Any] = {}  # what of it was told last
        self._rows: list[Row] = []

    @property
    def is_ready(self) -> bool:
        return self._revision is not None

    @property
    def mismatch(self) -> tuple[int, int] | None:
        """The course's revision and the one that was told, where they differ. Normal for a moment."""
        if self._revision is None or self._course["revision"] == self._revision:
            return None
        return self._course["revision"], self._revision

    def lasts(self, mismatch: tuple[int, int]) -> bool:
        """Whether it is still the same: rows did not come, or the course was set back (restored, say)."""
        of_course, told = mismatch
        if self._revision is None:
            return False
        if of_course > told:
            return self._revision < of_course
        return self._revision >= told > self._course["revision"]

    def forget(self) -> None:
        """Rows that come are kept, but nothing is told until `begin`."""
        self._revision = None

    def begin(self, course: Row) -> None:
        """Take `course` as the state that everybody gets; newer rows that came early are told next."""
        self._revision = course["revision"]
        self._course = serializers.course_state(course)
        self._told = _told_part(self._course)
        early, self._rows = self._rows, []
        self.take_rows(early)

    def take_rows(self, rows: Sequence[Row]) -> bool:
        """Changed rows in the order of their revisions. False when one is missing; what follows it is dropped."""
        if self._revision is None:
            self._rows += rows
            return True
        known = self._rows[-1]["revision"] if self._rows else self._revision
        for row in rows:
            if row["revision"] > known + 1:
                return False
            if row["revision"] == known + 1:
                self._rows.append(row)
                known += 1
        return True

    def take_course(self, course: Row) -> None:
        """The course's document changed."""
        self._course = serializers.course_state(course)

    def next_frame(self) -> Frame | None:
        """What is to be told now, if anything; it counts as told."""
        if self._revision is None:
            return None
        previous, rows, self._rows = self._revision, self._rows, []
        if rows:
            self._revision = rows[-1]["revision"]
        complete = self._course["revision"] <= self._revision
        head = _told_part(self._course) if complete else self._told
        if not rows and head == self._told:
            return None
        self._told = head
        latest = {row["member_id"]: serializers.change(row) for row in rows}
        return Frame.of("change", self._revision, previous=previous, **head, members=list(latest.values()))


def _told_part(state: CourseState) -> dict[str, Any]:
    return {"as_of": state["as_of"], "trouble": state["trouble"], "unreadable": state["unreadable"]}
