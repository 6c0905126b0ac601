"""What a request says of its content, before Django believes it.

Django takes any codec that Python knows for the alphabet of a request, and fails while it makes the request: "hex"
decodes no text, "idna" not with every handling of errors, and "unicode_escape" makes halves of characters, which
nothing can store. Browsers write forms in the alphabet of our pages.
"""

import codecs
import re
from typing import Any

from django.utils.http import parse_header_parameters

_ALPHABETS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})
_CHARSET = re.compile(rb';\s*charset\*?\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)
_NAME = b"content-type"


class ReadableContentType:
    """An ASGI application that tells `app` of no alphabet but those that forms are written in."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(name, readable(value) if name == _NAME else value) for name, value in scope["headers"]]
        await self._app({**scope, "headers": headers}, receive, send)


def readable(content_type: bytes) -> bytes:
    """The header without an alphabet that is none; of one that cannot be read, the kind alone."""
    if _is_readable(content_type):
        return content_type
    without = _CHARSET.sub(b"", content_type)
    return without if _is_readable(without) else content_type.partition(b";")[0]


def _is_readable(content_type: bytes) -> bool:
    try:
        charset = parse_header_parameters(content_type.decode("latin-1"))[1].get("charset")
        return charset is None or codecs.lookup(charset).name in _ALPHABETS
    except (LookupError, ValueError):
        return False
