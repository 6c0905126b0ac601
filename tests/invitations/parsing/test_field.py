"""Lists that trainers really have: what is asked of each, who becomes a row, and who is named as left out."""

from pathlib import Path

import pytest

from invitations.parsing import columns, recognition
from invitations.parsing.courses import Courses
from invitations.parsing.leftovers import Leftovers
from invitations.parsing.reader import Examiner, Format, records
from invitations.parsing.validation import Judge, Row
from tests.invitations.parsing.corpus import CHOSEN, COURSES, NOW

FOLDER = Path(__file__).parent / "field"
NO_HEADINGS = recognition.NO_HEADINGS
ADA, GRACE, BO = "ada.b@example.org", "grace.h@example.org", "bo.s@example.org"
A, G, B = (ADA, "Ada", "Byron"), (GRACE, "Grace", "Hop"), (BO, "Bo", "Smith")
# File -> what is asked ("": nothing), and the rows: (address, first, last) of who is invited, or words of the reason.
EXPECTED: dict[str, tuple[str, list[tuple[str, str, str] | str]]] = {
    "f01-only-addresses": ("", [("nn1@example.org", "", ""), ("nn2@example.org", "", "")]),
    "f03-name-beside-lastname": ("", [A, G]),
    "f05-manager-email-is-the-only-email-heading": ("Manager Email", [A, G, B]),
    "f06-zoom-webinar-sections": (
        recognition.SEVERAL_TABLES,
        [
            ("asha.r@example.org", "Asha", "Rao"),
            ("ben.c@example.org", "Ben", "Cole"),
            ("cy.d@example.org", "Cy", "Dunn"),
        ],
    ),
    "f08-merged-headings-guardian-first": (columns.SEVERAL, [A, G]),
    "f09-contact-line-above-headings": ("", [A, G]),
    "f11-azure-bulk-template-with-example-row": ("", ["example row", A]),
    "f12-own-template-example-row-left": ("", ["example row", G]),
    "f13-two-named-addresses-in-a-cell": ("", ["several addresses", (BO, "", "")]),
    "f15-second-address-beyond-headings": ("", [(ADA, "", ""), (BO, "", "")]),
    "f16-all-addresses-in-one-line": (NO_HEADINGS, []),
    "f18-no-headings-first-address-zero-width": (NO_HEADINGS, [(ADA, "", ""), (GRACE, "", ""), (BO, "", "")]),
    "f21-leading-apostrophe": ("", [(ADA, "Ada", ""), (GRACE, "Grace", "")]),
    "f23-excel-mac": ("", [(ADA, "José", "Müller"), (GRACE, "Zoë", "Groß")]),
    "f25-czech-two-learners": ("", [(ADA, "Jiří", "Dvořák"), (GRACE, "Tomáš", "Kučera")]),
    "f27-polish-one": ("", [(ADA, "Łukasz", "Wójcik")]),
    "f29-slovak-one": ("", [(ADA, "Ľubomír", "Žižka")]),
    "f31-romanian-one": ("", [(ADA, "Ştefan", "Brătianu")]),
    "f33-msforms-anonymous": ("“Email” holds hardly any", [A, G]),
    "f35-course-column-of-another-system": ("", ["There is no course", "There is no course"]),
    "f36-certificate-expiry-past": ("", ["which is past", "which is past"]),
    "f38-second-email-column-fills-gaps": ("", ["missing; “Private Email” holds one", G]),
    "f39-teams-headings-in-line-14": (
        "", [("tom.h@example.org", "Tom", "Host"), ("carla.d@example.org", "Carla", "Dias")],
    ),
    "f40-whole-lines-quoted": ("", [A, G]),
    "f42-semicolon-after-each-address": ("", [(ADA, "", ""), (GRACE, "", "")]),
    "f44-blank-before-quotation-mark": ("", [A, G]),
    "f45-note-over-two-lines": ("", [A, G]),
    "f46-nul-byte": ("", [A, (GRACE, "Grace", "Hop"), B]),
    "f48-name-and-brackets-no-headings": (NO_HEADINGS, [A, G]),
    "f50-outlook-mailto-in-brackets": ("", [(ADA, "Ada", ""), (GRACE, "G", ""), (BO, "Bo", "")]),
    "f52-markdown-link": ("", [(ADA, "Ada", ""), (BO, "Bo", "")]),
    "f54-address-in-apostrophes": ("", [(ADA, "Ada", ""), (BO, "Bo", "")]),
    "f55-google-contacts-two-addresses": ("do not say", ["several addresses", G]),
    "f57-bracketed-remark-as-last-name": ("", [A, G]),
    "f58-excel-dates": (
        "", [(ADA, "", ""), (GRACE, "", ""), (BO, "", ""), ("cy.d@example.org", "", ""), ("di.e@example.org", "", "")],
    ),
    "f60-canvas-gradebook": ("do not say", [A, G, "Not an e-mail address"]),
    "f62-eventbrite-refunded": ("", [("aarti@example.org", "Aarti", "Shah"), ("bina@example.org", "Bina", "Rao")]),
    "f65-zoom-host-and-participant-email": (
        columns.SEVERAL, [("vz1@example.org", "Ada", "Byron"), ("vz2@example.org", "Grace", "Hop")],
    ),
}  # fmt: skip


