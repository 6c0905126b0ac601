"""From the bytes of an uploaded file to rows with a verdict each. Pure: no database, no settings."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes
from email_validator import EmailNotValidError, validate_email

DELIMITERS = (",", ";", "\t", "|")
_DETECTOR_SAMPLE_BYTES = 64 * 1024
_TRIMMED = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"
_SAVE_AS_CSV = "in Excel choose File > Save as > CSV UTF-8, and upload that file."
_BINARY_STARTS = {
    b"PK\x03\x04": f"This is an Excel workbook or a zip archive: {_SAVE_AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"This is an old Excel workbook: {_SAVE_AS_CSV}",
    b"%PDF": "This is a PDF: export the list from its source as CSV, and upload that file.",
}
NOT_TEXT = "This file is not text: export the list as CSV, and upload that file."
HEADINGS = {
    "email": ("email", "emailaddress", "mail", "emailid", "useremail", "correo", "courriel", "epost", "mailadresse"),
    "first_name": ("firstname", "givenname", "first", "forename", "vorname", "prenom", "nombre", "nome"),
    "last_name": ("lastname", "surname", "familyname", "last", "nachname", "nom", "apellido", "apellidos", "cognome"),
}


class FileRefused(ValueError):
    """The whole file cannot be used; the text is one sentence for the person who uploaded it."""


@dataclass(frozen=True)
class Row:
    """One learner as read; `line` is 1-based in the file.

    `problem` says why the row cannot be invited, `duplicate_of` names the earlier line with the same
    address (0: none); a good row has neither.
    """

    line: int
    email: str
    email_folded: str
    first_name: str
    last_name: str
    problem: str = ""
    duplicate_of: int = 0

    @property
    def good(self) -> bool:
        return not self.problem and not self.duplicate_of


def read_rows(content: bytes, *, max_rows: int) -> list[Row]:
    """Every row below the headings, in the file's order. Raises FileRefused."""
    text = decode(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        return list(_rows(reader, max_rows))
    except csv.Error as error:
        raise FileRefused(
            f"Line {reader.line_num} cannot be read as CSV: look for a quotation mark that is never closed."
        ) from error


def decode(content: bytes) -> str:
    """The text of a file in any encoding that spreadsheets export. Raises FileRefused."""
    if not content.strip():
        raise FileRefused("The file is empty.")
    for start, sentence in _BINARY_STARTS.items():
        if content.startswith(start):
            raise FileRefused(sentence)
    try:
        text = content.decode(_encoding(content))
    except (UnicodeDecodeError, LookupError) as error:
        raise FileRefused(NOT_TEXT) from error
    if any(unicodedata.category(character) == "Cc" and character not in "\t\r\n\v\f\x85" for character in set(text)):
        raise FileRefused(NOT_TEXT)
    return text


def fold(email: str) -> str:
    """The form in which addresses are compared: composed, lower case."""
    return unicodedata.normalize("NFC", email).casefold()


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8-sig")
        return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    sample = content[:_DETECTOR_SAMPLE_BYTES]
    if b"\x00" in sample:
        # UTF-16 without a mark: in Western text every other byte is zero.
        return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"
    best = from_bytes(sample, cp_isolation=["cp1252", "latin_1", "cp1250", "cp1251", "mac_roman"]).best()
    return best.encoding if best else "cp1252"


def _delimiter(text: str) -> str:
    """The candidate that the first line with content holds most often."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=heading.count)


def _rows(reader, max_rows: int) -> Iterator[Row]:
    columns = _columns(next((cells for cells in reader if any(map(_clean, cells))), []))
    seen: dict[str, int] = {}
    line, count = reader.line_num + 1, 0
    for cells in reader:
        if any(map(_clean, cells)):
            count += 1
            if count > max_rows:
                raise FileRefused(f"The file has more than {max_rows:,} rows: split it, and upload the parts.")
            yield _judged(line, cells, columns, seen)
        line = reader.line_num + 1


def _columns(headings: list[str]) -> dict[str, int]:
    """Which column holds what. Raises FileRefused when there is no e-mail column."""
    found: dict[str, int] = {}
    for position, heading in enumerate(headings):
        name = "".join(filter(str.isalnum, unicodedata.normalize("NFKD", heading).casefold()))
        for column, aliases in HEADINGS.items():
            if name in aliases:
                found.setdefault(column, position)
    if "email" not in found:
        raise FileRefused("The file has no e-mail column: give the column with the addresses the heading “email”.")
    return found


def _judged(line: int, cells: list[str], columns: dict[str, int], seen: dict[str, int]) -> Row:
    values = {name: _clean(cells[at]) if at < len(cells) else "" for name, at in columns.items()}
    email = values["email"]
    folded, problem = _checked_address(email)
    for name, label in (("first_name", "first name"), ("last_name", "last name")):
        if len(values.get(name, "")) > 150:
            problem = problem or f"The {label} is longer than 150 characters."
    first_line = line if problem else seen.setdefault(folded, line)
    return Row(
        line=line,
        email=email[:320],
        email_folded=folded[:320],
        first_name=values.get("first_name", "")[:150],
        last_name=values.get("last_name", "")[:150],
        problem=problem,
        duplicate_of=first_line if first_line != line else 0,
    )


def _checked_address(email: str) -> tuple[str, str]:
    """The folded address and what is wrong with it ("" when nothing is)."""
    if not email:
        return "", "The e-mail address is missing."
    try:
        checked = validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return fold(email), f"Not an e-mail address: {_first_sentence(str(error))}"
    return fold(checked.normalized), ""


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")[:200] + "."


def _clean(cell: str) -> str:
    return cell.strip(_TRIMMED)
