"""Commands as text, for the query log."""

from __future__ import annotations

from typing import Any

from bson import json_util


def shown(*arguments: Any) -> str:
    """The arguments of a command as MongoDB's shell would take them; what JSON lacks appears as its repr."""
    return ", ".join(json_util.dumps(argument, default=_extended) for argument in arguments)


def _extended(value: Any) -> Any:
    try:
        return json_util.default(value)
    except TypeError:
        return repr(value)
