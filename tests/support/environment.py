"""What the tests, and every process that they start, are configured by.

A pytest plugin (`-p tests.support.environment`), since Django's settings are read before any conftest. In a whole run
the tests are shared out among processes (tests/support/sharing.py): each has a folder, a database and a sandbox of its
own on the mongod of the process that started them.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from coursehub.development.mongod import Mongod, free_port
from coursehub.development.scratch import scratch_parent
from coursehub.development.secrets import ensure_secrets

_PREFIX, _SHARED = "coursehub-tests-", "COURSEHUB_TESTS_SHARED"


def _new_folder() -> Path:
    """A folder that goes with this process."""
    parent = scratch_parent()
    for left in parent.glob(f"{_PREFIX}*"):  # by a process that was killed
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# One of several processes, or "" in a process of its own. Processes that tests start have nothing to do with it.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "") if _SHARED in os.environ else ""
_shared_folder, _, _shared_port = os.environ.pop(_SHARED, "").rpartition(":")
VAR = Path(_shared_folder, WORKER) if WORKER else _new_folder()
MONGOD = Mongod(VAR / "mongo", int(_shared_port) if WORKER else free_port())
SANDBOX_PORT = free_port()


def share() -> None:
    """From now on processes of pytest-xdist that this one starts use its mongod."""
    os.environ[_SHARED] = f"{VAR}:{MONGOD.port}"


def _environment() -> dict[str, str]:
    VAR.mkdir(exist_ok=True)
    return {
        "COURSEHUB_VAR": str(VAR),
        "MONGODB_URI": MONGOD.uri,
        "MONGODB_NAME": f"coursehub_tests{WORKER}",
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
# Hundreds of processes are started, and each would compile the project anew.
sys.dont_write_bytecode = False
for _name in (
    "PYTHONDONTWRITEBYTECODE",
    "SECRET_KEY",
    "TOKEN_ENCRYPTION_KEYS",
    "TRAINERCENTRAL_URL",
    "ZOHO_ACCOUNTS_URL",
    "PORT",
    "PUBLIC_URL",
):
    os.environ.pop(_name, None)
