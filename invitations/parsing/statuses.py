"""Values of a status column that say that somebody is out of it. Pure."""

from collections import Counter
from collections.abc import Iterable

from invitations.parsing.headings import normalised

_OUT = frozenset(
    map(
        normalised,
        (
            "refunded", "refund", "fully refunded", "declined", "deactivated", "inactive", "cancelled", "canceled",
            "not attending", "rejected", "denied", "suspended", "disabled", "blocked", "deleted", "removed",
            "withdrawn", "withdrew", "dropped", "unsubscribed", "bounced", "archived", "terminated", "expired",
            "void", "voided", "no show", "left", "resigned", "transferred", "unenrolled", "dropped out",
            "charged back", "locked", "storniert", "abgesagt", "abgelehnt", "inaktiv", "gesperrt", "gekündigt",
            "deaktiviert", "ausgetreten", "annulé", "remboursé", "inactif", "refusé", "désactivé", "cancelado",
            "reembolsado", "inactivo", "rechazado", "anulado", "inativo", "recusado", "annullato", "rimborsato",
            "inattivo", "geannuleerd", "inactief", "anulowany", "nieaktywny", "iptal", "pasif", "отменено",
            "неактивен", "已取消", "已退款", "キャンセル",
        ),
    )
)  # fmt: skip
_MOST_VALUES = 12  # of a column of states; what holds more is a column of something else


def is_out(value: str) -> bool:
    """Whether such a value says that the learner is not to be invited."""
    return normalised(value) in _OUT


def column_of(rows: Iterable[list[str]], columns: Iterable[int]) -> int | None:
    """Of `columns`, the first that holds few values and one of them that says so; None without one."""
    rows = list(rows)
    for at in columns:
        values = Counter(normalised(cells[at]) for cells in rows if at < len(cells) and cells[at].strip())
        if 0 < len(values) <= _MOST_VALUES and not _OUT.isdisjoint(values):
            return at
    return None
