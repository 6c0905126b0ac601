"""How a file is to be read, as it is stored with its batch."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from invitations.parsing import headings


@dataclass(frozen=True)
class Format:
    """How a file's bytes are to be read. `columns` says where what stands; without "email" a person must choose.

    `mark_bytes` is the length of the byte order mark, which `encoding` does not know of; `heading_line` is 0 for a
    file without headings; what stands above that line is passed over.
    """

    encoding: str
    mark_bytes: int
    delimiter: str
    heading_line: int
    headings: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_settled(self) -> bool:
        return "email" in self.columns

    def read_as(self) -> list[tuple[str, str]]:
        """What is read and the heading of its column, in the order of the file."""
        in_order = sorted(self.columns.items(), key=lambda column: column[1])
        return [(headings.LABELS[column], self.headings[at]) for column, at in in_order]

    def not_read(self) -> list[str]:
        """The headings of columns that nothing is taken from."""
        used = set(self.columns.values())
        return [text.strip() for at, text in enumerate(self.headings) if at not in used and text.strip()]

    def with_columns(self, columns: dict[str, int]) -> "Format":
        return replace(self, columns=columns)
