"""Read courses' learners now, whether they are due or not."""

from dataclasses import replace
from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand
from coursehub.models import Course
from progress.polling import poller

_CODES = {"failed": BAD, "unfinished": WARNING, "lease_lost": WARNING}
_REASONS = {
    "unfinished": "The budget had no call left.",
    "lease_lost": "Somebody else has gone on with it.",
    "not_due": "Somebody else reads it now.",
}


class Command(JsonCommand):
    help = "Reads the learners of one course, or of all, now. Exit 0 good, 1 warning, 2 bad, 3 usage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--course", metavar="ID", help="TrainerCentral's id of the course; all courses without it")
        parser.add_argument(
            "--full", action="store_true", help="read the whole list, beginning anew, and not only what is new"
        )

    def handle(self, *args: Any, course: str | None, full: bool, **options: Any) -> None:
        course_ids = list(Course.objects.open().with_members().values_list("course_id", flat=True))
        if course:
            if course not in course_ids:
                is_bundle = Course.objects.filter(course_id=course, is_bundle=True).exists()
                what = f"{course} is a bundle, which has no learners of its own" if is_bundle else ""
                raise CommandError(f"{what or f'There is no course {course} at the academy'}.", returncode=USAGE)
            course_ids = [course]
        polls = [_read(course_id, full=full) for course_id in course_ids]
        code = max((_CODES.get(poll.outcome, GOOD) for poll in polls), default=GOOD)
        self.tell(options, {"polls": [poll.as_dict() for poll in polls]}, "\n".join(map(str, polls)), code)


def _read(course_id: str, *, full: bool) -> poller.Poll:
    """To the end, however many slices that takes; as long as calls can be had."""
    poll = poller.poll(course_id, only_if_due=False, afresh=full)
    while poll.outcome == "unfinished" and poll.calls:
        poll = poller.poll(course_id, only_if_due=False)
    return replace(poll, reason=poll.reason or _REASONS.get(poll.outcome, ""))
