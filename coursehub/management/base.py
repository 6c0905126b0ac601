"""What commands share: --json, exit codes that a cron job can use, and an end in one sentence whatever happens."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from django.core.management import BaseCommand, CommandError, CommandParser

from coursehub.management.trouble import BAD, GOOD, USAGE, WARNING, require_mongodb, sentence_of, unforeseen

__all__ = ["BAD", "GOOD", "USAGE", "WARNING", "JsonCommand"]


class JsonCommand(BaseCommand):
    """Exit codes: 0 good, 1 warning, 2 bad, 3 wrong usage. With --json everything is one JSON document, errors too."""

    needs_mongodb = True
    json_help = "one JSON document on standard output"
    _wants_json = _ends_the_process = False

    def run_from_argv(self, argv: list[str]) -> None:
        self._wants_json, self._ends_the_process = "--json" in argv, True
        super().run_from_argv(argv)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)
        parser.add_argument("--json", action="store_true", help=self.json_help)
        # argparse leaves with 2 for a wrong option, which means something else here.
        parser.exit = partial(_exit, parser.exit)  # type: ignore[method-assign,assignment]  # of this parser alone
        if self._wants_json:
            parser.error = partial(self._leave, code=USAGE)  # type: ignore[method-assign]  # of this parser alone
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Raises CommandError for whatever is known to go wrong; from the command line it ends in its sentence."""
        self._wants_json = bool(options.get("json"))
        try:
            if self.needs_mongodb:
                require_mongodb()
            return super().execute(*args, **options)
        except (Exception, KeyboardInterrupt) as error:
            told = sentence_of(error)
            if options.get("traceback") or not (told or self._ends_the_process):
                raise
            sentence, code = told or unforeseen(error)
            if self._ends_the_process:
                self._leave(sentence, code)
            raise CommandError(sentence, returncode=code) from error

    def tell(self, options: dict[str, Any], document: Mapping[str, Any], text: str, code: int) -> None:
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

    def _leave(self, sentence: str, code: int) -> NoReturn:
        if self._wants_json:
            self.stdout.write(json.dumps({"error": sentence}))
        else:
            self.stderr.write(sentence)
        raise SystemExit(code)


def _exit(leave: Any, status: int = 0, message: str | None = None) -> None:
    leave(USAGE if status == BAD else status, message)
