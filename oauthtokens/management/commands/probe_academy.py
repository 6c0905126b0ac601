"""Try out what CourseHub assumes about TrainerCentral."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub import academy
from coursehub.academy.facts import FACTS
from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand
from coursehub.trainercentral import TrainerCentralError
from coursehub.trainercentral.probe.acts import Act
from coursehub.trainercentral.probe.calls import Finding
from oauthtokens import probe

_WORDS = {True: "held", False: "NOT HELD", None: "unknown"}


class Command(JsonCommand):
    help = (
        "Check the assumptions about the configured academy, and note in its profile what was found out; asks before "
        "anything that acts. With --json the profile is in the answer, and `sandbox --like FILE` behaves like it. "
        "Exit 0: all that was tried held; 1: something did not; 2: no token, or no answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--known", action="store_true", help="make no call: say what is known already")
        parser.add_argument("--yes", action="store_true", help="answer every question with yes")
        parser.add_argument("--course", default="", metavar="ID", help="look at this course, not at the fullest one")
        parser.add_argument("--email", default="", help="an address of yours to invite, twice")
        parser.add_argument("--code", default="", help="a self client's code, for a refresh token to use up")
        parser.add_argument(
            "--watch-seconds", type=float, default=0, metavar="N", help="wait while a learner finishes a lesson"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["email"] and "@" not in options["email"]) or options["watch_seconds"] < 0:
            raise CommandError("--email needs an address, --watch-seconds no negative number.", returncode=USAGE)
        if options["known"]:
            self.tell(options, _document([], ""), _learnt() or "Nothing is known about this academy yet.", GOOD)
            return
        self._yes, found = options["yes"], []
        chosen = {name: options[name] for name in ("email", "code", "watch_seconds")}
        try:
            for finding in probe.run(probe.plan(course_id=options["course"], **chosen), self._may):
                found.append(finding)
                if not options["json"]:
                    self.stdout.write(_line(finding))
        except TrainerCentralError as error:
            self.tell(options, _document(found, error.sentence), error.sentence, BAD)
            return
        code = WARNING if any(finding.held is False for finding in found) else GOOD
        self.tell(options, _document(found, ""), _summary(found), code)

    def _may(self, act: Act) -> bool:
        if self._yes:
            return True
        self.stderr.write(f"{act.question} [y/N] ", ending="")
        self.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def _document(found: list[Finding], reason: str) -> dict[str, Any]:
    findings = [asdict(one) for one in found]
    return {
        "findings": findings,
        "settings": _all(found, "settings"),
        "reason": reason,
        "profile": academy.document(),
    }


def _learnt() -> str:
    """What the profile holds now, a line per fact."""
    known = academy.facts()
    return "\n".join(f"{FACTS[name].title}: {FACTS[name].says(fact['value'])}" for name, fact in known.items())


def _all(found: list[Finding], name: str) -> dict[str, Any]:
    return {key: value for finding in found for key, value in getattr(finding, name).items()}


def _line(finding: Finding) -> str:
    return f"{_WORDS[finding.held]:<9} {finding.key:<18} {finding.assumption}\n{'':<28} seen: {finding.seen}"


def _summary(found: list[Finding]) -> str:
    counts = ", ".join(f"{sum(one.held is held for one in found)} {word.lower()}" for held, word in _WORDS.items())
    lines = [f"{len(found)} assumptions: {counts}."]
    if settings := _all(found, "settings"):
        lines.append("Settings to change: " + " ".join(f"{key}={value}" for key, value in settings.items()))
    if learnt := _learnt():
        lines.append(f"Known about this academy now:\n{learnt}")
    if switches := _all(found, "switches"):
        shown = " ".join(f"--switch {key}={value}" for key, value in switches.items())
        lines.append(f"The sandbox behaves like this academy with: {shown}")
    return "\n".join(lines)
