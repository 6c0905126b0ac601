from itertools import pairwise

from coursehub.sandbox.simulation import DAY_MS, journey
from tests.coursehub.sandbox.caller import Caller

WEEK_SECONDS = 7 * 24 * 3600


def standing(rows):
    return {row["email"]: (row["status"], row["completionPercentage"], row["completedLesson"]) for row in rows}


def test_seeded_academy_has_learners_in_every_phase(caller):
    courses = caller.sandbox.state()["courses"]
    assert len(courses) == 5
    for course in courses:
        rows = caller.members(course["id"])
        assert 12 <= len(rows) <= 40
        percents = {int(row["completionPercentage"]) for row in rows}
        assert 100 in percents
        assert len(percents) > 5
        assert all(row["email"].endswith("@example.org") for row in rows)


def test_same_seed_is_the_same_academy_and_another_is_not(caller):
    course_id = caller.course_ids()[0]
    first = standing(caller.members(course_id))
    caller.sandbox.reset("academy", seed=2)
    other = standing(caller.members(course_id))
    caller.sandbox.reset("academy", seed=1)
    assert standing(caller.members(course_id)) == first
    assert other != first


def test_progress_comes_with_the_clock_and_never_goes_back(caller):
    course_id = caller.course_ids()[0]
    percents = []
    for _ in range(6):
        percents.append({row["email"]: int(row["completionPercentage"]) for row in caller.members(course_id)})
        caller.sandbox.advance(WEEK_SECONDS)
        caller = Caller(caller.sandbox)
    for before, after in pairwise(percents):
        assert all(after[email] >= before[email] for email in before)
    assert sum(percents[-1].values()) > sum(percents[0].values())


def test_what_follows_from_progress_agrees_with_it(caller):
    for course_id in caller.course_ids():
        for row in caller.members(course_id):
            percent, lessons = int(row["completionPercentage"]), int(row["totalLesson"])
            assert int(row["completedLesson"]) == percent * lessons // 100
            assert ("completedTime" in row) == (percent == 100)
            assert ("lastLogin" in row) == (row["status"] == "50")
            assert int(row["enrolledTime"]) <= int(row["time"]) <= caller.sandbox.state()["now_ms"]


def test_invited_learners_accept_and_progress_the_same_way_each_time(sandbox):
    def after_three_weeks():
        sandbox.reset(learners_per_course=0)
        caller = Caller(sandbox)
        course_id = caller.course_ids()[0]
        for number in range(20):
            caller.invite(f"p{number}@example.org", course_id)
        sandbox.advance(3 * WEEK_SECONDS)
        return standing(Caller(sandbox).members(course_id))

    first = after_three_weeks()
    assert first == after_three_weeks()
    assert len({percent for _, percent, _ in first.values()}) > 3


def test_speed_zero_stops_the_learners_and_a_high_one_moves_them(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.switch(progress_speed=0)
    before = standing(caller.members(course_id))
    caller.sandbox.advance(WEEK_SECONDS)
    assert standing(Caller(caller.sandbox).members(course_id)) == before
    caller.sandbox.switch(progress_speed=1000)
    caller.sandbox.advance(600)
    assert standing(Caller(caller.sandbox).members(course_id)) != before


def test_test_may_put_a_learner_at_a_percentage(caller):
    course_id = caller.course_ids()[0]
    caller.sandbox.put_learner(course_id, "ada@example.org", 40)
    newest = caller.members(course_id, sort=1)[0]
    assert (newest["email"], newest["status"], newest["completionPercentage"]) == ("ada@example.org", "50", "40")
    caller.sandbox.put_learner(course_id, "ada@example.org", 41)
    assert caller.members(course_id, sort=1)[0]["completionPercentage"] == "41"


def test_journeys_start_stall_and_finish():
    ways = [journey(1, "1", f"p{number}@example.org") for number in range(500)]
    final = [way.percent(365 * DAY_MS) for way in ways]
    assert final.count(100) > 300
    assert sum(0 < percent < 100 for percent in final) > 50
    assert final.count(0) > 5


def test_each_percentage_is_reached_when_the_journey_says():
    way = journey(1, "1", "p1@example.org")
    for percent in range(1, way.stalls_at_percent + 1):
        assert way.percent(way.reached_ms(percent) + 1) == percent
        assert way.percent(way.reached_ms(percent) - 1) == percent - 1
