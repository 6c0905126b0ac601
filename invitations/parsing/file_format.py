"""How a file is to be read, as it is stored with its batch."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from invitations.parsing import headings


@dataclass(frozen=True)
class Format:
    """How a file's bytes are to be read. `columns` says where what stands; a person chooses while `asks` says why.

    `mark_bytes` is the length of the byte order mark, which `encoding` does not know of; `heading_line` is 0 for a
    file without headings; what stands above that line, or from `end_line` on (0: to the end), is passed over.

    `text` says which of the batch's texts this is about: "" for the bytes as they were uploaded, else the name of one
    that was made from them ("sheet-2" for the second of a workbook's `sheets`, whose hidden ones come last).
    """

    encoding: str
    mark_bytes: int
    delimiter: str
    heading_line: int
    headings: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    end_line: int = 0
    asks: list[str] = field(default_factory=list)  # sentences
    tables: list[dict[str, Any]] = field(default_factory=list)  # of several: "line" of the headings, "end", "title"
    encodings: list[str] = field(default_factory=list)  # codecs that read the letters as well, `encoding` among them
    is_quoted_whole: bool = False  # each line stands in quotation marks
    skips_blanks: bool = False  # behind a delimiter, before a quotation mark
    day_first: bool | None = None  # how 04/05/2027 is meant; None: nothing tells
    dates_in_doubt: bool = False
    status_column: int | None = None  # some of whose values say that a learner is out of it
    leaves_out_status: bool = False
    chosen_on: str = ""  # the day (ISO) on which this person chose these columns for such headings
    text: str = ""
    sheets: list[str] = field(default_factory=list)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_settled(self) -> bool:
        return "email" in self.columns and not self.asks

    @property
    def sheet_number(self) -> int:
        """Which of `sheets` is read, from 1 on; 0 for what is no sheet."""
        number = self.text.removeprefix("sheet-")
        return int(number) if number != self.text and number.isdecimal() else 0

    def read_as(self) -> list[tuple[str, str]]:
        """What is read and the heading of its column, in the order of the file."""
        in_order = sorted(self.columns.items(), key=lambda column: column[1])
        return [(headings.LABELS[column], self.heading(at)) for column, at in in_order]

    def not_read(self) -> list[str]:
        """The headings of columns that nothing is taken from."""
        used = set(self.columns.values())
        return [text.strip() for at, text in enumerate(self.headings) if at not in used and text.strip()]

    def heading(self, at: int) -> str:
        """The heading of a column, or its number."""
        text = self.headings[at].strip() if at < len(self.headings) else ""
        return text or f"Column {at + 1}"

    def with_columns(self, columns: dict[str, int], *, chosen_on: str = "") -> "Format":
        """As a person says, or said on that day, so that nothing is asked any more."""
        return replace(self, columns=columns, asks=[], chosen_on=chosen_on)
