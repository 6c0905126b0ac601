"""The table of one course: which learners, in which order, as the page's address says.

The page, its paging without a script and the export all ask here; static/coursehub/js/progress_table.js does the same
with what the socket told. Both compare names in lower case, by code points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from progress.risk.rules import Flag
from progress.serializers import MemberState

PAGE_ROWS = 100
SEARCH_LENGTH_MAX = 200


class FlaggedMember(MemberState):
    """A learner, with what says that the learner is at risk."""

    flags: list[Flag]


class Show(StrEnum):
    """Which learners are shown."""

    ALL = "all"
    NOT_BEGUN = "not_begun"
    UNDER_WAY = "under_way"
    COMPLETED = "completed"
    AT_RISK = "at_risk"
    REVOKED = "revoked"  # not among the others: see `selectors.revoked`

    @property
    def label(self) -> str:
        return self.value.replace("_", " ").capitalize()


_SHOWN: dict[Show, Callable[[FlaggedMember], bool]] = {
    Show.ALL: lambda member: True,
    Show.NOT_BEGUN: lambda member: member["percent"] <= 0,
    Show.UNDER_WAY: lambda member: 0 < member["percent"] < 100,
    Show.COMPLETED: lambda member: member["percent"] >= 100,
    Show.AT_RISK: lambda member: bool(member["flags"]),
    Show.REVOKED: lambda member: True,
}
_ORDERS: dict[str, Callable[[FlaggedMember], Any]] = {
    "name": lambda member: (member["name"] or member["email"]).lower(),
    "percent": lambda member: member["percent"],
    "last_seen": lambda member: member["last_seen"] or "",
    "at": lambda member: member["at"] or "",
    "flags": lambda member: len(member["flags"]),
}


@dataclass(frozen=True)
class Choice:
    """What the address of a page says. Nonsense in it counts as not said."""

    search: str = ""
    show: Show = Show.ALL
    sort: str = "name"
    down: bool = False
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Choice":
        show, sort, page = (str(parameters.get(name, "")) for name in ("show", "sort", "page"))
        return cls(
            search=str(parameters.get("q", "")).strip()[:SEARCH_LENGTH_MAX],
            show=Show(show) if show in list(Show) else Show.ALL,
            sort=sort.removeprefix("-") if sort.removeprefix("-") in _ORDERS else "name",
            down=sort.startswith("-") and sort[1:] in _ORDERS,
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def query(self, **changes: Any) -> str:
        """This choice, with some changes, as a query string; what is not said otherwise is left out."""
        sort = f"-{self.sort}" if self.down else self.sort
        said = {"q": self.search, "show": self.show.value, "sort": sort, "page": self.page} | changes
        usual = {"q": "", "show": Show.ALL.value, "sort": "name", "page": 1}
        return urlencode({name: value for name, value in said.items() if value != usual[name]})

    def order_link(self, key: str) -> str:
        """The query string of a click on a column's heading: the other way round, or that column first."""
        if key == self.sort:
            return self.query(sort=key if self.down else f"-{key}", page=1)
        return self.query(sort=key if key == "name" else f"-{key}", page=1)

    def rows(self, members: list[FlaggedMember]) -> list[FlaggedMember]:
        """The learners that are chosen, of all pages, in order. Equals stay in the order of their names."""
        wanted, is_shown = self.search.lower(), _SHOWN[self.show]
        found = [one for one in members if is_shown(one) and wanted in f"{one['name']} {one['email']}".lower()]
        found.sort(key=lambda member: (_ORDERS["name"](member), member["id"]))
        if self.sort != "name" or self.down:
            found.sort(key=_ORDERS[self.sort], reverse=self.down)
        return found

    def page_of(self, rows: list[FlaggedMember]) -> "Page":
        last = max(1, -(-len(rows) // PAGE_ROWS))
        number = min(self.page, last)
        return Page(rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS], number, last, len(rows))


@dataclass(frozen=True)
class Page:
    """The rows of one page, which page of how many it is, and how many rows all have."""

    rows: list[FlaggedMember]
    number: int
    last: int
    total: int

    @property
    def first_row(self) -> int:
        return (self.number - 1) * PAGE_ROWS + 1 if self.total else 0

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.rows) - 1 if self.total else 0
