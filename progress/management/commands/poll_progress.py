"""Read courses' learners now, whether they are due or not."""

import json

from django.core.management.base import BaseCommand

from coursehub.models import Course
from progress import polling

_BAD = {"failed"}
_WARNING = {"unfinished", "lease_lost", "not_due"}


class Command(BaseCommand):
    help = "Reads the learners of one course, or of all, now. Exit 0 good, 1 warning, 2 bad, 3 usage."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--course", metavar="ID", help="TrainerCentral's id of the course; all courses without it")
        parser.add_argument(
            "--full", action="store_true", help="begin anew instead of going on with a broken-off sweep"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args, course: str | None, full: bool, json: bool, **options) -> None:
        course_ids = list(Course.objects.open().values_list("course_id", flat=True))
        if course:
            if course not in course_ids:
                self.stderr.write(f"There is no course {course}.")
                raise SystemExit(3)
            course_ids = [course]
        polls = [polling.poll(course_id, only_if_due=False, afresh=full) for course_id in course_ids]
        self._print(polls, as_json=json)
        outcomes = {poll.outcome for poll in polls}
        exit_code = 2 if outcomes & _BAD else 1 if outcomes & _WARNING else 0
        if exit_code:
            raise SystemExit(exit_code)

    def _print(self, polls: list[polling.Poll], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"polls": [poll.as_dict() for poll in polls]}))
            return
        for poll in polls:
            counts = f"{poll.learners} learners, {poll.changed} changed, {poll.calls} calls"
            self.stdout.write(f"{poll.course_id}: {poll.outcome}, {counts}{' - ' if poll.reason else ''}{poll.reason}")
