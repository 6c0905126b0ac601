import time

import pytest
import requests

from coursehub.sandbox.process import SandboxFailed
from coursehub.sandbox.switches import ENVELOPES, FAULTS, BadSwitch, Switches, meanings
from tests.coursehub.sandbox.caller import Caller, ask_token, code_of, exchange
from tests.support.patience import wait_for


def test_every_switch_has_a_meaning_and_a_default_it_accepts():
    defaults = Switches().values()
    assert Switches().changed(defaults).values() == defaults
    assert all(about["meaning"] for about in meanings().values())


@pytest.mark.parametrize(
    "values",
    [
        *({"no_such": 1}, {"calls_per_minute": -1}, {"calls_per_minute": True}, {"calls_per_minute": "5"}),
        *({"error_5xx_ratio": 2}, {"latency_ms": [5, 1]}, {"latency_ms": float("nan")}, {"pending_listed": 1}),
        *({"fail_next": [{"fault": "no_such"}]}, {"fail_next": {}}, {"unknown_course": 404}, {"client_id": ""}),
    ],
)
def test_nonsense_is_no_value_for_a_switch(values):
    with pytest.raises(BadSwitch):
        Switches().changed(values)


def test_refused_patch_changes_nothing(sandbox):
    before = sandbox.switch()
    with pytest.raises(SandboxFailed):
        sandbox.switch(limit_cap=3, no_such=1)
    assert sandbox.switch() == before


def test_call_over_the_rate_limit_is_400_and_locks_that_path_alone(caller):
    caller.sandbox.switch(calls_per_minute=3)
    assert [caller.get("courses.json").status_code for _ in range(4)] == [200, 200, 200, 400]
    locked = caller.get("courses.json")
    assert code_of(locked) == "URL_ROLLING_THROTTLES_LIMIT_EXCEEDED"
    assert "Retry-After" not in locked.headers
    assert caller.get("portalMembers.json").status_code == 200
    caller.sandbox.advance(299)
    assert caller.get("courses.json").status_code == 400
    caller.sandbox.advance(2)
    assert caller.get("courses.json").status_code == 200


def test_calls_a_minute_apart_do_not_add_up(caller):
    caller.sandbox.switch(calls_per_minute=2)
    for _ in range(4):
        assert caller.get("courses.json").status_code == 200
        caller.sandbox.advance(31)


def test_rate_limit_may_be_429_with_retry_after(caller):
    caller.sandbox.switch(calls_per_minute=1, rate_limit_style="429", lockout_seconds=40)
    caller.get("courses.json")
    answer = caller.get("courses.json")
    assert answer.status_code == 429
    assert 39 <= int(answer.headers["Retry-After"]) <= 40


def test_lock_may_be_prolonged_by_calls(caller):
    caller.sandbox.switch(calls_per_minute=1, lockout_seconds=60, lockout_prolongs=True)
    caller.get("courses.json")
    for _ in range(3):
        assert caller.get("courses.json").status_code == 400
        caller.sandbox.advance(50)
    caller.sandbox.advance(11)
    assert caller.get("courses.json").status_code == 200


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_error_code_is_found_in_every_envelope(caller, envelope):
    caller.sandbox.switch(error_envelope=envelope)
    answer = caller.get("courses/1.json")
    assert answer.status_code == (200 if envelope == "ok200" else 404)
    assert "RESOURCE_NOT_FOUND" in answer.text


def test_unknown_course_may_be_400_or_a_silent_academy_invitation(caller):
    caller.sandbox.switch(unknown_course="400")
    assert caller.invite("ada@example.org", "123").status_code == 400
    caller.sandbox.switch(unknown_course="silent")
    answer = caller.invite("ada@example.org", "123")
    assert answer.status_code == 200
    assert set(answer.json()) == {"portalMember"}


def test_pending_members_may_be_unlisted(caller):
    course_id = caller.course_ids()[0]
    caller.invite("ada@example.org", course_id)
    caller.sandbox.switch(pending_listed=False)
    assert "0" not in {row["status"] for row in caller.members(course_id)}


def test_limit_may_be_capped_silently(caller):
    caller.sandbox.switch(limit_cap=5)
    assert len(caller.members(caller.course_ids()[0], limit=50)) == 5


