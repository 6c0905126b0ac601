"""Which column of a table holds what, by its headings and its rows, and where a person has to say it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coursehub.emails import normalize
from invitations.parsing import headings, persons
from invitations.parsing.emails import addresses_in, clean

DO_NOT_SAY = "The headings do not say which column holds the learners’ e-mail addresses."
SEVERAL = "Several columns hold e-mail addresses."
SOMEBODY_ELSE = "The e-mail column is headed “{}”, which may be somebody else than the learner."
FEW = "The column “{}” holds hardly any e-mail addresses, another one does."
REPEATED = "The column “{}” holds the same e-mail addresses again and again, another one does not."
_ROWS_FOR_WIDTH = 50


class Holding(NamedTuple):
    """What a column holds: cells that are not empty, cells with addresses, different addresses; those of each row."""

    filled: int
    addresses: int
    distinct: int
    of_rows: tuple[frozenset[str], ...]


@dataclass
class Columns:
    """`labels`: a heading for each column; `chosen`: column -> position, the best guess where `asks` is not empty."""

    labels: list[str]
    chosen: dict[str, int]
    asks: list[str]

    @classmethod
    def of(cls, heading: Sequence[str], groups: Sequence[str], rows: list[list[str]]) -> "Columns":
        """`groups` are headings above the headings, one for each column, "" where there is none; both may be empty."""
        width = len(heading) or max((len(cells) for cells in rows[:_ROWS_FOR_WIDTH]), default=0)
        labels = list(_labels(heading, groups, width))
        holding = [_holding(cells[at] if at < len(cells) else "" for cells in rows) for at in range(width)]
        email, asks = _email(heading, labels, holding, len(rows))
        chosen = {} if email is None else {"email": email}
        return cls(labels, chosen | _others(heading, labels, groups, email), asks)


def fits(email: int, rows: list[list[str]]) -> bool:
    """Whether a column may be the one with the addresses: it holds some, and no other holds more than twice as many."""
    width = max((len(cells) for cells in rows), default=0)
    counts = [_holding(cells[at] if at < len(cells) else "" for cells in rows).addresses for at in range(width)]
    mine = counts[email] if email < width else 0
    return not rows or (mine > 0 and max(counts) <= 2 * mine)


def _labels(heading: Sequence[str], groups: Sequence[str], width: int) -> Iterator[str]:
    for at in range(width):
        group = groups[at] if at < len(groups) else ""
        if not heading:
            yield f"Column {at + 1}"
        elif group and clean(heading[at]):
            yield f"{group} {clean(heading[at])}"
        else:
            yield heading[at] if clean(heading[at]) else group


def _email(
    heading: Sequence[str], labels: list[str], holding: list[Holding], rows: int
) -> tuple[int | None, list[str]]:
    """The position of the column with the addresses, or None, and why to ask."""
    exact = [at for at, text in enumerate(heading) if headings.column_of(text) == "email"]
    speaking = exact or headings.speak_of_mail(heading)
    held = [at for at, one in enumerate(holding) if one.addresses and 2 * one.addresses >= one.filled]
    copies = _copies(held, exact, speaking, labels, holding)
    exact, speaking, held = ([at for at in places if at not in copies] for places in (exact, speaking, held))
    main = speaking[0] if len(speaking) == 1 else None
    if main is None and len(set(speaking) & set(held)) == 1 and exact:
        main = next(iter(set(speaking) & set(held)))
    asks = _why_ask(main, bool(exact), labels, holding, held, rows)
    if main is None and not asks and len(exact) > 1:
        main = exact[0]  # of none of them anything is known
    if not asks:
        return main, []
    return _likely(held, labels, holding), asks


def _copies(
    held: list[int], exact: list[int], speaking: list[int], labels: list[str], holding: list[Holding]
) -> set[int]:
    """Columns with the addresses of another one, row by row ("Confirm your e-mail"): between them there is no doubt."""

    def rank(at: int) -> tuple[bool, bool, bool, int]:
        return persons.is_of_somebody_else(labels[at]), at not in exact, at not in speaking, at

    kept: dict[tuple[frozenset[str], ...], int] = {}
    return {at for at in sorted(held, key=rank) if kept.setdefault(holding[at].of_rows, at) != at}


def _why_ask(
    main: int | None, is_exact: bool, labels: list[str], holding: list[Holding], held: list[int], rows: int
) -> list[str]:
    rivals = [at for at in held if at != main]
    if main is None:
        return [SEVERAL if len(held) > 1 else DO_NOT_SAY] if held else []
    if persons.is_of_somebody_else(labels[main]):
        return [SOMEBODY_ELSE.format(clean(labels[main])[:60])]
    if not rivals:
        return []
    mine, best = holding[main], max(holding[at].addresses for at in rivals)
    if not is_exact:
        return [SEVERAL]
    if 2 * mine.addresses < rows and best > mine.addresses:
        return [FEW.format(clean(labels[main])[:60])]
    most = max(holding[at].distinct for at in rivals)
    if mine.addresses > 1 and 2 * mine.distinct <= mine.addresses and most > mine.distinct:
        return [REPEATED.format(clean(labels[main])[:60])]
    return []


def _likely(held: list[int], labels: list[str], holding: list[Holding]) -> int | None:
    """The column to be preselected: the learner's by its heading, else the one whose values differ most; or none."""

    def rank(at: int) -> tuple[int, float]:
        person = persons.is_of_the_learner(labels[at]) - persons.is_of_somebody_else(labels[at])
        return person, holding[at].distinct / holding[at].addresses

    best = sorted(held, key=lambda at: (rank(at), holding[at].distinct), reverse=True)
    if not best or rank(best[0])[0] < 0:
        return None
    equal = [at for at in best[1:] if rank(at) == rank(best[0])]
    return best[0] if all(2 * holding[at].distinct <= holding[best[0]].distinct for at in equal) else None


