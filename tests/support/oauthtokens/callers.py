"""A process of the soak `token-kills`: callers that want tokens all the time, and that die where they are told to."""

import json
import os
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from django.conf import settings

from coursehub.trainercentral import ZohoAccounts, errors
from oauthtokens import services
from oauthtokens.pool import pool_state, refresh, refresh_lease

THREADS = 1  # in each of the processes: callers that wait ask the database over and over
POINTS = (
    "before the count",
    "after the count",
    "while asking",
    "after the answer",
    "before the write",
    "after the write",
)
_WHILE_ASKING_SECONDS = 0.03  # the sandbox answers within this
_TRIED_OUT_RATIO = 0.05  # of the tokens, on the API
_PAUSE_SECONDS = 0.005


class Teller:
    """Tells the lane what happens, one line of JSON at a time; a line is written whole or not at all."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def tell(self, what: str, **details: Any) -> None:
        os.write(self._pipe, json.dumps({"at": time.monotonic(), "what": what, **details}).encode() + b"\n")


def fork(pipe: int, seed: float, dies_at: str) -> int:
    """Start callers that die at that point of a refresh ('' for never); returns the process id."""
    child = os.fork()
    if child == 0:
        try:
            _work(Teller(pipe), random.Random(seed), dies_at)
        except BaseException:
            traceback.print_exc()
        os._exit(1)  # callers end only by being killed
    return child


def _work(teller: Teller, chance: random.Random, dies_at: str) -> None:
    _listen(teller)
    if dies_at:
        _arm(teller, dies_at, chance)
    seeds = [chance.random() for _ in range(THREADS)]
    threads = [threading.Thread(target=_call, args=(teller, random.Random(seed))) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _call(teller: Teller, chance: random.Random) -> None:
    while True:
        try:
            token = services.access_token().token
        except errors.TokenUnavailable as error:
            teller.tell("no token", detail=error.detail)
        else:
            teller.tell("token")
            if chance.random() < _TRIED_OUT_RATIO:
                _try_out(teller, token)
        time.sleep(_PAUSE_SECONDS)


def _try_out(teller: Teller, token: str) -> None:
    address = f"{settings.TRAINERCENTRAL_URL}/api/v4/org/portals.json"
    try:
        answer = requests.get(address, headers={"Authorization": f"Zoho-oauthtoken {token}"}, timeout=5)
    except requests.RequestException:  # the sandbox's weather
        return
    teller.tell("refused token" if answer.status_code == requests.codes.unauthorized else "tried out")


def _listen(teller: Teller) -> None:
    """Tell of failures with the backoff that they cost; the gap that a run allows follows from them."""
    write_failure = refresh_lease.write_failure

    def told(lease: refresh_lease.RefreshLease, **details: Any) -> bool:
        written = write_failure(lease, **details)
        teller.tell("failure", wait_seconds=details.get("wait_seconds") or 0)
        return written

    refresh_lease.write_failure = told


def _arm(teller: Teller, point: str, chance: random.Random) -> None:
    def die() -> None:
        teller.tell("death", point=point)
        os.kill(os.getpid(), signal.SIGKILL)

    holder, name, made = {
        "before the count": (refresh_lease, "win", _dying_first),
        "after the count": (refresh_lease, "win", _dying_after),
        "while asking": (ZohoAccounts, "refresh", partial(_dying_meanwhile, chance)),
        "after the answer": (ZohoAccounts, "refresh", _dying_after),
        "before the write": (refresh_lease, "write", _dying_first),
        "after the write": (pool_state, "resume", _dying_first),
    }[point]
    setattr(holder, name, made(die, getattr(holder, name)))


def _dying_first(die: Callable[[], None], act: Callable) -> Callable:
    return lambda *args, **kwargs: die()


def _dying_meanwhile(chance: random.Random, die: Callable[[], None], act: Callable) -> Callable:
    def begun(*args: Any, **kwargs: Any) -> Any:
        threading.Timer(chance.uniform(0, _WHILE_ASKING_SECONDS), die).start()
        return act(*args, **kwargs)

    return begun


def _dying_after(die: Callable[[], None], act: Callable) -> Callable:
    def done(*args: Any, **kwargs: Any) -> Any:
        result = act(*args, **kwargs)
        if result:
            die()
        return result

    return done


assert (refresh.refresh_lease, refresh.pool_state) == (refresh_lease, pool_state), (
    "the points above are not those of a refresh"
)
