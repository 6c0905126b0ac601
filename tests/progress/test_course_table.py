"""Which learners a page shows, in which order, as its address says."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from progress.course_table import PAGE_ROWS, Choice, Show


def _member(number: int, percent: float = 0.0, flags: int = 0, **fields) -> dict:
    member = {"id": f"m{number}", "name": f"Learner {number:03}", "email": f"l{number}@example.org", "percent": percent}
    return {**member, "last_seen": None, "at": "2026-01-01T00:00:00.000Z", "flags": ["flag"] * flags, **fields}


def _ids(choice: Choice, members: list[dict]) -> list[str]:
    return [member["id"] for member in choice.rows(members)]


MEMBERS = [
    _member(3, 100),
    _member(1, 50, flags=1),
    _member(2, name="", email="zoe@example.org"),
    _member(4, 50, flags=2),
]


def test_learners_come_in_the_order_of_their_names_and_else_as_asked_for():
    assert _ids(Choice(), MEMBERS) == ["m1", "m3", "m4", "m2"]
    assert _ids(Choice(down=True), MEMBERS) == ["m2", "m4", "m3", "m1"]
    assert _ids(Choice(sort="percent"), MEMBERS) == ["m2", "m1", "m4", "m3"]
    assert _ids(Choice(sort="percent", down=True), MEMBERS) == ["m3", "m1", "m4", "m2"]
    assert _ids(Choice(sort="flags", down=True), MEMBERS) == ["m4", "m1", "m3", "m2"]


def test_a_search_finds_parts_of_names_and_addresses_in_any_case():
    assert _ids(Choice(search="ZOE@"), MEMBERS) == ["m2"]
    assert _ids(Choice(search="learner 00"), MEMBERS) == ["m1", "m3", "m4"]


def test_who_has_not_begun_is_under_way_completed_or_at_risk_can_be_chosen():
    assert {show: len(_ids(Choice(show=show), MEMBERS)) for show in Show} == {
        Show.ALL: 4,
        Show.NOT_BEGUN: 1,
        Show.UNDER_WAY: 2,
        Show.COMPLETED: 1,
        Show.AT_RISK: 2,
        Show.REVOKED: 4,  # whoever chooses them gives these alone
    }


def test_a_page_beyond_the_last_is_the_last():
    members = [_member(number) for number in range(PAGE_ROWS + 1)]
    page = Choice(page=99).page_of(Choice().rows(members))
    assert (page.number, page.last, page.first_row, page.last_row, page.total) == (2, 2, 101, 101, 101)
    assert Choice().page_of([]).last_row == 0


@given(st.dictionaries(st.sampled_from(["q", "show", "sort", "page"]), st.text(max_size=12)))
def test_any_address_makes_a_choice_that_its_own_address_gives_back(said):
    choice = Choice.of(said)
    choice.page_of(choice.rows(MEMBERS))
    assert Choice.of(dict(parse_qsl(choice.query()))) == choice
