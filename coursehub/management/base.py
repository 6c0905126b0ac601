"""What commands share: --json, and exit codes that a cron job can use."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandParser

GOOD, WARNING, BAD, USAGE = 0, 1, 2, 3


class JsonCommand(BaseCommand):
    """Exit codes: 0 good, 1 warning, 2 bad, 3 wrong usage."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        # argparse leaves with 2 for a wrong option, which means something else here.
        parser.exit = partial(_exit, parser.exit)  # type: ignore[method-assign,assignment]
        return parser

    def tell(self, options: dict[str, Any], document: dict[str, Any], text: str, code: int) -> None:
        """Print the answer in the form that was asked for, and leave with `code` unless it is 0."""
        self.stdout.write(json.dumps(document) if options["json"] else text)
        if code != GOOD:
            raise SystemExit(code)

    def progress(self, options: dict[str, Any]) -> Callable[[int, int], None] | None:
        """What to call with "how many of how many" are done; shows it to somebody who watches, and to no log file."""
        if options["json"] or not self.stderr.isatty():
            return None

        def show(done: int, total: int) -> None:
            self.stderr.write(f"\r{done} of {total}", ending="\n" if done == total else "")
            self.stderr.flush()

        return show


def _exit(leave: Any, status: int = 0, message: str | None = None) -> None:
    leave(USAGE if status == BAD else status, message)
