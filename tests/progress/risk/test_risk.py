"""Who is at risk: each rule at its edge, what it says, and that it costs little."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from coursehub.models import AccessEnd, AuditEvent, Course
from coursehub.trainercentral.records import REVOKED
from progress.models import RiskThresholds
from progress.risk import queries, rules
from progress.risk.rules import Learner, Rule
from tests.support.makers import make_course, remote_member, store

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _ago(**duration) -> datetime:
    return AT - timedelta(**duration)


def _rules(*learners: Learner, **limits) -> dict[str, list[Rule]]:
    """Which rules flag whom; rules without a limit here are off."""
    off = dict.fromkeys(queries.LIMITS)
    found = rules.flags(learners, RiskThresholds(**{**off, **limits}), at=AT)
    return {member_id: [flag.rule for flag in flags] for member_id, flags in found.items()}


def test_a_learner_without_a_visit_is_flagged_from_the_limit_on():
    at_limit = Learner("at", 10, last_seen_at=_ago(days=14))
    before = Learner("before", 10, last_seen_at=_ago(days=14) + timedelta(seconds=1))
    assert _rules(at_limit, before, unseen_days=14) == {"at": [Rule.UNSEEN]}


def test_who_was_never_seen_counts_from_the_enrolment():
    learner = Learner("m", 0, enrolled_at=_ago(days=20))
    (flag,) = rules.flags([learner], RiskThresholds(), at=AT)["m"]
    assert flag.because == "Never seen since enrolling 20 days ago; the limit is 14 days."
    assert flag.clears == "A visit clears it."
    assert _rules(Learner("m", 0), unseen_days=1) == {}, "nothing is known of them, so nothing is said"


def test_a_stalled_learner_is_one_below_the_percentage_for_too_long():
    limits = {"stalled_below_percent": 50, "stalled_days": 7}
    stalled = Learner("stalled", 49, percent_since=_ago(days=7))
    assert _rules(stalled, Learner("above", 50, percent_since=_ago(days=70)), **limits) == {"stalled": [Rule.STALLED]}
    assert _rules(Learner("moved", 49, percent_since=_ago(days=6)), **limits) == {}


def test_a_learner_is_compared_with_those_who_enrolled_in_the_same_week():
    early, late = _ago(days=60), _ago(days=3)
    old = [Learner(f"old{number}", 90, enrolled_at=early) for number in range(6)]
    new = [Learner(f"new{number}", 20, enrolled_at=late) for number in range(6)]
    behind = Learner("behind", 50, enrolled_at=early)
    assert _rules(*old, *new, behind, behind_points=40) == {"behind": [Rule.BEHIND]}
    (flag,) = rules.flags([*old, *new, behind], RiskThresholds(unseen_days=None), at=AT)["behind"]
    assert flag.because == (
        "At 50 %, 40 points behind the median (90 %) of the 7 learners who enrolled in the same week; the limit is 30."
    )
    assert flag.clears == "Getting above 60 % clears it."


def test_a_small_week_is_compared_with_the_whole_course():
    many = [Learner(f"m{number}", 80, enrolled_at=_ago(days=60)) for number in range(10)]
    assert _rules(*many, Learner("alone", 10, enrolled_at=AT), behind_points=30) == {"alone": [Rule.BEHIND]}


def test_access_that_ends_soon_or_has_ended_is_flagged():
    soon = Learner("soon", 99, access_ends_at=AT + timedelta(days=7))
    later = Learner("later", 99, access_ends_at=AT + timedelta(days=7, seconds=1))
    ended = Learner("ended", 99, access_ends_at=_ago(days=2))
    assert _rules(soon, later, ended, expiry_days=7) == {"soon": [Rule.EXPIRY], "ended": [Rule.EXPIRY]}


def test_nobody_is_flagged_who_is_done_or_whose_access_was_revoked():
    long_ago = {"enrolled_at": _ago(days=400), "last_seen_at": _ago(days=400), "percent_since": _ago(days=400)}
    learners = [Learner("done", 100, **long_ago), Learner("revoked", 5, status=REVOKED, **long_ago)]
    assert rules.flags(learners, RiskThresholds(), at=AT) == {}


def test_a_rule_without_a_limit_is_off():
    assert _rules(Learner("m", 0, enrolled_at=_ago(days=400), percent_since=_ago(days=400))) == {}


@pytest.fixture
def course(database) -> Course:
    return make_course()


def test_stored_learners_are_judged_as_of_the_moment_their_data_is_of(course):
    store(remote_member(1, percent=10), remote_member(2, percent=100))
    AccessEnd.objects.create(
        id=AccessEnd.key_of("3000000001", "learner1@example.org"),
        course_id="3000000001",
        email_folded="learner1@example.org",
        ends_at=Course.objects.get().polled_at + timedelta(days=2),
    )
    flagged = queries.flags("3000000001")
    assert {member_id: [flag.rule for flag in flags] for member_id, flags in flagged.items()} == {
        "m1": [Rule.UNSEEN, Rule.STALLED, Rule.BEHIND, Rule.EXPIRY]
    }


def test_a_course_that_was_never_read_has_nobody_at_risk(course):
    assert queries.flags("3000000001") == {}


def test_the_percentage_is_as_old_as_its_last_change(course):
    store(remote_member(1, percent=10, time_ms=1_700_000_000_000))
    first = _since()
    assert first == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "the later of enrolment and the server's own time"
    store(remote_member(1, percent=10, last_login_at=datetime(2026, 5, 1, tzinfo=UTC)))
    assert _since() == first, "a visit is no progress"
    store(remote_member(1, percent=11))
    assert _since() > first


def _since():
    from progress.models import Member

    return Member.objects.get().percent_since


def test_thresholds_are_stored_per_course_and_audited(course):
    limits = {**dict.fromkeys(queries.LIMITS), "unseen_days": 3}
    for _ in range(2):
        queries.set_thresholds(course_id="3000000001", limits=limits, actor="trainer")
    assert queries.thresholds("3000000001").unseen_days == 3
    assert queries.thresholds("3000000001").behind_points is None
    assert queries.thresholds("other").unseen_days == 14
    event = AuditEvent.objects.filter(action="risk_thresholds.changed", target="course 3000000001").first()
    assert (event.actor, event.detail["unseen_days"]) == ("trainer", 3)


@pytest.mark.parametrize("limits", [{"unseen_days": 0}, {"behind_points": 101}, {"stalled_days": -1}])
def test_nonsense_is_no_threshold(course, limits):
    with pytest.raises(ValidationError):
        queries.set_thresholds(course_id="3000000001", limits=limits, actor="trainer")
    assert not RiskThresholds.objects.exists()


def test_ten_thousand_learners_are_judged_while_a_page_is_opened():
    learners = [
        Learner(f"m{number}", number % 100, "50", _ago(days=number % 300), _ago(days=number % 40), _ago(days=20))
        for number in range(10_000)
    ]
    began = time.thread_time()
    flagged = rules.flags(learners, RiskThresholds(), at=AT)
    assert len(flagged) > 5_000
    assert time.thread_time() - began < 0.6
