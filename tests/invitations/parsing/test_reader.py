"""Records are read as Python's csv module reads them, from pieces of any size, and their texts are the file again."""

import csv
import io

import pytest
from hypothesis import given, strategies

from invitations.parsing.reader import Examiner, FileRefused, Format, raw_records, records, sample
from tests.invitations.parsing.corpus.cases import CASES

_CELL = strategies.text("ab é\u4e2d,;\"\n\r'\t", max_size=12)


def _pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


@given(
    rows=strategies.lists(strategies.lists(_CELL, min_size=1, max_size=4), max_size=8),
    size=strategies.integers(1, 64),
    encoding=strategies.sampled_from(["utf-8", "utf-16-le", "gb18030"]),
)
def test_records_are_those_of_the_csv_module(rows, size, encoding):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="|").writerows([["email"], *rows])
    expected = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter="|"))[1:]
    form = Format(encoding, 0, "|", 1, ["email"], {"email": 0})
    pieces = _pieces(text.getvalue().encode(encoding), size)
    read = [cells for _, cells, _ in raw_records(pieces, form)][1:]
    assert read == expected
    filled = [cells for cells in expected if any(cell.strip(" \t\r\n") for cell in cells)]
    assert [cells for _, cells in records(pieces, form)] == [cells for cells in filled if cells != ["email"]]


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_the_texts_of_all_records_are_the_file(case):
    examiner = Examiner()
    examiner.feed(case.content)
    form = examiner.format()
    raw = list(raw_records(_pieces(case.content, 1009), form))
    again = case.content[: form.mark_bytes] + "".join(text for _, _, text in raw).encode(form.encoding)
    assert again == case.content
    lines = {line for line, _, _ in raw}
    assert lines >= {line for line, _ in records([case.content], form)}


@given(strategies.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_sentence(content: bytes):
    examiner, sentence = Examiner(), ""
    try:
        for piece in _pieces(content, 64):
            examiner.feed(piece)
        form = examiner.format()
        rows = list(records(_pieces(content, 7), form))
    except FileRefused as refusal:
        sentence = str(refusal)
    if not sentence:
        assert sample([content], form) == [cells for _, cells in rows[:3]]
    assert sentence == "" or (sentence.endswith(".") and "\n" not in sentence)


def test_reading_needs_memory_for_a_piece_and_not_for_the_file():
    import tracemalloc

    form = Format("utf-8", 0, ",", 1, ["email"], {"email": 0})
    piece = b"ada@example.org,Ada,Lovelace\n" * 3000
    tracemalloc.start()
    count = sum(1 for _ in records((piece for _ in range(100)), form))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300_000 - 1
    assert peak_bytes < 5_000_000