def _others(heading: Sequence[str], labels: list[str], groups: Sequence[str], email: int | None) -> dict[str, int]:
    """The other columns: of several with one meaning the one in the e-mail column's group, else the nearest to it."""
    named: dict[str, list[int]] = {}
    for at, text in enumerate(heading):
        column = headings.column_of(text)
        if column not in ("", "email") and not persons.is_of_somebody_else(labels[at]):
            named.setdefault(column, []).append(at)
    _tell_names_apart(heading, named)
    if email is None:
        return {column: at[0] for column, at in named.items()}

    def distance(at: int) -> tuple[bool, int]:
        return bool(groups) and groups[at] != groups[email], abs(at - email)

    return {column: min(places, key=distance) for column, places in named.items()}


def _tell_names_apart(heading: Sequence[str], named: dict[str, list[int]]) -> None:
    """What "Nom" and "Nombre" mean: the first name beside a last name, the last beside a first, all of it alone."""
    lasts = named.get("last_name", [])
    any_names = [at for at in lasts if headings.is_any_name(heading[at])]
    if "first_name" not in named and 0 < len(any_names) < len(lasts):  # "Nom" beside "Cognoms"
        named["first_name"] = any_names
        named["last_name"] = [at for at in lasts if at not in any_names]
    alone = [column for column in ("first_name", "last_name") if column in named]
    if len(alone) == 1 and "name" not in named and all(headings.is_any_name(heading[at]) for at in named[alone[0]]):
        named["name"] = named.pop(alone[0])


def _holding(cells: Iterable[str]) -> Holding:
    """Of the cells of a column, "" where a row has none."""
    texts = list(cells)
    found = [frozenset(map(normalize, addresses_in(cell))) for cell in texts]
    return Holding(
        sum(map(bool, map(clean, texts))), sum(map(bool, found)), len(frozenset().union(*found)), tuple(found)
    )
