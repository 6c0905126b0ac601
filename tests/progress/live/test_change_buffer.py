"""What is told of a course, whatever the two streams bring in whatever order."""

import json

from hypothesis import given
from hypothesis import strategies as st

from progress.live.change_buffer import Tail


def _course(revision: int) -> dict:
    return {"course_id": "c", "revision": revision, "polled_at": None, "poll_error": f"as of {revision}"}


def _row(revision: int, member: int) -> dict:
    return {
        "member_id": f"m{member}",
        "email": "",
        "name": "",
        "percent": float(revision),
        "last_seen_at": None,
        "changed_at": None,
        "status": "50",
        "gone_at": None,
        "revision": revision,
    }


def _tail(revision: int = 0) -> Tail:
    tail = Tail("c")
    tail.begin(_course(revision))
    return tail


def test_nothing_is_told_before_the_beginning_is_known():
    tail = Tail("c")
    tail.take_rows([_row(1, 1), _row(2, 2)])
    assert tail.next_frame() is None
    tail.begin(_course(1))
    frame = tail.next_frame()
    assert (frame.previous, frame.revision) == (1, 2)


def test_rows_that_everybody_knows_are_not_told_again():
    tail = _tail(5)
    assert tail.take_rows([_row(4, 1), _row(5, 1)])
    assert tail.next_frame() is None


def test_a_missing_row_is_noticed_and_nothing_after_it_is_told():
    tail = _tail(5)
    assert not tail.take_rows([_row(6, 1), _row(8, 1)])
    assert tail.next_frame().revision == 6


def test_only_the_latest_state_of_a_learner_is_told():
    tail = _tail()
    tail.take_rows([_row(1, 1), _row(2, 2), _row(3, 1)])
    members = json.loads(tail.next_frame().text)["members"]
    assert {member["id"]: member["percent"] for member in members} == {"m1": 3.0, "m2": 2.0}


@given(st.lists(st.sampled_from(["row", "course", "tell"]), max_size=60), st.integers(1, 4))
def test_the_courses_state_is_never_told_before_its_rows(steps, members):
    """One stream brings rows, the other the course's newest state; each at its own pace."""
    tail, written, read_rows = _tail(), 0, 0
    told_revision = 0
    for step in [*steps, "row", "course", "tell"]:
        if step == "row":
            written += 1
        elif step == "course":
            tail.take_course(_course(written))
        else:
            tail.take_rows([_row(revision, revision % members) for revision in range(read_rows + 1, written)])
            read_rows = max(read_rows, written - 1)
            frame = tail.next_frame()
            if frame:
                assert frame.previous == told_revision
                told_revision = frame.revision
                assert int(json.loads(frame.text)["trouble"].removeprefix("as of ")) <= frame.revision
    tail.take_rows([_row(written, 0)])
    tail.next_frame()
    assert tail.mismatch is None
