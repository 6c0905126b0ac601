"""Of any list of known people: everybody is a row with a verdict or counted as left out; nobody else is invited."""

import csv
import io
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from coursehub.emails import normalize
from invitations.parsing.emails import addresses_in
from invitations.parsing.reader import FileRefused
from tests.invitations.parsing.test_field import judged, recognised

OFFICE = "office@example.org"
NAMES = st.text("abcdefghijklmnop éüñßô-'", min_size=1, max_size=12).map(lambda text: text.strip(" -'") or "x")
HEADINGS = st.sampled_from(
    [
        ("email", "first name", "last name"),
        ("E-Mail-Adresse", "Vorname", "Nachname"),
        ("courriel", "prénom", "nom"),
        ("Work e-mail (new)", "Given name [givenName]", "Surname *"),
    ]
)
WRAPPINGS = st.sampled_from(["{}", " {} ", "<{}>", "mailto:{}", "'{}", "Somebody <{}>", "{};", "[{}](mailto:{})"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])


@dataclass(frozen=True)
class Table:
    """Records as they stand in a file, and the addresses of all who stand in them."""

    records: list[list[str]]
    people: set[str]
    delimiter: str
    quoting: int
    encoding: str

    @property
    def content(self) -> bytes:
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=self.delimiter, quoting=self.quoting).writerows(self.records)
        return written.getvalue().encode(self.encoding, "replace")


@st.composite
def tables(draw) -> Table:
    headings = draw(HEADINGS)
    order = draw(st.permutations(range(3)))
    extra = draw(st.lists(st.sampled_from(["Phone", "Note", "Department", ""]), max_size=2))
    titles = draw(st.lists(st.sampled_from([["Class of 2026"], ["Contact:", OFFICE], [""]]), max_size=3))
    numbers = iter(range(1000))
    people: set[str] = {cell for title in titles for cell in title if "@" in cell}

    def person() -> str:
        address = f"learner{next(numbers)}@example.org"
        people.add(address)
        return address

    records = [*titles, [*(headings[at] for at in order), *extra]]
    for _ in range(draw(st.integers(1, 12))):
        kind = draw(
            st.sampled_from(["learner"] * 6 + ["two", "beside", "noted", "total", "blank", "headings", "short"])
        )
        email = draw(WRAPPINGS).replace("{}", person()) if kind not in ("total", "blank", "headings") else ""
        if kind == "two":
            email = f"{email}, {person()}"
        cells = [email, draw(NAMES), draw(NAMES)]
        record = [cells[at] for at in order] + [draw(st.sampled_from(["", "x", "1,5"])) for _ in extra]
        records.append(
            {
                "beside": [*record, person() if kind == "beside" else ""],
                "noted": [*record[:3], f"see {person()}, thanks" if kind == "noted" and extra else "", *record[4:]],
                "total": ["Total" if at == 1 else "" for at in order] + ["12" for _ in extra],
                "blank": [""] * len(record),
                "headings": [*(headings[at] for at in order), *extra],
                "short": [cells[at] for at in order][: order.index(0) + 1],
            }.get(kind, record)
        )
    seen = {normalize(one) for record in records for cell in record for one in addresses_in(cell)}
    return Table(
        records, seen & {normalize(one) for one in people}, draw(st.sampled_from(",;\t|")),
        draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])), draw(ENCODINGS),
    )  # fmt: skip


@given(tables())
def test_everybody_is_a_row_or_counted_and_nobody_else_is_invited(table: Table):
    content = table.content
    try:
        form = recognised(content)
    except FileRefused:
        assert not table.people
        return
    if "email" not in form.columns:
        assert form.asks
        return
    try:
        rows, leftovers = judged(content, form)
    except FileRefused:
        return
    told = {normalize(one) for row in rows for one in addresses_in(row.email)}
    counted = sum(places.count for places in (leftovers.outside, leftovers.beside, *leftovers.unread.values()))
    again = sum(cell == OFFICE for record in table.records for cell in record) - (OFFICE in table.people)
    assert counted == len(table.people - told) + again, "each address is a row's, or counted once"
    assert {row.email_folded for row in rows if row.good} <= table.people
