"""Django's source distribution in the installed version: its tests are in no wheel."""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import django

# Without them Django skips most tests of admin_docs and some of auth_tests.
_HELPERS = ("docutils", "argon2-cffi", "bcrypt")


def ensure_source(folder: Path) -> Path:
    """The folder with Django's `runtests.py`, fetched into `folder` by pip unless it is there already.

    Raises CalledProcessError when pip finds no source distribution of the installed version.
    """
    version = django.get_version()
    unpacked = folder / f"django-{version}"
    if not unpacked.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fetched:
            _pip("download", "--no-deps", "--no-binary", ":all:", "--dest", fetched, f"django=={version}")
            (archive,) = Path(fetched).glob("*.tar.gz")
            with tarfile.open(archive) as packed:
                packed.extractall(fetched, filter="data")
            # A rename, so that an interrupted fetch leaves nothing that looks complete.
            os.replace(next(path for path in Path(fetched).iterdir() if path.is_dir()), unpacked)
    return unpacked / "tests"


def ensure_helpers(folder: Path) -> Path:
    """A folder for PYTHONPATH with the packages that Django's tests use and the project does not."""
    helpers = folder / "helpers"
    if not helpers.exists():
        _pip("install", "--target", str(helpers), *_HELPERS)
    return helpers


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments], check=True)
