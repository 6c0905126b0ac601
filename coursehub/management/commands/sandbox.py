"""`manage.py sandbox`: the stand-in academy with this project's port and state file."""

import json
import sys
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from coursehub.management.base import JsonCommand
from coursehub.sandbox.__main__ import add_arguments, run
from coursehub.sandbox.server import DEMO_SPEED


class Command(JsonCommand):
    """Serves until stopped. In a demo, a new academy lives fast and takes as many calls as we send."""

    help = "Run the sandbox: a stand-in TrainerCentral academy and Zoho accounts server."
    requires_system_checks = []
    needs_mongodb = False
    json_help = "say the address and what goes wrong as JSON"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options of `python -m coursehub.sandbox`, with defaults from the settings."""
        add_arguments(parser, port=settings.SANDBOX_PORT, state=settings.SANDBOX_STATE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; the exit code is 2 when the state or an option cannot be used."""
        Path(options["state"]).parent.mkdir(parents=True, exist_ok=True)
        first = {}
        if settings.DEMO:
            first = {"progress_speed": DEMO_SPEED, "calls_per_minute": settings.TRAINERCENTRAL_CALLS_PER_MINUTE}
        if not options["json"]:
            sys.exit(run(Namespace(**options), first))
        sys.exit(run(Namespace(**options), first, announce=partial(_say, "sandbox"), refuse=partial(_say, "error")))


def _say(key: str, text: object) -> None:
    print(json.dumps({key: str(text)}), flush=True)
