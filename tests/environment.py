"""What the tests, and every process that they start, are configured by.

A pytest plugin (`-p tests.environment`), since Django's settings are read before any conftest.
"""

import atexit
import os
import tempfile
from pathlib import Path

from coursehub.development.mongod import Mongod, free_port
from coursehub.development.secrets import ensure_secrets

_folder = tempfile.TemporaryDirectory(prefix="coursehub-tests-")
atexit.register(_folder.cleanup)
VAR = Path(_folder.name)
MONGOD = Mongod(VAR / "mongo", free_port())
SANDBOX_PORT = free_port()


def _environment() -> dict[str, str]:
    return {
        "COURSEHUB_VAR": str(VAR),
        "MONGODB_URI": MONGOD.uri,
        "MONGODB_NAME": "coursehub_tests",
        "DEMO": "true",
        "DEBUG": "false",
        "SANDBOX_PORT": str(SANDBOX_PORT),
        "TRAINERCENTRAL_CALLS_PER_MINUTE": "0",
        "PROGRESS_WATCHED_SECONDS": "2",
        "EMAIL_URL": "memory:",
        "LOG_LEVEL": "WARNING",
        **ensure_secrets(VAR / "secrets"),
    }


os.environ.update(_environment())
for _name in ("SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "TRAINERCENTRAL_URL", "ZOHO_ACCOUNTS_URL", "PORT", "PUBLIC_URL"):
    os.environ.pop(_name, None)
