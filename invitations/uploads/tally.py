"""The rows of a file as a whole: how many, and whether anybody of them can be invited."""

from collections import Counter
from dataclasses import dataclass, field

from django.conf import settings

from invitations.parsing import reader
from invitations.parsing.errors import NoGoodRows
from invitations.parsing.validation import Row


@dataclass
class Tally:
    """What there is to say of a file's rows as a whole."""

    rows: int = 0
    good: int = 0
    most_rows: int = field(default_factory=lambda: settings.UPLOAD_MAX_ROWS)
    first_problem: str = ""
    domains: Counter[str] = field(default_factory=Counter)  # of the good rows

    def note(self, row: Row) -> None:
        """Raises FileRefused when that was one too many."""
        self.rows += 1
        if self.rows > self.most_rows:
            raise reader.FileRefused(f"The file has more than {self.most_rows:,} rows: split it, and upload the parts.")
        if row.good:
            self.good += 1
            self.domains[row.email_folded.rpartition("@")[2]] += 1
        if not self.first_problem and row.problem:
            self.first_problem = f"the first, in line {row.line}: {row.problem}"

    def refuse_without_good_rows(self) -> None:
        """Raises FileRefused."""
        if not self.rows:
            raise reader.FileRefused("The file has headings but no rows.")
        if not self.good:
            raise NoGoodRows(f"None of the {self.rows} rows can be invited; {self.first_problem}")
