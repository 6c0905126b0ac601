"""Files as they come from spreadsheets, exports, mail and despair, and what CourseHub is to say of each."""

from datetime import UTC, datetime

from invitations.parsing.courses import Courses
from invitations.parsing.reader import Examiner, records
from invitations.parsing.validation import Judge, Row

COURSES = {"3000094000002000004": "Algebra", "3000094000002000005": "Biology", "77": "Chemistry", "78": "Chemistry"}
CHOSEN = "3000094000002000004"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def read_rows(content: bytes, *, piece_bytes: int = 1000, chosen: str = CHOSEN) -> list[Row]:
    """Every row of a file whose headings say where the addresses are. Raises FileRefused."""
    pieces = [content[at : at + piece_bytes] for at in range(0, len(content), piece_bytes)]
    examiner = Examiner()
    for piece in pieces:
        examiner.feed(piece)
    form = examiner.format()
    judge = Judge(form.columns, Courses(names=COURSES, chosen=chosen), NOW, "Europe/Vienna")
    return [judge.judge(*record) for record in records(pieces, form)]
