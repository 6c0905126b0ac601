"""Functions that apps register by dotted path, so that the parts below them need not import them.

Whoever keeps such a path notes it here; a system check sees at every start that each can be called.
"""

from django.utils.module_loading import import_string

PATHS: dict[str, str] = {}  # path -> purpose


def note(path: str, purpose: str) -> str:
    """Remember that `path` is called for this `purpose` ("a tick"); returns the path."""
    PATHS[path] = purpose
    return path


def missing() -> dict[str, str]:
    """Path -> purpose of those under which there is nothing to call."""
    return {path: purpose for path, purpose in PATHS.items() if not _can_be_called(path)}


def _can_be_called(path: str) -> bool:
    try:
        return callable(import_string(path))
    except ImportError:
        return False
