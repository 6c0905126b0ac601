"""What is typed finds learners by parts of their addresses and names, and is never a pattern."""

import re

import pytest

from invitations.selectors import search


def _names(word: str, name: str) -> bool:
    return bool(re.search(search.name_pattern(word), name, re.IGNORECASE))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("anna", "Anna"),
        ("ANNA", "Joanna"),
        ("muller", "Müller"),
        ("Müller", "Muller"),
        ("müller", "MU\u0308LLER"),
        ("weiss", "Weiß"),
        ("weiß", "Weiss"),
        ("nguyen", "Nguyễn"),
        ("иогансен", "Йогансен"),
        ("o'brien", "O'Brien"),
        ("sorensen", "Sørensen"),
        ("Sørensen", "Sorensen"),
        ("istanbul", "İstanbul"),
    ],
)
def test_case_and_accents_of_a_name_do_not_matter(word, name):
    assert _names(word, name)


@pytest.mark.parametrize(("word", "name"), [("a.a", "aba"), (".*", "anna"), ("[a-z]", "anna"), ("anna", "Hannelore")])
def test_a_word_matches_only_itself(word, name):
    assert not _names(word, name)


@pytest.mark.parametrize("word", [".*", "^a", "(", "[", "\\", "a{9999}", "$where", "(?i)x"])
def test_no_word_is_a_pattern(word):
    assert _names(word, f"x{word}x")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  anna \t smith\n", "anna smith"),
        ("an\0na", "an na"),
        ("\ud800anna\u200b", "anna"),
        ("", ""),
    ],
)
def test_what_nobody_sees_is_not_searched_for(text, cleaned):
    assert search.clean(text) == cleaned


def test_a_search_is_bounded_before_it_is_made():
    with pytest.raises(search.SearchRefused, match="100 characters"):
        search.words_of("x" * 101)
    with pytest.raises(search.SearchRefused, match="5 words"):
        search.words_of("a b c d e f")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("anna@", "^anna@"),
        ("Anna@Example.ORG", r"^anna@example\.org"),
        ("anna", None),
        ("@example.org", None),
        ("anna smith@example.org", None),
    ],
)
def test_an_address_is_looked_up_from_its_beginning(text, pattern):
    found = search.address_begins(text)
    assert (found and found["$regex"]) == pattern
