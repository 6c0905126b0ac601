"""For coursehub.backup: restored learners are as old as the backup, so every course is read in full at once."""

from typing import TYPE_CHECKING

from coursehub import clock
from coursehub.models import Course
from progress.models import SweepPart

if TYPE_CHECKING:
    from coursehub.backup.staging import Staged


def settle(staged: "Staged") -> dict[str, int]:
    """Called before the restored documents are in use; may be called again for the same."""
    staged.collection(SweepPart._meta.db_table).delete_many({})
    courses = staged.collection(Course._meta.db_table)
    unread = {"polled_at": None, "swept_at": None, "poll_top_ms": None, "poll_offset": 0, "poll_lease_until": None}
    courses.update_many({}, {"$set": unread})
    due = courses.update_many({"gone_at": None}, [{"$set": {"poll_due_at": clock.server_now()}}])
    return {"courses_to_read": due.modified_count}
