"""Files that are no CSV, told by their content, and what to do instead. Pure."""

_EXPORT_EXCEL = "in Excel choose File > Save as > CSV UTF-8, and upload that file."
_EXPORT = "export the list as CSV, and upload that file."
NOT_TEXT = f"This file is not text: {_EXPORT}"
MIXED = "This file begins as UTF-8 and goes on as something else: save the file as CSV UTF-8, and upload it again."
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"This is a workbook (xlsx, ods, Numbers) or a zip archive: {_EXPORT_EXCEL}"),
    (b"PK\x05\x06", f"This is an empty zip archive: {_EXPORT}"),
    (b"\xd0\xcf\x11\xe0", f"This is an old Excel workbook: {_EXPORT_EXCEL}"),
    (b"%PDF", "This is a PDF: export the list from its source as CSV, and upload that file."),
    (b"\x89PNG", f"This is a picture: {_EXPORT}"),
    (b"\xff\xd8\xff", f"This is a picture: {_EXPORT}"),
    (b"GIF8", f"This is a picture: {_EXPORT}"),
    (b"RIFF", f"This is a picture or a recording: {_EXPORT}"),
    (b"\x1f\x8b", "This is a compressed file (gzip): unpack it, and upload the CSV inside."),
    (b"7z\xbc\xaf", "This is a compressed file (7z): unpack it, and upload the CSV inside."),
    (b"Rar!", "This is a compressed file (rar): unpack it, and upload the CSV inside."),
    (b"SQLite format 3", f"This is a database: {_EXPORT}"),
    (b"{\\rtf", f"This is a text document (rtf): {_EXPORT}"),
    (b"<!doctype html", f"This is a web page, or what some programs export as xls: {_EXPORT_EXCEL}"),
    (b"<html", f"This is a web page, or what some programs export as xls: {_EXPORT_EXCEL}"),
    (b"<?xml", f"This is XML: {_EXPORT_EXCEL}"),
    (b"begin:vcard", f"These are vCards: {_EXPORT}"),
    (b"{", f"This is JSON: {_EXPORT}"),
    (b"[{", f"This is JSON: {_EXPORT}"),
)


class FileRefused(ValueError):
    """The whole file cannot be used; the text is one sentence for the person who uploaded it."""


class NoGoodRows(FileRefused):
    """None of the rows can be invited."""


def refuse_what_is_no_csv(head: bytes) -> None:
    """Raises FileRefused for a file that begins like `head` and is known to be something else."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:32]
    for known, sentence in _STARTS:
        if start.startswith(known) or start.lower().startswith(known):
            raise FileRefused(sentence)
