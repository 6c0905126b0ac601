"""From the beginning of a file to its `Format`: delimiter, headings, columns, and what a person is asked. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice, takewhile

from invitations.parsing import dates, headings, statuses, tables
from invitations.parsing.columns import Columns
from invitations.parsing.emails import address_in, addresses_in, check, clean
from invitations.parsing.errors import FileRefused
from invitations.parsing.file_format import Format

DELIMITERS = (",", ";", "\t", "|")
NO_EMAIL_COLUMN = "The file has no e-mail column: give the column with the addresses the heading “email”."
NO_HEADINGS = "This file has no headings, its first line is a learner already."
SEVERAL_TABLES = "This file holds several tables, one below the other."
DAY_OR_MONTH = "Days such as “{}” may be meant with the day or the month first."
_MOST_COLUMNS = 300  # for a person to choose from
_MOST_HEADED = 1_000  # as in a workbook
TOO_WIDE = f"The file has more than {_MOST_HEADED:,} columns: copy those of the list into a new file, and upload that."
_RECORDS_LOOKED_AT = 500
_LINES_QUOTED_WHOLE = 20
_NONE = "\x1f"  # a delimiter that stands in no file
Record = tuple[int, list[str]]  # the line it begins in (1-based) and its cells


def recognised(text: str, form: Format, *, table_line: int = 0) -> Format:
    """`form` with all that the beginning of the file tells. Raises FileRefused where no column could hold addresses.

    `table_line`: the line of the headings of the table that a person chose.
    """
    form = replace(form, is_quoted_whole=_is_quoted_whole(text))
    candidates = [_laid_out(text, replace(form, delimiter=one), table_line) for one in _delimiters(text)]
    headed = [one for one in candidates if one.heading_line and _names_mail(one)]
    if headed:
        best = max(headed, key=lambda one: (_known(one), _strict(text, one) > 0, len(one.headings)))
        if len(best.headings) > _MOST_HEADED:
            raise FileRefused(TOO_WIDE)
        return _with_delimiter_of_rows(text, best)
    mapped = [one for one in candidates if _addresses_in(text, one)]
    if not mapped:
        raise FileRefused(NO_EMAIL_COLUMN)
    widest = max(mapped, key=lambda one: (_strict_anywhere(text, one), len(one.headings)))
    if len(widest.headings) > _MOST_COLUMNS:
        raise FileRefused(f"The file has more than {_MOST_COLUMNS} columns, and none is headed “email”: head it so.")
    return widest


def dialect(form: Format) -> dict[str, object]:
    """What `csv.reader` is to be told."""
    return {"delimiter": _NONE if form.is_quoted_whole else form.delimiter, "skipinitialspace": form.skips_blanks}


def parted(cells: list[str], form: Format) -> list[str]:
    """The cells of a line that stands in quotation marks as a whole."""
    if not form.is_quoted_whole or len(cells) != 1:
        return cells
    return next(csv.reader([cells[0]], delimiter=form.delimiter), [])


def is_heading(cells: Sequence[str]) -> bool:
    """Whether a record names an e-mail column, and is no learner."""
    return headings.name_an_email_column(cells) and not any(map(_is_address, cells))


def columns_alike(cells: Sequence[str], form: Format) -> bool:
    """Whether headings that come again say of the same columns the same."""
    found = headings.columns_of(cells)
    return all(found.get(column, at) == at for column, at in form.columns.items())


def _laid_out(text: str, form: Format, table_line: int) -> Format:
    form = replace(form, skips_blanks=bool(re.search(rf'{re.escape(form.delimiter)} +"', text)))
    found = _head_records(text, form)
    heads = _last_of_each([(at, record) for at, record in enumerate(found) if is_heading(record[1])])
    several = tables.of(found, heads)
    if several:
        chosen = next((one for one in several if one["line"] == table_line), tables.likely(several))
        form = replace(form, tables=several, end_line=chosen["end"], asks=[] if table_line else [SEVERAL_TABLES])
        heads = [record for record in heads if record[0] == chosen["line"]]
    at = found.index(heads[0]) if heads else _heading_by_place(found)
    if not found:
        return form
    if at is None:
        return _without_headings(found, form)
    line, cells = found[at][0], _without_empty_end(found[at][1])
    if len(cells) > _MOST_HEADED:
        return replace(form, heading_line=line, headings=cells)
    rows = [cells for below, cells in found[at + 1 :] if not form.end_line or below < form.end_line]
    groups = tables.groups_above(cells, found[at - 1][1] if at else [])
    columns = Columns.of(cells, groups, rows)
    form = replace(form, heading_line=line, headings=columns.labels, columns=columns.chosen)
    return _doubts(replace(form, asks=[*form.asks, *columns.asks]), rows)


def _last_of_each(heads: list[tuple[int, Record]]) -> list[Record]:
    """Of headings in one line after another (in two languages, say) the last: nobody stands between them."""
    places = {at for at, _ in heads}
    return [record for at, record in heads if at + 1 not in places]


def _without_empty_end(cells: list[str]) -> list[str]:
    """Headings without the thousands of empty ones that a spreadsheet writes of a sheet that was formatted as a whole.

    What stands below them is beside the table then. A few empty ones stay: a person may choose their columns.
    """
    if len(cells) <= _MOST_HEADED:
        return cells
    filled = max((at for at, cell in enumerate(cells, 1) if clean(cell)), default=0)
    return cells[:filled]


def _heading_by_place(found: list[Record]) -> int | None:
    """Where no heading is known: the last line above the rows that speaks of e-mail, else the fullest of them."""
    above = list(takewhile(lambda record: not any(map(_is_address, record[1])), found))
    for at, (_, cells) in reversed(list(enumerate(above))):
        speaking = headings.speak_of_mail(cells)
        if any(_holds_addresses(found[len(above) :], one) for one in speaking):  # so it is no title ("E-mail list")
            return at
    if not above:
        return None
    return max(range(len(above)), key=lambda at: (sum(map(bool, map(clean, above[at][1]))), -at))


def _without_headings(found: list[Record], form: Format) -> Format:
    rows = [cells for _, cells in found]
    columns = Columns.of([], [], rows)
    return _doubts(replace(form, headings=columns.labels, columns=columns.chosen, asks=[NO_HEADINGS]), rows)


def _doubts(form: Format, rows: list[list[str]]) -> Format:
    """With what the values tell: in which order days stand, and whether a column says who is out."""
    at = form.columns.get("access_expires")
    cells = [clean(cells[at]) for cells in rows if at is not None and at < len(cells)]
    orders = {order for order in map(dates.order_in, cells) if order is not None}
    doubtful = [cell for cell in cells if dates.is_in_doubt(cell)]
    known = orders.pop() if len(orders) == 1 else None
    asks = [DAY_OR_MONTH.format(doubtful[0][:20])] if doubtful and known is None else []
    unread = [at for at in range(len(form.headings)) if at not in form.columns.values()] if form.heading_line else []
    return replace(
        form, day_first=known, dates_in_doubt=bool(doubtful), asks=[*form.asks, *asks],
        status_column=statuses.column_of(rows, unread),
    )  # fmt: skip


def _with_delimiter_of_rows(text: str, form: Format) -> Format:
    """Headings that somebody wrote with another separator than the rows have."""
    if "email" not in form.columns or _strict(text, form):
        return form
    others = [replace(form, delimiter=one) for one in DELIMITERS if one != form.delimiter]
    fitting = [one for one in others if len(form.headings) > 1 and _is_as_wide(text, one)]
    best = max(fitting, key=lambda one: _strict(text, one), default=form)
    return best if _strict(text, best) else form


def _is_as_wide(text: str, form: Format) -> bool:
    """Whether the rows have as many cells as there are headings."""
    return all(
        len(cells) == len(form.headings) for line, cells in _head_records(text, form) if line > form.heading_line
    )


def _known(form: Format) -> int:
    return sum(bool(headings.column_of(text)) for text in form.headings)


def _names_mail(form: Format) -> bool:
    return any(headings.column_of(text) == "email" for text in form.headings) or bool(
        headings.speak_of_mail(form.headings)
    )


def _strict(text: str, form: Format) -> int:
    """How many records hold one good address where the e-mail column is."""
    at, found = form.columns.get("email"), _head_records(text, form)
    return 0 if at is None else sum(len(cells) > at and _is_address(cells[at]) for _, cells in found)


def _strict_anywhere(text: str, form: Format) -> int:
    """How many records hold an address that stands alone in a cell."""
    return sum(any(map(_is_address, cells)) for _, cells in _head_records(text, form))


def _delimiters(text: str) -> tuple[str, ...]:
    first = text.lstrip("\ufeff\r\n ").splitlines()[0].strip().strip('"').lower() if text.strip() else ""
    named = first.removeprefix("sep=")
    return (named,) if first.startswith("sep=") and len(named) == 1 else DELIMITERS


def _head_records(text: str, form: Format) -> list[Record]:
    """The first records that are not blank."""
    found: list[Record] = []
    reader = csv.reader(io.StringIO(text, newline=""), **dialect(form))  # type: ignore[arg-type]  # a mapping of options
    line = 1
    with suppress(csv.Error):  # told when the file is read
        for raw in islice(reader, _RECORDS_LOOKED_AT):
            cells = parted(raw, form)
            if any(map(clean, cells)) and not clean("".join(cells)).lower().startswith("sep="):
                found.append((line, cells))
            line = reader.line_num + 1
    return found


def _is_quoted_whole(text: str) -> bool:
    """Whether each line is one cell in quotation marks, with separators in it."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()[:_LINES_QUOTED_WHOLE] if line.strip()][:-1]
    whole = [line for line in lines if len(line) > 1 and line[0] == line[-1] == '"' and '"' not in line[1:-1]]
    return len(lines) > 1 and len(whole) == len(lines) and all(any(d in line for d in DELIMITERS) for line in lines)


def _addresses_in(text: str, form: Format) -> bool:
    return any(addresses_in(cell) for _, cells in _head_records(text, form) for cell in cells)


def _holds_addresses(found: list[Record], at: int) -> bool:
    return any(len(cells) > at and _is_address(cells[at]) for _, cells in found)


def _is_address(cell: str) -> bool:
    return "@" in cell and not check(address_in(cell))[1]
