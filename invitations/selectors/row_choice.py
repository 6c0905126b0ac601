"""Which rows of a batch are shown, as the address of the page says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from invitations.models import Invitation
from invitations.selectors import search

State = Invitation.State
SIZES = (25, 50, 100, 200)
USUAL_SIZE = 50
# What a person may have to put right, the gravest first.
LEFT_OUT = (State.INVALID, State.DUPLICATE, State.ALREADY_INVITED, State.ALREADY_ENROLLED)
BAD = (State.FAILED, State.UNKNOWN, *LEFT_OUT)
# Of these nobody is asked about first: their rows may be put right and uploaded again.
NOT_INVITED = (State.FAILED, *LEFT_OUT)


class Order(StrEnum):
    """In which order rows are shown."""

    BAD_FIRST = "bad"
    LINE = "line"


@dataclass(frozen=True)
class Choice:
    """What the address of a page says of rows. Nonsense in it counts as not said.

    `usual` is the order of an address that says none.
    """

    search: str = ""
    state: str = ""
    size: int = USUAL_SIZE
    order: Order = Order.LINE
    usual: Order = Order.LINE

    @classmethod
    def of(cls, parameters: Mapping[str, Any], *, usual: Order = Order.LINE) -> "Choice":
        state, size, order = (str(parameters.get(name, "")) for name in ("state", "size", "order"))
        return cls(
            search=search.clean(str(parameters.get("q", ""))),
            state=state if state in State.values else "",
            size=int(size) if size in map(str, SIZES) else USUAL_SIZE,
            order=Order(order) if order in list(Order) else usual,
            usual=usual,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether some rows are not shown on any page."""
        return bool(self.search or self.state)

    @property
    def said(self) -> dict[str, str]:
        """What an address must say to mean this choice; the usual is left out."""
        said = {"q": self.search, "state": self.state, "size": str(self.size), "order": self.order.value}
        usual = {"q": "", "state": "", "size": str(USUAL_SIZE), "order": self.usual.value}
        return {name: value for name, value in said.items() if value != usual[name]}

    def query(self, **changes: str) -> str:
        """This choice with some changes, as a query string; what is changed to "" is not said."""
        return urlencode({name: value for name, value in {**self.said, **changes}.items() if value})
