"""Each ugly file gets the verdicts that its case names, in pieces of any size."""

import pytest

from invitations.parsing.reader import FileRefused
from tests.invitations.parsing.corpus import read_rows
from tests.invitations.parsing.corpus.cases import CASES, Case, Verdict


def test_the_corpus_is_as_large_as_promised():
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("piece_bytes", [7, 100_000])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_file_gets_its_verdicts(case: Case, piece_bytes: int):
    if piece_bytes < 10 and len(case.content) > 20_000:
        piece_bytes = 1009
    if case.refused:
        with pytest.raises(FileRefused) as refused:
            read_rows(case.content, piece_bytes=piece_bytes)
        assert case.refused in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    rows = read_rows(case.content, piece_bytes=piece_bytes)
    assert len(rows) == len(case.rows), rows
    for row, verdict in zip(rows, case.rows, strict=True):
        _check(row, verdict)


def _check(row, verdict: Verdict) -> None:
    kind = "bad" if row.problem else "dup" if row.duplicate_of else "ok"
    assert kind == verdict.kind, row
    assert verdict.words in (row.problem or row.note)
    assert (not verdict.line) or row.line == verdict.line
    if verdict.kind == "dup":
        assert row.duplicate_of == verdict.duplicate_of
    if verdict.kind == "ok":
        assert row.email_folded == verdict.email
        assert verdict.name in (None, (row.first_name, row.last_name))
        assert not verdict.course or row.course_id == verdict.course
    if verdict.until:
        assert row.access_expires_at.isoformat() == "2028-01-01T00:00:00+01:00", "the end of 2027-12-31"
