"""The part of `make check` that needs a server: system checks as deployed, and missing migrations."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from coursehub.development.mongod import running_mongod
from coursehub.development.scratch import scratch_parent
from coursehub.development.secrets import ensure_secrets

# A deployment as it should be; nothing is asked of these addresses.
_DEPLOYED = {
    "DEMO": "false",
    "DEBUG": "false",
    "PUBLIC_URL": "https://coursehub.example.org",
    "ALLOWED_HOSTS": "coursehub.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
    "TRAINERCENTRAL_URL": "https://academy.trainercentral.com",
    "TRAINERCENTRAL_ORG_ID": "700000804",
    "ZOHO_ACCOUNTS_URL": "https://accounts.zoho.com",
    "ZOHO_CLIENT_ID": "1000.CHECK",
    "ZOHO_CLIENT_SECRET": "check",
}
_COMMANDS = (
    ("check", "--deploy", "--fail-level", "WARNING", "--database", "default"),
    ("makemigrations", "--check", "--dry-run"),
)


def main() -> int:
    with (
        tempfile.TemporaryDirectory(prefix="coursehub-check-", dir=scratch_parent()) as folder,
        running_mongod(Path(folder, "mongo")) as mongod,
    ):
        environment = {**os.environ, **_DEPLOYED, **ensure_secrets(Path(folder, "secrets")), "MONGODB_URI": mongod.uri}
        for name in ("SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"):
            environment.pop(name, None)
        return max(
            subprocess.run([sys.executable, "manage.py", *command], env=environment, check=False).returncode
            for command in _COMMANDS
        )


if __name__ == "__main__":
    sys.exit(main())
