"""Several tables in one file, one below the other, and headings that stand above headings. Pure."""

from collections.abc import Sequence
from typing import Any

from invitations.parsing import headings, persons
from invitations.parsing.emails import clean

Record = tuple[int, list[str]]
_MOST = 20


def of(found: list[Record], heads: list[Record]) -> list[dict[str, Any]]:
    """The tables of a file, empty where there is one: the line of its headings, its end (0: none), title, row count.

    Equal headings that come again, of files that were appended to one another, make one table.
    """
    if len({tuple(_compared(cells)) for _, cells in heads}) < 2:
        return []
    places = [found.index(head) for head in heads[:_MOST]]
    begins = [at - 1 if at and _is_title(found[at - 1][1]) else at for at in places]
    told = []
    for number, at in enumerate(places):
        last = number + 1 == len(places)
        end = len(found) if last else begins[number + 1]
        title = clean("".join(found[begins[number]][1])) if begins[number] < at else ""
        told.append(
            {"line": found[at][0], "end": 0 if last else found[end][0], "title": title[:80], "rows": end - at - 1}
        )
    return told


def likely(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """The table that most likely holds the learners: by its title, else the longest."""
    return max(tables, key=lambda one: (persons.is_of_the_learner(one["title"]), one["rows"]))


def groups_above(heading: Sequence[str], above: Sequence[str]) -> list[str]:
    """For each column what a second line of headings says above it; empty where there is none.

    Such a line holds no address, and says what the headings do not: which of two equal ones, or one that is missing.
    """
    texts = [clean(cell) for cell in above]
    if not any(texts) or any("@" in text for text in texts) or len(above) < 2:
        return []
    named = [headings.normalised(cell) for cell in heading if clean(cell)]
    padded = texts + [""] * (len(heading) - len(texts))
    fills = any(text and not clean(cell) for cell, text in zip(heading, padded, strict=False))
    if len(set(named)) == len(named) and not (fills and sum(map(bool, texts)) > 1):
        return []
    groups, group = [], ""
    for cell, text in zip(heading, padded, strict=False):
        group = text or group
        groups.append(group if clean(cell) or text else "")
    return groups


def _is_title(cells: Sequence[str]) -> bool:
    return sum(map(bool, map(clean, cells))) == 1 and not any("@" in cell for cell in cells)


def _compared(cells: Sequence[str]) -> list[str]:
    texts = [headings.normalised(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts
