"""Make our list of courses that of the academy."""

import json

from django.core.management.base import BaseCommand

from coursehub.trainercentral.errors import TrainerCentralError
from progress import courses


class Command(BaseCommand):
    help = "Reads the academy's courses: new, renamed, gone. Exit 0 good, 2 bad, 3 usage."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args, **options) -> None:
        try:
            done = courses.sync_courses().as_dict()
        except TrainerCentralError as error:
            self.stderr.write(error.sentence)
            raise SystemExit(2) from error
        text = ", ".join(f"{count} {name}" for name, count in done.items())
        self.stdout.write(json.dumps(done) if options["json"] else text)
