"""A list whose rows move is read whole, or the walk says that it was not."""

import itertools
import json
import random

import pytest

from coursehub.trainercentral import errors
from coursehub.trainercentral.member_pager import OVERLAP_ROWS, Place, Walk
from coursehub.trainercentral.records import MemberPage
from tests.support.makers import remote_member


class Moving:
    """A list of learners of which rows are moved while it is read."""

    def __init__(self, count: int, page_rows: int) -> None:
        self.rows = [remote_member(number) for number in range(count)]
        self.page_rows, self.reads = page_rows, 0

    def read(self, start: int) -> MemberPage:
        self.reads += 1
        page = self.rows[start : start + self.page_rows]
        return MemberPage(len(page), page)

    @property
    def ids(self) -> set[str]:
        return {member.member_id for member in self.rows}


def _walk(moving: Moving, change=lambda moving: None) -> Walk:
    walk = Walk(moving.read)
    while walk.next_page() is not None:
        change(moving)
    return walk


@pytest.mark.parametrize("removed_per_page", [0, 1, 5, 8])
def test_rows_that_others_leave_behind_are_not_skipped(removed_per_page):
    moving = Moving(300, 40)

    def remove(moving):
        if moving.reads < 5:
            del moving.rows[:removed_per_page]

    walk = _walk(moving, remove)
    assert moving.ids <= walk.known
    assert not walk.place.has_gap
    assert walk.place.is_orderly == (removed_per_page == 0)


def test_a_list_that_shrinks_too_fast_is_known_to_have_a_gap():
    walk = _walk(Moving(400, 20), lambda moving: moving.rows.__delitem__(slice(0, 40)))
    assert walk.place.has_gap
    assert not walk.place.is_orderly


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 39, 40, 41, 75, 200])
def test_a_list_that_stands_still_is_read_whole_with_few_calls(count):
    moving = Moving(count, 40)
    walk = _walk(moving)
    assert (len(walk.known), walk.row_count, walk.place.learners) == (count, count, count)
    assert walk.place.is_orderly
    assert moving.reads <= count // (40 - OVERLAP_ROWS) + 3


def test_twelve_learners_cost_two_calls():
    moving = Moving(12, 100)
    assert _walk(moving).place.learners == 12
    assert moving.reads == 2


def test_rows_that_are_no_learners_are_no_gap():
    moving = Moving(200, 40)

    def read(start: int) -> MemberPage:
        page = moving.read(start)
        learners = [member for member in page.members if int(member.member_id.removeprefix("m")) % 3]
        return MemberPage(page.row_count, learners, tuple(member.member_id for member in page.members))

    walk = Walk(read)
    seen = {member.member_id for page in iter(walk.next_page, None) for member in page}
    assert len(seen) == walk.place.learners == 133
    assert walk.place.is_orderly


@pytest.mark.parametrize("count", [3, 40, 400])
@pytest.mark.parametrize("order", ["as it is", "turned", "mixed"])
def test_a_server_that_pays_no_heed_to_the_start_is_an_error(count, order):
    moving, dice = Moving(count, 40), random.Random(count)

    def read(start: int) -> MemberPage:
        page = moving.read(0)
        turn = 0 if order == "as it is" else moving.reads % 3
        members = page.members[turn:] + page.members[:turn]
        if order == "mixed":
            dice.shuffle(members)
        return MemberPage(page.row_count, members)

    with pytest.raises(errors.NotPaged):
        list(iter(Walk(read).next_page, None))


def test_a_list_that_fits_a_page_can_be_read_though_the_server_pays_no_heed_to_the_start():
    moving = Moving(12, 100)
    walk = Walk(lambda start: moving.read(0), proven_rows=25)
    assert [len(page) for page in iter(walk.next_page, None)] == [12, 12]
    assert walk.place.is_orderly
    full = Moving(25, 25)
    with pytest.raises(errors.NotPaged):
        list(iter(Walk(lambda start: full.read(0), proven_rows=25).next_page, None))


def test_rows_that_come_in_before_a_page_may_make_it_look_like_the_last_one():
    moving = Moving(120, 40)

    def come_in(moving):
        if moving.reads == 1:  # as many as the next page begins further on
            moving.rows[:0] = [remote_member(number) for number in range(500, 500 + 40 - OVERLAP_ROWS)]

    walk = _walk(moving, come_in)
    assert {member.member_id for member in moving.rows[40 - OVERLAP_ROWS :]} <= walk.known


@pytest.mark.parametrize("seed", range(60))
def test_a_walk_that_calls_itself_orderly_has_seen_everybody(seed):
    """One row at a time moves, comes in or goes, as in a list by time: whoever stayed was seen, or the walk says so."""
    dice = random.Random(seed)
    moving, fresh = Moving(dice.randrange(20, 200), dice.choice([10, 20, 40])), itertools.count(1000)
    stayed = set(moving.ids)

    def change(moving):
        if dice.random() < 0.3:
            row = moving.rows.pop(dice.randrange(len(moving.rows)))
            kind = dice.choice(["first", "last", "gone", "new"])
            moving.rows[:0] = [row] if kind == "first" else [remote_member(next(fresh))] if kind == "new" else []
            moving.rows += [row] if kind == "last" else []
            stayed.intersection_update(moving.ids)

    walk = _walk(moving, change)
    assert stayed <= walk.known or not walk.place.is_orderly


def test_another_process_goes_on_from_a_place_as_if_it_had_begun():
    whole, parts = Moving(230, 40), Moving(230, 40)
    expected, document, pages = _walk(whole), {}, []
    while True:
        walk = Walk(parts.read, Place.of(json.loads(json.dumps(document))))
        page = walk.next_page()
        if page is None:
            break
        pages.append(page)
        document = walk.place.document
    assert parts.reads == whole.reads
    assert walk.place == expected.place
    assert {member.member_id for page in pages for member in page} == expected.known
