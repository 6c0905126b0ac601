"""What of an upload is read: its bytes as they are, or a text made from them, and how."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from django.conf import settings

from invitations.parsing import reader
from invitations.parsing.file_format import Format
from invitations.uploads import file_store
from invitations.workbooks import process


@dataclass(frozen=True)
class Examined:
    """What is read, and its format; `digest` is that of these bytes."""

    content: BinaryIO
    form: Format
    size_bytes: int
    digest: str


@contextmanager
def examined(file: BinaryIO, *, sheet: int = 0) -> Iterator[Examined]:
    """Context: what is to be read of these bytes; of a workbook the `sheet` of that number, or the one with addresses.

    Raises FileRefused.
    """
    if not is_workbook(file):
        yield _examined(file)
        return
    with process.read_sheet(file, most_rows=settings.UPLOAD_MAX_ROWS, number=sheet) as made:
        found = _examined(made.content)
        yield replace(found, form=replace(found.form, text=f"sheet-{made.number}", sheets=made.names))


def is_workbook(file: BinaryIO) -> bool:
    file.seek(0)
    return process.is_workbook(file.read(8))


def _examined(content: BinaryIO) -> Examined:
    examiner = reader.Examiner()
    for piece in file_store.of_file(content):
        examiner.feed(piece)
    return Examined(content, examiner.format(), examiner.size_bytes, examiner.digest)
