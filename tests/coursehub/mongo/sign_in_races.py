"""Two at once in django-axes and django-otp as shipped, their own migrations included.

`python -m tests.coursehub.mongo.sign_in_races failures|codes ROUNDS` prints one JSON document; a process of its own,
since Django takes its apps at the start. Rules of the race are `tests.coursehub.mongo.racing`'s.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import django

from tests.coursehub.mongo.racing import AT_ONCE, at_once


def failures(rounds: int) -> list[dict[str, Any]]:
    """The first failed sign-ins of an account: what the pages answered, and what was counted."""
    from axes.models import AccessAttempt
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    def sign_in(username: str) -> Callable[[], int]:
        client = Client(raise_request_exception=False)
        form = {"username": username, "password": "wrong"}
        return lambda: client.post(reverse("login"), form).status_code

    found = []
    for username in (f"trainer{number}" for number in range(rounds)):
        User.objects.create_user(username=username, password="right")
        answers = at_once(*[sign_in(username) for _ in range(AT_ONCE)])
        counted = list(AccessAttempt.objects.filter(username=username).values_list("failures_since_start", flat=True))
        found.append({"answers": list(map(str, answers)), "counted": counted})
    return found


def codes(rounds: int) -> list[dict[str, Any]]:
    """One recovery code at once: what each caller was told, and how many codes are left."""
    from django.contrib.auth.models import User
    from django_otp.plugins.otp_static.models import StaticDevice

    class OneTimeDevice(StaticDevice):
        """A device that asks whether the code was still there: the server deletes it once, and says to whom."""

        class Meta:
            proxy = True
            app_label = "otp_static"

        def verify_token(self, token: str) -> bool:
            allowed, _ = self.verify_is_allowed()
            return allowed and self.token_set.filter(token=token).delete()[0] == 1

    found = []
    for number in range(rounds):
        user = User.objects.create_user(username=f"person{number}")
        device = OneTimeDevice.objects.create(user=user, name="recovery")
        device.token_set.create(token="once")

        def spend(key: int = device.pk) -> bool:
            return OneTimeDevice.objects.get(pk=key).verify_token("once")

        answers = [told(result) for result in at_once(*[spend] * AT_ONCE)]
        found.append({"answers": answers, "left": device.token_set.count()})
    return found


def told(result: Any) -> str:
    """A write conflict, which only transactions have, asks to try again."""
    from coursehub.mongo import is_write_conflict

    if isinstance(result, Exception) and is_write_conflict(result):
        return "try again"
    return str(result)


def main(race: str, rounds: str) -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from coursehub.mongo import client_for

    client_for().drop_database(connection.settings_dict["NAME"])
    call_command("migrate", interactive=False, verbosity=0)
    print(json.dumps({"failures": failures, "codes": codes}[race](int(rounds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
