"""Workbooks as trainers upload them, and files that only look like one."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import xlsxwriter

Rows = Sequence[Sequence[Any]]
LEARNERS: Rows = [["email", "first name"], ["ada@example.org", "Ada"], ["grace@example.org", "Grace"]]


def xlsx(*sheets: Rows | tuple[str, Rows], then: Callable[[Any], None] | None = None) -> bytes:
    """A workbook with these sheets, each with its name or without; a name that begins with "hidden" hides it.

    `then` gets the workbook (XlsxWriter's) before it is closed.
    """
    made = io.BytesIO()
    options = {"default_date_format": "yyyy-mm-dd", "strings_to_formulas": False, "remove_timezone": True}
    book = xlsxwriter.Workbook(made, options)
    for one in sheets:
        name, rows = one if isinstance(one, tuple) else (None, one)
        sheet = book.add_worksheet(name)
        for at, cells in enumerate(rows):
            sheet.write_row(at, 0, cells)
        if name and name.startswith("hidden"):
            sheet.hide()
    if then:
        then(book)
    book.close()
    return made.getvalue()


def ods(rows: Rows, *, encrypted: bool = False) -> bytes:
    """What LibreOffice stores, less styles and settings; ISO dates are date cells."""
    table = "".join(f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>" for cells in rows)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">'
        f'<office:body><office:spreadsheet><table:table table:name="Class">{table}'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>" if encrypted else "<manifest/>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def _ods_cell(value: Any) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>x</text:p></table:table-cell>'
        )
    if value[:4].isdigit() and value[4:5] == "-":
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{value}"><text:p>31.12.31</text:p>'
            "</table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def xls() -> bytes:
    """E-Mail, Vorname, Kurs and gültig bis of two learners, and a formula without a value, as xlwt 1.3 wrote it."""
    return zlib.decompress(base64.b64decode(_XLS))


def compound(stream: str) -> bytes:
    """What begins like a compound file, with the name of a stream as its directory spells it."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(1000)


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A zip archive of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def bomb(*, gigabytes: int = 4, honest: bool = True) -> bytes:
    """A workbook whose sheets unpack to so much; all lie over the same 42 kB.

    Not `honest`: one stream of some megabytes, which says that it is small.
    """
    megabytes = 42
    if honest:
        return _overlapping(_deflated(megabytes * 1_000_000), megabytes * 1_000_000, gigabytes * 1000 // megabytes)
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = kernel.compress(bytes(1_000_000)) + kernel.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, zlib.DEFLATED, -15)
    return _overlapping(piece + _repeated(gigabytes * 1000) + again.flush(), 1_000, 1)


def _repeated(count: int) -> bytes:
    part = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (part.compress(bytes(1_000_000)) + part.flush(zlib.Z_FULL_FLUSH)) * count


def _deflated(count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(count)) + packer.flush()


def _overlapping(data: bytes, said_bytes: int, entries: int) -> bytes:
    """A zip archive of so many sheets that are all the same stored bytes."""
    checksum = zlib.crc32(bytes(said_bytes))
    sizes = struct.pack("<III", checksum, len(data), said_bytes)
    first = b"xl/worksheets/sheet0000.xml"
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x21) + sizes + struct.pack("<HH", len(first), 0) + first
    directory = b""
    for number in range(entries):
        name = b"xl/worksheets/sheet%04d.xml" % number
        directory += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x21) + sizes
        directory += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<HHHHIIH", 0, 0, entries, entries, len(directory), len(local) + len(data), 0)
    return local + data + directory + b"PK\x05\x06" + end


_XLS = (
    "eNrtWE1IVFEU/u77GWdEnRnTQgMbDK1Mg2jTRscScyGKFlhYUG+cYRicH3ljkC3KMpdB0KpokWGLNlabfqhF7VoERi2CINBauhIK"
    "Wqivc897o6MZOJCC8b7HPffec+4599x37t97H6aDMxNPq2exBi1QsWT54MnjCUq+XCUAkluWLOZyLyXLxbaCz0uB9Oh4Vfq+SMZQ"
    "xnsWCp5ob4kC3yidwxC6M+lYaAtxnH0whPShmajAPeKUoYq9Kmc6wHQH08fc8jXTVubcZNpMbWdEP6bD3Q1HnVl8RqllWRmk3ees"
    "84U5h1GJd3IWX70l7LY6jpkJI7nNBDVaCSZBAe2IpWOmrPvxEMXACKEplWqKRmdQQcGexE8rBPzIreo3IZe/tXwB4v9azS/6C99L"
    "QVzLv61owCisC7xIxlGKTk1KdLQljWx2gVaJ19mbaW23N3UZiSRNjL6MmTZSMWraedHM0syILySHE/FQJJH1A0bUaI1dMlJDydih"
    "jBlXgf7MXJAamcZALF+i0xSTvGJ5NPBWEli1lZTyEishGoWfy0FeaAFyaOHR/MeuSE/4PHNG2UX7kKmTY4KFa1KDlMtYoi3TBtY4"
    "yPQ6W93N5WqmFTR2yut7Kp3CiTFuc4Ol9dTPEcan8L688n4qj8/1vqgZ/x4+QOWpjtnLFVOfwxOopUMvSvryGUOjaBR370i8DOdy"
    "4WxIX5lW/bE5eZWA47vlnKR+LMrlSAgytWvy7YjlmuK8K7umUk11bIl1bAm2pTntBdvSpR69PcG27sdPPdjbW9d2RZFylXzum1fY"
    "nrKOPYXteRx7duRkWKW2wvbOUhNd8VJZZb+lJZVHsWLJgz3Ms32X1wNb5MMuAYNSxNuilOOZ7I327RUUw4ULFy5cuHDhwsVmQPBF"
    "E3w90/izwb64Fzn/dRYpLbm/Sf5bnESGnmH6qGxHmnITIwXNn53QRc6W2KBO7n+hxGnq3cQgIuzHYMHzlz68RP54NqwY+HdLqND+"
    "lwrxc5P7/w2pCvRl"
)


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files in a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
