"""What a file is that begins like a workbook, and whether it unpacks to something that may be read. Pure."""

import zipfile
import zlib
from typing import BinaryIO

from invitations.parsing.errors import FileRefused

ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MOST_UNPACKED_BYTES = 500_000_000
_CHUNK_BYTES = 1_000_000
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, KeyError, RuntimeError, ValueError)
_READ = (".xml", ".bin", ".rels")  # pictures and the like are never unpacked

_AS_WORKBOOK = "save the list as a workbook (xlsx) or as CSV, and upload that file."
TOO_LARGE = (
    "This workbook holds more than a list of learners does, or cells far away from it: copy the list into a new "
    "workbook, and upload that file."
)
DAMAGED = f"This workbook is damaged or of a kind that cannot be read: open it in Excel or LibreOffice, {_AS_WORKBOOK}"
PROTECTED = "This workbook is protected by a password: save it without one, and upload it again."
_DOCUMENT = f"This is a text document, no workbook: {_AS_WORKBOOK}"
_SLIDES = f"This is a presentation, no workbook: {_AS_WORKBOOK}"
_NUMBERS = (
    "This is a document of Numbers, Pages or Keynote: in Numbers choose File > Export To > Excel, and upload that file."
)
_ARCHIVE = "This is a zip archive: unpack it, and upload the list inside."
_MAIL = "This is an e-mail message: save the list that is attached to it, and upload that file."

# Streams of compound files, as their directory spells them.
_STREAMS = (
    ("EncryptedPackage", PROTECTED),
    ("WordDocument", _DOCUMENT),
    ("PowerPoint Document", _SLIDES),
    ("__substg1.0_", _MAIL),
)


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so goes the way of workbooks, on which it may be refused."""
    return head.startswith((ZIP, COMPOUND))


def look_into(file: BinaryIO) -> None:
    """Raises FileRefused, with bounded memory, for what is no workbook, protected, damaged, or unpacks to too much."""
    file.seek(0)
    if file.read(4) == COMPOUND:
        _look_into_compound(file)
    else:
        try:
            with zipfile.ZipFile(file) as archive:
                _look_into_archive(archive)
        except FileRefused:
            raise
        except _BROKEN as error:
            raise FileRefused(DAMAGED) from error
    file.seek(0)


def _look_into_compound(file: BinaryIO) -> None:
    file.seek(0)
    content = file.read()
    for stream, sentence in _STREAMS:
        if stream.encode("utf-16-le") in content:
            raise FileRefused(sentence)


def _look_into_archive(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    kind = archive.read("mimetype")[:100] if "mimetype" in names and _size(archive, "mimetype") < 1_000 else b""
    if any(name.startswith("word/") for name in names) or b"opendocument.text" in kind:
        raise FileRefused(_DOCUMENT)
    if any(name.startswith("ppt/") for name in names) or b"opendocument.presentation" in kind:
        raise FileRefused(_SLIDES)
    if any(name.endswith(".iwa") for name in names):
        raise FileRefused(_NUMBERS)
    if not any(name.startswith("xl/") for name in names) and b"opendocument.spreadsheet" not in kind:
        raise FileRefused(_ARCHIVE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused(PROTECTED)
    read = [entry for entry in entries if entry.filename.lower().endswith(_READ)]
    if sum(entry.file_size for entry in read) > MOST_UNPACKED_BYTES:
        raise FileRefused(TOO_LARGE)
    _unpack(archive, read)
    manifest = "META-INF/manifest.xml"
    if manifest in names and b"encryption-data" in archive.read(manifest):
        raise FileRefused(PROTECTED)


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Count what really comes out: what an archive says of its sizes may be a lie."""
    left = MOST_UNPACKED_BYTES
    for entry in entries:
        said = entry.file_size
        entry.file_size = left + 2 * _CHUNK_BYTES  # read on behind the size that is said, until it is too much
        with archive.open(entry) as unpacked:
            while chunk := unpacked.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise FileRefused(TOO_LARGE)
        entry.file_size = said


def _size(archive: zipfile.ZipFile, name: str) -> int:
    return archive.getinfo(name).file_size