def test_pages_may_all_begin_with_the_first_row(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.switch(si_ignored=True)
    assert caller.members(course_id, limit=5, si=5) == caller.members(course_id, limit=5)


def test_pages_may_shift_while_they_are_read(caller):
    course_id = caller.course_ids()[0]
    whole = [row["id"] for row in caller.members(course_id)]
    caller.sandbox.switch(page_shift=-2)
    assert caller.members(course_id, limit=5, si=5)[0]["id"] == whole[3]
    caller.sandbox.switch(page_shift=2)
    assert caller.members(course_id, limit=5, si=5)[0]["id"] == whole[7]


def test_sort_1_may_be_oldest_first_and_time_may_stand_still(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.switch(sort_1_order="oldest", time_moves_with_progress=False)
    caller.sandbox.put_learner(course_id, "ada@example.org", 10)
    rows = caller.members(course_id, sort=1)
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times)
    moving = next(row for row in rows if 0 < int(row["completionPercentage"]) < 100 and "ada" not in row["email"])
    assert int(moving["time"]) < int(moving["lastLogin"])


def test_clock_skew_shifts_the_times_in_answers(caller):
    caller.sandbox.switch(clock_skew_seconds=-3600)
    answer = caller.invite("ada@example.org", caller.course_ids()[0]).json()
    behind = time.time() - int(answer["courseMember"][0]["invitedTime"]) / 1000
    assert 3595 < behind < 3620


def test_learner_limit_refuses_newcomers(caller):
    caller.sandbox.switch(learner_limit=1)
    assert code_of(caller.invite("ada@example.org")) == "LIMIT_EXCEEDED"


def test_client_of_another_data_centre_is_invalid(sandbox):
    sandbox.switch(another_data_centre=True)
    answer = ask_token(sandbox, grant_type="refresh_token", refresh_token="x")
    assert answer.json() == {"error": "invalid_client"}


def test_legacy_token_answers_count_in_milliseconds(sandbox):
    sandbox.switch(expires_in_style="legacy")
    answer = exchange(sandbox)
    assert (answer["expires_in_sec"], answer["expires_in"]) == (3600, 3_600_000)


def test_latency_delays_every_call(caller):
    caller.sandbox.switch(latency_ms=[150, 160])
    begun = time.monotonic()
    caller.get("courses.json")
    assert time.monotonic() - begun >= 0.15


def outcome(caller, **details):
    """Status, or the kind of failure, of one invitation; and whether it was acted upon."""
    try:
        answer = caller.call(
            "POST",
            "addCourseAttendee.json",
            json={"courseAttendee": {"email": "ada@example.org", "firstName": "Ada", "lastName": "Byron"}},
            **details,
        )
        result = answer.status_code
        if result == 200:
            answer.json()
    except requests.Timeout:
        result = "timeout"
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        result = "broken"
    except ValueError:
        result = "unreadable"
    return result, bool(caller.sandbox.invitations())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("500", (500, False)),
        ("502", (502, False)),
        ("503", (503, False)),
        ("html", ("unreadable", False)),
        ("empty", ("unreadable", False)),
        ("truncated", ("broken", True)),
        ("reset", ("broken", False)),
        ("reset_after_acting", ("broken", True)),
        ("timeout", ("timeout", False)),
        ("timeout_after_acting", ("timeout", True)),
        ("late", ("timeout", False)),
    ],
)
def test_scripted_fault_happens_once_to_the_call_it_names(caller, fault, expected):
    entry = {"path_contains": "addCourseAttendee", "times": 1, "fault": fault}
    caller.sandbox.switch(fail_next=[entry], late_seconds=1)
    assert caller.get("courses.json").status_code == 200
    assert outcome(caller, timeout=0.5) == expected
    assert caller.sandbox.switch()["fail_next"] == []
    assert outcome(caller) == (200, True)


def test_every_fault_is_tried():
    (marker,) = test_scripted_fault_happens_once_to_the_call_it_names.pytestmark
    assert {case[0] for case in marker.args[1]} == set(FAULTS)


def test_late_call_acts_after_the_caller_has_gone(caller):
    caller.sandbox.switch(fail_next=[{"path_contains": "", "times": 1, "fault": "late"}], late_seconds=0.6)
    assert outcome(caller, timeout=0.2) == ("timeout", False)
    wait_for(caller.sandbox.invitations, 30, "the late call acts")
    assert caller.sandbox.invitations() == {("", "ada@example.org"): 1}


def test_chance_faults_repeat_with_the_seed(sandbox):
    def statuses():
        sandbox.reset("switches", "tokens")
        caller = Caller(sandbox)
        sandbox.switch(error_5xx_ratio=0.5)
        return [caller.get("courses.json").status_code for _ in range(20)]

    found = statuses()
    assert set(found) == {200, 500}
    sandbox.reset("switches")
    last = sandbox.calls()[-1]["n"]
    assert [row["status"] for row in sandbox.calls(after=last - 20)] == found
