"""Secrets of a checkout: made once under `var/secrets/`, readable by their owner only, then reused."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

_MAKERS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "TOKEN_ENCRYPTION_KEYS": lambda: Fernet.generate_key().decode(),
}


def ensure_secrets(folder: Path) -> dict[str, str]:
    """Create what is missing; returns the environment (`NAME_FILE` -> path) that hands the secrets on."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {f"{name}_FILE": str(_ensure(folder / name, make)) for name, make in _MAKERS.items()}


def _ensure(path: Path, make: Callable[[], str]) -> Path:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w") as file:
        file.write(make())
    return path
