"""Everything a deployment needs before its first request; run as often as you like."""

import getpass
import json
import os
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandParser, call_command

from coursehub import audit, roles
from coursehub.mongo.replica_set import ensure_replica_set
from oauthtokens.models import TokenSet


class Command(BaseCommand):
    help = "Idempotent set-up: replica set, migrations and indexes, roles, empty token sets, first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--admin", metavar="EMAIL", help="create this administrator, unless it exists")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_replica_set(settings.MONGODB_URI)
        call_command("migrate", interactive=False, verbosity=0)
        roles.sync_groups()
        for number in range(1, settings.TOKEN_SET_COUNT + 1):
            TokenSet.objects.get_or_create(number=number)
        created = self._ensure_administrator(options["admin"]) if options["admin"] else False
        done = {
            "database": settings.MONGODB_NAME,
            "token_sets": settings.TOKEN_SET_COUNT,
            "administrator_created": created,
        }
        self.stdout.write(json.dumps(done) if options["json"] else "CourseHub is set up.")

    def _ensure_administrator(self, email: str) -> bool:
        """The password comes from the terminal, or from ADMIN_PASSWORD where there is none."""
        user, created = get_user_model().objects.get_or_create(username=email, defaults={"email": email})
        if created:
            password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass(f"Password for {email}: ")
            user.set_password(password)
            user.save()
            roles.assign(user, roles.ADMINISTRATOR)
            audit.record(action="user.created", target=f"user {user.pk}", detail={"role": roles.ADMINISTRATOR})
        return created
