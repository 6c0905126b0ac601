"""Ending a web process: its sockets are told to come again, in random order, so that they do not come at once."""

import asyncio
import random

from coursehub.live.codes import COME_AGAIN
from coursehub.live.permissions import guard

LONGEST_SECONDS = 5.0
_SECONDS_PER_SOCKET = 0.01


async def send_everybody_away() -> None:
    """Close every open socket with 1012, spread over up to LONGEST_SECONDS."""
    sockets = list(guard.open)
    random.shuffle(sockets)
    pause_seconds = min(_SECONDS_PER_SOCKET, LONGEST_SECONDS / len(sockets)) if sockets else 0.0
    for socket in sockets:
        await socket.end(COME_AGAIN)
        await asyncio.sleep(pause_seconds)
    for latecomer in list(guard.open):
        await latecomer.end(COME_AGAIN)
