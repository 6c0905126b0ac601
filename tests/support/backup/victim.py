"""A restore that is killed (kill -9) as its write after so many is about to be sent: `PATH WRITES`.

One that ends prints how many writes it made.
"""

import os
import signal
import sys
from pathlib import Path

from pymongo import monitoring

_WRITES = ("create", "insert", "createIndexes", "renameCollection", "update", "drop", "delete", "aggregate")


class Killer(monitoring.CommandListener):
    """Counts the writes of this process, and ends it in the middle of one."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.count += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to count."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing to count."""


def main() -> None:
    import django

    killer = Killer(int(sys.argv[2]))
    monitoring.register(killer)
    django.setup()
    from coursehub.backup import restore

    restore.restore(Path(sys.argv[1]), actor="soak")
    print(killer.count)


if __name__ == "__main__":
    main()