def recognised(content: bytes) -> Format:
    examiner = Examiner()
    examiner.feed(content)
    return examiner.format()


def judged(content: bytes, form: Format) -> tuple[list[Row], Leftovers]:
    judge = Judge(form.columns, Courses(names=COURSES, chosen=CHOSEN), NOW, "Europe/Vienna", form)
    rows = list(judge.rows(records([content], form, passed=judge.leftovers.note_outside)))
    return rows, judge.leftovers


def _content(name: str) -> bytes:
    return (FOLDER / f"{name}.csv").read_bytes()


def test_every_file_has_its_expectation():
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_list_of_the_field_is_read_as_its_trainer_expects(name: str):
    asked, expected = EXPECTED[name]
    content = _content(name)
    form = recognised(content)
    assert (asked in " ".join(form.asks)) if asked else form.asks == []
    rows = judged(content, form)[0] if "email" in form.columns else []
    told = [(row.email, row.first_name, row.last_name) if row.good else row.problem for row in rows]
    assert len(told) == len(expected), told
    for one, wanted in zip(told, expected, strict=True):
        assert wanted == one if isinstance(wanted, tuple) else wanted in one


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("f06-zoom-webinar-sections", {"outside": {"count": 2, "lines": [7, 10]}}),
        ("f09-contact-line-above-headings", {"outside": {"count": 1, "lines": [2]}}),
        ("f15-second-address-beyond-headings", {"beside": {"count": 1, "lines": [2]}}),
        ("f60-canvas-gradebook", {"no_learner": {"count": 2, "lines": [2, 3]}}),
        ("f39-teams-headings-in-line-14", {}),
        ("f45-note-over-two-lines", {"unread": [{"heading": "note", "count": 1, "lines": [2]}]}),
    ],
)
def test_who_becomes_no_row_is_named_by_the_line(name: str, left_out: dict):
    content = _content(name)
    assert judged(content, recognised(content))[1].as_document() == left_out


def test_an_end_of_access_is_the_end_of_the_day_in_every_spelling():
    rows = judged(_content("f58-excel-dates"), recognised(_content("f58-excel-dates")))[0]
    assert {row.access_expires_at.isoformat() for row in rows} == {"2028-01-01T00:00:00+01:00"}


def test_a_status_column_is_pointed_out_and_leaves_out_when_asked_to():
    from dataclasses import replace

    content = _content("f62-eventbrite-refunded")
    form = recognised(content)
    assert form.heading(form.status_column) == "Attendee Status"
    _, refunded = judged(content, replace(form, leaves_out_status=True))[0]
    assert refunded.problem == "Left out: “Attendee Status” is “Refunded”."


def test_a_damaged_character_is_told():
    rows = judged(_content("f46-nul-byte"), recognised(_content("f46-nul-byte")))[0]
    assert [bool(row.note) for row in rows] == [False, True, False]


def test_the_address_of_a_row_that_stands_in_it_twice_is_not_left_out():
    content = f"Email,Confirm\n{ADA},{ADA.upper()}\n{GRACE},{BO}\n".encode()
    left_out = judged(content, recognised(content))[1].as_document()
    assert left_out == {"unread": [{"heading": "Confirm", "count": 1, "lines": [3]}]}
