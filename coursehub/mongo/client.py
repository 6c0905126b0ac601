"""The registry of MongoClients: one per process and set of client parameters, never closed under a user.

A MongoClient is a thread-safe pool, so all threads share it. It must not cross a fork (its sockets and
monitor threads belong to the parent), so the process id is part of the key.
"""

import os
import threading
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pymongo import MongoClient
from pymongo.database import Database

from coursehub.mongo.types import Document

# What the engine relies on; the connection string and `CLIENT` decide everything else.
_OURS = {"document_class": dict, "tz_aware": False, "uuidRepresentation": "standard"}

_clients: dict[tuple[Any, ...], MongoClient[Document]] = {}
_lock = threading.Lock()


def shared_client(parameters: dict[str, Any]) -> MongoClient[Document]:
    """The client of this process for `parameters` (keywords of MongoClient); connects on first use.

    Raises pymongo's ConfigurationError when the parameters make no sense.
    """
    key = (os.getpid(), _frozen(parameters))
    client = _clients.get(key)
    if client is None:
        with _lock:
            client = _clients.get(key)
            if client is None:
                client = _clients[key] = MongoClient(**{**parameters, **_OURS}, connect=False)
    return client


def shared_database(settings: dict[str, Any]) -> Database[Document]:
    """The database that an entry of DATABASES names, by the client of this process.

    Raises ImproperlyConfigured when it names none.
    """
    if not settings.get("NAME"):
        raise ImproperlyConfigured("An entry of DATABASES names no database: set NAME.")
    return shared_client(settings.get("CLIENT") or {})[settings["NAME"]]


def _frozen(value: Any) -> Any:
    """`value` as something hashable that is equal for equal parameters."""
    if isinstance(value, dict):
        return tuple(sorted((name, _frozen(inner)) for name, inner in value.items()))
    if isinstance(value, (list, tuple, set)):
        return tuple(_frozen(inner) for inner in value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def _forget_parents_lock() -> None:
    """A thread of the parent may have held the lock when the process forked."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_parents_lock)
