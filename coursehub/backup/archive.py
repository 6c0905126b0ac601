"""The file of a backup: a zip of one BSON stream per collection, and a manifest with a SHA-256 of each.

Any unzip and any reader of BSON opens it (mongorestore's format of a collection is the same stream). The manifest
comes last: a file without one was not finished.
"""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bson import json_util
from bson.errors import BSONError
from bson.json_util import CANONICAL_JSON_OPTIONS

FORMAT, VERSION = "coursehub-backup", 1
_MANIFEST = "manifest.json"
_LENGTH = struct.Struct("<i")
_LEAST_BYTES, _MOST_BYTES = 5, 17_000_000  # of one document
_COMPRESSION_LEVEL = 3  # twice as fast as zlib's default, and a tenth larger
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class Refused(Exception):
    """Why nothing was done, as one plain sentence."""


@dataclass(frozen=True)
class Part:
    """One collection; `documents` is None where only the collection and its indexes are kept."""

    name: str
    options: dict[str, Any]
    indexes: list[dict[str, Any]]
    documents: int | None = None
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `left_out` names collections that cannot be read as of a moment."""

    taken_at: str  # ISO 8601, UTC
    database: str
    migrations: list[list[str]]  # [app, name], applied
    parts: list[Part]
    left_out: list[str] = field(default_factory=list)
    format: str = FORMAT
    version: int = VERSION

    @property
    def documents(self) -> int:
        return sum(part.documents or 0 for part in self.parts)


class Writer:
    """Writes a backup into an open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL)

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[int, int, str]:
        """Store whole documents, `chunks` of some each; returns how many, their bytes, and their SHA-256."""
        digest, documents, size = hashlib.sha256(), 0, 0
        with self._zip.open(_path(name), "w", force_zip64=True) as part:
            for chunk in chunks:
                part.write(chunk)
                digest.update(chunk)
                documents, size = documents + _count(chunk), size + len(chunk)
        return documents, size, digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        """Without this the file is no backup."""
        self._zip.writestr(_MANIFEST, json_util.dumps(asdict(manifest), json_options=CANONICAL_JSON_OPTIONS))

    def close(self) -> None:
        self._zip.close()


class Reader:
    """An existing backup. Raises Refused with one sentence for whatever is none, or was damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise Refused(f"There is no file {path}.")
        try:
            self._zip = zipfile.ZipFile(path)
            content = self._zip.read(_MANIFEST)
        except KeyError:
            raise Refused(f"{path} is not a backup of CourseHub.") from None
        except _UNREADABLE:
            raise Refused(f"{path} is not a backup of CourseHub, or it is damaged.") from None
        self.manifest = self._parsed(content)

    def close(self) -> None:
        self._zip.close()

    def verify(self) -> None:
        """Read all of it, and compare with the manifest."""
        for part in self.manifest.parts:
            if part.documents is not None:
                for _ in self.documents(part):
                    pass

    def documents(self, part: Part) -> Iterator[bytes]:
        """The documents of a collection, each as BSON; raises Refused at its end when the sum does not match."""
        digest, count = hashlib.sha256(), 0
        damaged = Refused(f"The backup is damaged: the documents of {part.name} are not those that were written.")
        try:
            with self._zip.open(_path(part.name)) as stream:
                while head := stream.read(_LENGTH.size):
                    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
                    document = head + stream.read(length - _LENGTH.size) if _is_possible(length) else b""
                    if not document or len(document) != length:
                        raise damaged
                    digest.update(document)
                    count += 1
                    yield document
        except (KeyError, *_UNREADABLE):
            raise damaged from None
        if (count, digest.hexdigest()) != (part.documents, part.sha256):
            raise damaged

    def _parsed(self, content: bytes) -> Manifest:
        try:
            told = json_util.loads(content.decode(), json_options=CANONICAL_JSON_OPTIONS)
            if told.get("format") != FORMAT:
                raise Refused(f"{self._path} is not a backup of CourseHub.")
            if told.get("version") != VERSION:
                raise Refused(f"{self._path} was written by a newer CourseHub: its format is {told.get('version')}.")
            return Manifest(**{**told, "parts": [Part(**part) for part in told["parts"]]})
        except (ValueError, TypeError, KeyError, AttributeError, BSONError):
            raise Refused(f"{self._path} is damaged: its table of contents cannot be read.") from None


def _path(name: str) -> str:
    return f"collections/{name}.bson"


def _is_possible(length: int) -> bool:
    return _LEAST_BYTES <= length <= _MOST_BYTES


def _count(chunk: bytes) -> int:
    documents = position = 0
    while position < len(chunk):
        position += _LENGTH.unpack_from(chunk, position)[0]
        documents += 1
    return documents
