"""Make our list of courses that of the academy."""

from typing import Any

from coursehub.management.base import BAD, GOOD, JsonCommand
from coursehub.trainercentral.errors import TrainerCentralError
from progress import course_sync


class Command(JsonCommand):
    help = "Reads the academy's courses: new, renamed, gone, back. Exit 0 good, 2 bad, 3 usage."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = course_sync.sync_courses()
        except TrainerCentralError as error:
            self.tell(options, {"error": error.sentence}, error.sentence, BAD)
            return
        self.tell(options, done.as_dict(), str(done), GOOD)
