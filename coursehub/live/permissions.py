"""Who may watch: asked at connect, and again every few seconds for all open sockets of the process at once."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.models import User
from django.utils import timezone

from coursehub import roles
from coursehub.live.codes import COME_AGAIN, NOT_PERMITTED, SIGNED_OUT, TOO_SLOW

if TYPE_CHECKING:
    from coursehub.live.consumer import LiveConsumer

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 3.0


@dataclass(eq=False)
class Viewer:
    """Who is at the other end of a socket, and what of: `subject` is the id in the address, '' for lists."""

    user_id: Any
    session_key: str
    subject: str
    session_hash: str = field(repr=False)
    role_names: frozenset[str] | None = None  # as of connect

    @classmethod
    def of(cls, scope: dict[str, Any], subject: str) -> "Viewer":
        session = scope["session"]
        return cls(scope["user"].pk, session.session_key or "", subject, session.get(HASH_SESSION_KEY, ""))

    @property
    def is_administrator(self) -> bool:
        return roles.ADMINISTRATOR in (self.role_names or ())

    @property
    def is_trainer(self) -> bool:
        return roles.TRAINER in (self.role_names or ())


class Guard:
    """The open sockets of one process. It works only while there are any."""

    def __init__(self) -> None:
        self.open: set[LiveConsumer] = set()  # those that wait for their admission, too
        self._admitted: set[LiveConsumer] = set()
        self._rounds: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._waiting: list[LiveConsumer] = []
        self._answers: dict[LiveConsumer, int | None] = {}

    async def admit(self, socket: "LiveConsumer") -> int | None:
        """None when the viewer may watch, else the close code. Sockets that ask together share the queries."""
        self._waiting.append(socket)
        async with self._asking:
            if socket in self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    codes = await refusals(asked)
                    self._answers.update({one: codes.get(one) for one in asked})
                except Exception:
                    logger.exception("Permissions of new sockets could not be checked")
        return self._answers.pop(socket, COME_AGAIN)

    def watch(self, socket: "LiveConsumer") -> None:
        """From now on the socket ends when its viewer may no longer watch, or does not keep up."""
        self._admitted.add(socket)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round())

    def forget(self, socket: "LiveConsumer") -> None:
        self.open.discard(socket)
        self._admitted.discard(socket)

    async def _go_round(self) -> None:
        while self._admitted:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self._recheck()
            except Exception:
                # Without MongoDB nothing new is shown either, so the sockets may stay until it is back.
                logger.exception("Permissions of open sockets could not be checked")

    async def _recheck(self) -> None:
        now = time.monotonic()
        for socket in [socket for socket in self._admitted if socket.outstanding.is_hopeless(now)]:
            await socket.end(TOO_SLOW)
        for socket, code in (await refusals(list(self._admitted))).items():
            await socket.end(code)


async def refusals(sockets: Iterable["LiveConsumer"]) -> dict["LiveConsumer", int]:
    """The sockets whose viewers may not (or no longer) watch, with the close code. A few queries for all."""
    by_class: dict[type[LiveConsumer], dict[Viewer, LiveConsumer]] = defaultdict(dict)
    for socket in sockets:
        by_class[type(socket)][socket.viewer] = socket
    if not by_class:
        return {}
    codes: dict[LiveConsumer, int] = await database_sync_to_async(_refusals)(by_class)
    return codes


def _refusals(by_class: dict[type["LiveConsumer"], dict[Viewer, "LiveConsumer"]]) -> dict["LiveConsumer", int]:
    everybody = [viewer for viewers in by_class.values() for viewer in viewers]
    users = get_user_model().objects.filter(is_active=True).in_bulk({viewer.user_id for viewer in everybody})
    signed_in = _signed_in(everybody, users)
    same_roles = _with_same_roles(signed_in, users)
    codes = {}
    for consumer_class, sockets in by_class.items():
        permitted = consumer_class.permitted([viewer for viewer in sockets if viewer in same_roles])
        for viewer, socket in sockets.items():
            if viewer not in signed_in:
                codes[socket] = SIGNED_OUT
            elif viewer not in permitted:
                codes[socket] = NOT_PERMITTED
    return codes


def _signed_in(viewers: list[Viewer], users: dict[Any, User]) -> set[Viewer]:
    """Those whose session is alive, whose account is enabled, and whose password is still the same."""
    sessions = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects
    keys = {viewer.session_key for viewer in viewers}
    alive = sessions.filter(session_key__in=keys, expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    alive_keys = set(alive)
    hashes = {user_id: user.get_session_auth_hash() for user_id, user in users.items()}
    return {
        viewer
        for viewer in viewers
        if viewer.session_key in alive_keys and hashes.get(viewer.user_id) == viewer.session_hash
    }


def _with_same_roles(viewers: set[Viewer], users: dict[Any, User]) -> set[Viewer]:
    """Those whose roles are as at connect; the first look, at connect, notes them."""
    role_names = _role_names(users)
    for viewer in viewers:
        if viewer.role_names is None:
            viewer.role_names = role_names[viewer.user_id]
    return {viewer for viewer in viewers if viewer.role_names == role_names[viewer.user_id]}


def _role_names(user_ids: Iterable[Any]) -> dict[Any, frozenset[str]]:
    names: dict[Any, set[str]] = defaultdict(set)
    memberships = get_user_model().groups.through.objects.filter(user_id__in=list(user_ids))
    for user_id, name in memberships.values_list("user_id", "group__name"):
        names[user_id].add(name)
    return defaultdict(frozenset, {user_id: frozenset(of_user) for user_id, of_user in names.items()})


guard = Guard()
