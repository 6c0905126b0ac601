"""Downloads that are made while they are sent, in constant memory, and cells that are safe in a spreadsheet."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from channels.db import database_sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# A cell that begins with one of these may be run as a formula (OWASP, "CSV injection").
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


def download(chunks: Iterator[bytes], *, filename: str, content_type: str) -> StreamingHttpResponse:
    """An attachment of these bytes. Under ASGI a plain iterator would be read to its end before the first byte left."""
    answer = StreamingHttpResponse(_made_by_turns(chunks), content_type=content_type)
    answer.headers["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return answer


async def _made_by_turns(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await database_sync_to_async(next)(chunks, None)) is not None:
        yield chunk


def safe_cell(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet might run. Numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_BEGINS):
        return f"'{value}"
    return value
