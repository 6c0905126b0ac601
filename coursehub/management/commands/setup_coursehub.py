"""Everything a deployment needs before its first request; run as often as you like."""

import getpass
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser, call_command

from coursehub import roles
from coursehub.accounts import demo, invitation
from coursehub.management.base import BAD, GOOD, USAGE, JsonCommand
from coursehub.mongo.replica_set import ensure_replica_set
from oauthtokens.models import TokenSet

_ACTOR = "command line"


class Command(JsonCommand):
    help = (
        "Idempotent set-up: replica set, migrations and indexes, roles, empty token sets, first administrator. The "
        "administrator's password is asked for, or is ADMIN_PASSWORD; without either a one-time link is printed."
    )
    needs_mongodb = False  # it may have to be made a replica set first, and is asked here

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--admin", metavar="EMAIL", help="create this administrator, unless it exists")
        parser.add_argument(
            "--first-admin-link",
            action="store_true",
            help="print a one-time link for the first administrator, unless there is one who can sign in",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["admin"] is not None and "@" not in options["admin"]:
            raise CommandError("--admin needs an e-mail address.", returncode=USAGE)
        try:
            ensure_replica_set(settings.MONGODB_URI)
        except TimeoutError as error:
            raise CommandError(
                f"MongoDB does not answer, or {error}: check MONGODB_URI, and that the server runs.", returncode=BAD
            ) from error
        call_command("migrate", interactive=False, verbosity=0)
        roles.sync_groups()
        for number in range(1, settings.TOKEN_SET_COUNT + 1):
            TokenSet.objects.get_or_create(number=number)
        created, link = self._administrator(options)
        done = {
            "database": settings.MONGODB_NAME,
            "token_sets": settings.TOKEN_SET_COUNT,
            "administrator_created": created,
            "link": link,
        }
        text = f"Choose the administrator's password here, once, within 3 days: {link}" if link else ""
        self.tell(options, done, f"CourseHub is set up.\n{text}".rstrip(), GOOD)

    def _administrator(self, options: dict[str, Any]) -> tuple[bool, str]:
        """Whether one was created, and the link that the person in front of the terminal needs, or ""."""
        if options["admin"]:
            user, created = invitation.administrator(options["admin"], actor=_ACTOR, email=options["admin"])
            if not created and user.has_usable_password():
                return False, ""
            if password := os.environ.get("ADMIN_PASSWORD") or _asked(options):
                user.set_password(password)
                user.save()
                return created, ""
            return created, invitation.link_for(user, actor=_ACTOR)
        if not options["first_admin_link"]:
            return False, ""
        demo.close()
        if invitation.is_any_administrator_there():
            return False, ""
        user, created = invitation.administrator(invitation.FIRST_ADMINISTRATOR, actor=_ACTOR)
        return created, invitation.link_for(user, actor=_ACTOR)


def _asked(options: dict[str, Any]) -> str:
    if options["json"] or sys.stdin is None or not sys.stdin.isatty():
        return ""
    return getpass.getpass(f"Password for {options['admin']} (empty: a one-time link): ")
