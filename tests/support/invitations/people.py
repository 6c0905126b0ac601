"""What people do about a batch that soaks send, as the product's buttons let them.

Whoever decides about rows of unknown outcome has looked at TrainerCentral before.
"""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from coursehub.sandbox.process import SandboxProcess

_BETWEEN_PRESSES_SECONDS = (0.05, 0.6)


def resume(batch: Any) -> bool:
    from invitations import services

    return services.resume(batch, actor="trainer")


def pause(batch: Any) -> bool:
    from invitations import services

    return services.pause(batch, actor="trainer")


def retry(batch: Any) -> bool:
    """Press "Try again"."""
    from invitations import services

    return services.retry(batch, actor="trainer")


def undo(batch: Any) -> bool:
    from invitations import services

    return services.undo(batch, actor="trainer")


def decide_rows(batch: Any, sandbox: SandboxProcess) -> bool:
    """Say of each row of unknown outcome what is true: the learner is there, or is to be invited again."""
    from invitations import services
    from invitations.models import Invitation

    batch.refresh_from_db()
    if batch.state not in services.DECIDABLE:
        return False
    there = sandbox.invitations()
    unknown = list(Invitation.objects.filter(batch=batch, state=Invitation.State.UNKNOWN))
    found = [row for row in unknown if there.get((row.course_id, row.email.lower()))]
    count = services.already_there(batch, *found, actor="trainer")
    count += services.send_again(batch, *[row for row in unknown if row not in found], actor="trainer")
    return bool(count)


def bring_tokens(sandbox: SandboxProcess) -> None:
    """The maintenance team regenerates the sets that were refused."""
    from oauthtokens import services
    from oauthtokens.models import TokenSet

    for dead in TokenSet.objects.exclude(state__in=[TokenSet.State.EMPTY, TokenSet.State.ACTIVE]):
        code = sandbox.self_client_code(services.SCOPE)
        services.exchange_code(number=dead.number, code=code, actor="maintenance")


class Impatient(threading.Thread):
    """Presses buttons of `batches` at random moments, until told to end; `pressed` counts what had an effect."""

    def __init__(self, sandbox: SandboxProcess, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.batches: list[Any] = []
        self.pressed = 0
        self._sandbox, self._chance = sandbox, chance
        self._ends = threading.Event()

    def run(self) -> None:
        from django.db import DatabaseError, connection
        from pymongo.errors import PyMongoError

        while not self._ends.wait(self._chance.uniform(*_BETWEEN_PRESSES_SECONDS)):
            with suppress(DatabaseError, PyMongoError, OSError):  # mongod or the sandbox is away
                self._press()
        connection.close()

    def end(self) -> None:
        self._ends.set()
        self.join()

    def _press(self) -> None:
        if not self.batches:
            return
        buttons: list[Callable[[Any], bool]] = [*[retry] * 4, *[resume] * 4, pause, self._decide]
        self.pressed += self._chance.choice(buttons)(self._chance.choice(self.batches))

    def _decide(self, batch: Any) -> bool:
        return decide_rows(batch, self._sandbox)
