"""The worker: does what the queue says, and keeps itself alive."""

import json
import logging
from typing import Any

from coursehub.checks import SETTINGS
from coursehub.management.base import WARNING, JsonCommand
from coursehub.queue.supervisor import Supervisor

logger = logging.getLogger(__name__)


class Command(JsonCommand):
    help = (
        "Run a worker until SIGTERM or Ctrl-C; running tasks get 10 s to end. Start as many as you like. "
        "Exit code 1: tasks were cut off at the end, they will be done again."
    )
    # A worker starts whatever the state of MongoDB, and waits for it; settings do not mend themselves.
    requires_system_checks = [SETTINGS]
    needs_mongodb = False
    json_help = "one line of JSON per event, on standard output"

    def handle(self, *args: Any, **options: Any) -> None:
        if not Supervisor(self._tell_json if options["json"] else self._tell_log).run():
            raise SystemExit(WARNING)

    def _tell_json(self, event: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(event))
        self.stdout.flush()

    def _tell_log(self, event: dict[str, Any]) -> None:
        level = logging.ERROR if event["event"] == "ended" else logging.INFO
        facts = " ".join(f"{name}={value}" for name, value in event.items() if name != "event")
        logger.log(level, "worker %s: %s", event["event"], facts)
